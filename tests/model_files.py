"""Small networks as ONNX files, whole or broken on purpose, for the tests of the tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

INPUTS, HIDDEN, CLASSES = 8, 6, 4
"""Sizes of the network: 8-6-4."""

DECLARATION = "x=uint8/255"
"""What its input is made from."""

QONNX = "onnx.brevitas"


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    """A node that goes by the name of its output."""
    domain = QONNX if kind in ("Quant", "BipolarQuant") else ""
    return helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes)


def network() -> ModelProto:
    """`x` [1, 8] → bipolar → 6, with BatchNorm → bipolar → 4 logits, scaled by 0.5 → `y`."""
    random = np.random.default_rng(7)
    constants = {
        "one": np.array(1, np.float32),
        "half": np.array(0.5, np.float32),
        "centre": np.array(0.5, np.float32),
        "w1": random.standard_normal((INPUTS, HIDDEN)),
        "w2": random.standard_normal((HIDDEN, CLASSES)),
        "gamma": random.uniform(0.5, 1.5, HIDDEN),
        "beta": random.uniform(-1, 1, HIDDEN),
        "mean": random.uniform(-1, 1, HIDDEN),
        "variance": random.uniform(0.5, 1.5, HIDDEN),
    }
    nodes = [
        node("Sub", ["x", "centre"], "centred"),
        node("BipolarQuant", ["centred", "one"], "bits"),
        node("BipolarQuant", ["w1", "one"], "weights1"),
        node("MatMul", ["bits", "weights1"], "fc1"),
        node("BatchNormalization", ["fc1", "gamma", "beta", "mean", "variance"], "norm"),
        node("BipolarQuant", ["norm", "one"], "sign1"),
        node("BipolarQuant", ["w2", "one"], "weights2"),
        node("MatMul", ["sign1", "weights2"], "fc2"),
        node("Mul", ["fc2", "half"], "y"),
    ]
    return model_of(nodes, {"x": (1, INPUTS)}, {"y": (1, CLASSES)}, constants)


def model_of(
    nodes: Sequence[NodeProto],
    inputs: dict[str, Sequence[int | str]] | dict[str, tuple[int, int]],
    outputs: dict[str, Sequence[int | str]] | dict[str, tuple[int, int]],
    constants: dict[str, Array],
) -> ModelProto:
    """A model of float32 tensors."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(QONNX, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def initializer(model: ModelProto, name: str) -> TensorProto:
    """A constant of a model."""
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def node_named(model: ModelProto, name: str) -> NodeProto:
    """A node of a model."""
    return next(found for found in model.graph.node if found.name == name)


def poison(model: ModelProto, name: str, value: float) -> None:
    """Put `value` into the second element of a constant."""
    tensor = initializer(model, name)
    values = numpy_helper.to_array(tensor).copy()
    values.flat[1] = value
    tensor.CopyFrom(numpy_helper.from_array(values, name))


def resized(model: ModelProto, name: str, shape: Sequence[int]) -> None:
    """Replace a constant by ones of another shape."""
    ones = np.ones(tuple(shape), np.float32)
    initializer(model, name).CopyFrom(numpy_helper.from_array(ones, name))


def save(path: Path, *changes: Callable[[ModelProto], Any]) -> Path:
    """Write the network with some changes made to it."""
    model = network()
    for change in changes:
        change(model)
    path.write_bytes(model.SerializeToString())
    return path


def frames(count: int = 5) -> Array:
    """Test inputs [count, 8], uint8."""
    return np.random.default_rng(3).integers(0, 256, (count, INPUTS), np.uint8)


def save_data(path: Path, **arrays: Any) -> Path:
    """Write `.npz` with these arrays, `x` at least."""
    contents: dict[str, Any] = {"x": frames(), **arrays}
    np.savez(path, **contents)
    return path


def save_float_network(path: Path) -> Path:
    """Write `x` [1, 8] → 6 → 6 → 4 logits `fc3`, dense layers with biases, in floats throughout."""
    random = np.random.default_rng(8)
    constants: dict[str, Array] = {}
    nodes: list[NodeProto] = []
    value, width = "x", INPUTS
    for name, size in (("fc1", HIDDEN), ("fc2", HIDDEN), ("fc3", CLASSES)):
        constants[f"{name}_w"] = random.standard_normal((width, size))
        constants[f"{name}_b"] = random.standard_normal(size)
        nodes.append(node("Gemm", [value, f"{name}_w", f"{name}_b"], name))
        value, width = name, size
        if name != "fc3":
            nodes.append(node("Relu", [value], f"{name}_relu"))
            value = f"{name}_relu"
    model = model_of(nodes, {"x": (1, INPUTS)}, {value: (1, CLASSES)}, constants)
    path.write_bytes(model.SerializeToString())
    return path
