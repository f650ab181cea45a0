"""Random fully connected binary networks of any size, as ONNX files.

    python benchmarks/generate.py --layers 4 --width 512 --weights int8 net.onnx

Every layer is a matrix of ±1, an offset a channel and a sign; the last one gives its sums.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

STYLES = ("int8", "bipolar")
"""`int8`: int8 matrices, cast to float, and `Sign`. `bipolar`: float matrices and activations, both
behind `BipolarQuant`, as Brevitas exports them."""

QUANT_DOMAIN = "onnx.brevitas"


@dataclass(frozen=True)
class NetworkShape:
    """`layers` square matrices of `width`² weights each: `width` pixels in, `width` sums out."""

    layers: int
    width: int
    style: str = "int8"

    @property
    def weights(self) -> int:
        """How many weights the network has."""
        return self.layers * self.width**2

    @property
    def nodes(self) -> int:
        """How many ONNX nodes: two for the input, four a layer, without an offset for the last."""
        return 4 * self.layers + 1

    @staticmethod
    def of_weights(weights: int, layers: int, style: str = "int8") -> NetworkShape:
        """`layers` layers with about `weights` weights in all; the width is a multiple of 16."""
        return NetworkShape(layers, max(16, 16 * round((weights / layers) ** 0.5 / 16)), style)


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, op_type: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op_type, list(inputs), [name], name, **attributes))
        return name

    def signs(self, style: str, name: str, value: str) -> str:
        """+1 or −1 by the sign of `value`."""
        if style == "int8":
            return self.node("Sign", name, value)
        return self.node("BipolarQuant", name, value, "one", domain=QUANT_DOMAIN)


def generate(shape: NetworkShape, seed: int = 1) -> onnx.ModelProto:
    """A network of that shape, with a batch of 1; the same for the same seed.

    Its input `pixels` is uint8, its output `logits` float32. No sum meets its offset exactly, so
    that `Sign` never gives 0.
    """
    random = np.random.default_rng(seed)
    graph, width = _Graph(), shape.width
    graph.constant("one", 1)
    floats = graph.node("Cast", "floats", "pixels", to=TensorProto.FLOAT)
    value = graph.node("Sub", "centred", floats, graph.constant("half", 127.5))
    for index in range(shape.layers):
        value = graph.signs(shape.style, f"signs{index}", value)
        signs = np.frombuffer(random.bytes(width * width), np.int8).reshape(width, width) | 1
        weights = np.sign(signs, out=signs)
        if shape.style == "int8":
            packed = graph.constant(f"weights{index}", weights, np.int8)
            matrix = graph.node("Cast", f"matrix{index}", packed, to=TensorProto.FLOAT)
        else:
            floats = graph.constant(f"weights{index}", weights)
            matrix = graph.signs(shape.style, f"matrix{index}", floats)
        value = graph.node("MatMul", f"layer{index}", value, matrix)
        if index < shape.layers - 1:
            offsets = random.integers(-width // 4, width // 4, width) + 0.5
            value = graph.node(
                "Add", f"sum{index}", value, graph.constant(f"offsets{index}", offsets)
            )
    graph.nodes[-1].output[0] = "logits"
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"random_{shape.layers}x{width}",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, width])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, width])],
            graph.initializers,
        ),
        producer_name="irc-benchmarks",
        opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(QUANT_DOMAIN, 1)],
    )
    model.ir_version = 8
    return model


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=4, help="(default: %(default)s)")
    parser.add_argument("--width", type=int, default=512, help="(default: %(default)s)")
    parser.add_argument("--style", choices=STYLES, default=STYLES[0], help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("model", type=Path, help="the file to write")
    options = parser.parse_args()
    shape = NetworkShape(options.layers, options.width, options.style)
    options.model.write_bytes(generate(shape, options.seed).SerializeToString())
    print(f"{options.model}: {shape.layers} layers, {shape.weights:,} weights")


if __name__ == "__main__":
    main()
