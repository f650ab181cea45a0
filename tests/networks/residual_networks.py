"""Small whole networks with branches, of every kind that people train, as QONNX files hold them.

Weights, scales and statistics are random; activations are channels first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto

from irc.fuzz.networks.graph import QONNX_DOMAINS, Export, Graph

Array = npt.NDArray[Any]

SHAPE = (3, 8, 8)


@dataclass
class Net:
    """A graph under construction, and where its random numbers come from."""

    seed: int
    graph: Graph = field(default_factory=lambda: Graph(Export(13, QONNX_DOMAINS[0], False, False)))

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def quant(self, x: str, bits: int, scale: float | Array | None = None, signed: int = 1) -> str:
        """A quantizer; without a scale some scale that is no power of two."""
        if scale is None:
            scale = float(self.rng.uniform(0.05, 0.4))
        return self.graph.qonnx(
            "Quant",
            x,
            self.graph.constant(scale),
            self.graph.constant(0),
            self.graph.constant(bits),
            signed=signed,
            narrow=0,
            rounding_mode="ROUND",
        )

    def relu(self, x: str, bits: int = 2, scale: float | None = None) -> str:
        """A ReLU of few bits."""
        return self.quant(self.graph.node("Relu", x), bits, scale, signed=0)

    def sign(self, x: str) -> str:
        """A sign of ±1."""
        return self.graph.qonnx("BipolarQuant", x, self.graph.constant(1.0))

    def conv(self, x: str, rows: int, columns: int, kernel: int = 3, **attributes: Any) -> str:
        """A convolution of ±a, the same border everywhere."""
        group = attributes.get("group", 1)
        weights = self.rng.choice([-1.0, 1.0], (rows, columns // group, kernel, kernel))
        scale = self.rng.uniform(0.02, 0.1)
        pad = kernel // 2
        weights = self.graph.constant(weights * np.float32(scale))
        return self.graph.node("Conv", x, weights, pads=[pad] * 4, **attributes)

    def norm(self, x: str, channels: int) -> str:
        """Batch normalization with statistics of both signs."""
        random = self.rng.normal(size=(4, channels))
        rows = [*random[:3], np.abs(random[3]) + 0.1]
        return self.graph.node("BatchNormalization", x, *(self.graph.constant(r) for r in rows))

    def add(self, *values: str) -> str:
        return self.graph.node("Add", *values)

    def concat(self, *values: str) -> str:
        return self.graph.node("Concat", *values, axis=1)

    def model(self, value: str, channels: int) -> ModelProto:
        """With global pool, quantizer and a last dense layer."""
        value = self.relu(self.graph.node("GlobalAveragePool", value), 4)
        value = self.graph.node("Flatten", value)
        weights = self.graph.constant(self.rng.choice([-0.5, 0.5], (channels, 4)))
        value = self.graph.node("MatMul", value, weights)
        return self.graph.model(TensorProto.FLOAT, SHAPE, value, TensorProto.FLOAT, 1)


def _stem(net: Net, channels: int = 4) -> str:
    return net.norm(net.conv(net.quant("x", 8, 1 / 128), channels, 3), channels)


def basic_block(net: Net) -> str:
    """ResNet-18's block, the identity quantized, then one with a strided convolution beside it."""
    x = net.relu(_stem(net))
    y = net.relu(net.norm(net.conv(x, 4, 4), 4))
    x = net.relu(net.add(net.norm(net.conv(y, 4, 4), 4), x))
    y = net.relu(net.norm(net.conv(x, 4, 4, strides=[2, 2]), 4))
    side = net.norm(net.conv(x, 4, 4, 1, strides=[2, 2]), 4)
    return net.relu(net.add(net.norm(net.conv(y, 4, 4), 4), side))


def shared_scale(net: Net) -> str:
    """Both branches quantized with one scale, as Brevitas wants it."""
    x = net.quant(net.graph.node("Relu", _stem(net)), 4, 0.1)
    for _ in range(3):
        y = net.relu(net.norm(net.conv(x, 4, 4), 4))
        y = net.quant(net.norm(net.conv(y, 4, 4), 4), 4, 0.1)
        x = net.quant(net.graph.node("Relu", net.add(y, x)), 4, 0.1)
    return x


def pre_activation(net: Net) -> str:
    """BatchNorm, ReLU and quantizer before each convolution; sums of one power of two go on."""
    x = net.quant(_stem(net), 4, 0.25)
    for _ in range(3):
        y = net.relu(net.norm(x, 4))
        y = net.relu(net.norm(net.conv(y, 4, 4), 4))
        x = net.add(x, net.quant(net.norm(net.conv(y, 4, 4), 4), 4, 0.25))
    return net.relu(net.norm(x, 4))


def bottleneck(net: Net) -> str:
    """1×1, 3×3 and 1×1 convolutions beside an identity of signs."""
    x = net.sign(_stem(net))
    y = net.sign(net.norm(net.conv(x, 2, 4, 1), 2))
    y = net.sign(net.norm(net.conv(y, 2, 2), 2))
    return net.sign(net.norm(net.add(net.norm(net.conv(y, 4, 2, 1), 4), x), 4))


def inception(net: Net) -> str:
    """Branches of several kernels, joined, quantized before or behind the join."""
    x = net.relu(_stem(net))
    a = net.norm(net.conv(x, 2, 4, 1), 2)
    b = net.norm(net.conv(net.relu(net.norm(net.conv(x, 2, 4, 1), 2)), 3, 2), 3)
    pooled = net.graph.node("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1])
    c = net.norm(net.conv(pooled, 2, 4, 1), 2)
    x = net.relu(net.concat(a, b, c))
    x = net.concat(net.relu(net.conv(x, 2, 7)), net.quant(net.conv(x, 2, 7, 1), 3))
    return net.relu(net.norm(net.conv(x, 4, 4), 4))


def dense_net(net: Net) -> str:
    """Every block reads all maps before it, which no quantizer follows."""
    x = net.conv(net.quant("x", 8, 1 / 128), 2, 3)
    channels = 2
    for _ in range(3):
        y = net.relu(net.norm(x, channels))
        x = net.concat(x, net.conv(y, 2, channels))
        channels += 2
    return net.relu(net.norm(net.conv(net.relu(net.norm(x, channels)), 4, channels, 1), 4))


def u_net(net: Net) -> str:
    """Down by pooling, up by nearest neighbours, joined with what was there before."""
    x = net.relu(_stem(net))
    down = net.graph.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    down = net.relu(net.norm(net.conv(down, 4, 4), 4))
    down = net.norm(net.conv(down, 4, 4), 4)
    scales = net.graph.constant([1.0, 1.0, 2.0, 2.0])
    up = net.graph.node(
        "Resize",
        down,
        "",
        scales,
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    return net.relu(net.norm(net.conv(net.concat(net.relu(up), x), 4, 8), 4))


def shuffle_net(net: Net) -> str:
    """Half of the channels goes past the convolutions."""
    x = net.quant(net.graph.node("Relu", _stem(net)), 3, 0.2)
    for _ in range(2):
        halves = (
            net.graph.node("Slice", x, *_bounds(net, 0, 2)),
            net.graph.node("Slice", x, *_bounds(net, 2, 4)),
        )
        y = net.relu(net.norm(net.conv(halves[1], 2, 2, 1), 2))
        y = net.norm(net.conv(y, 2, 2, 3, group=2), 2)
        x = net.concat(net.quant(net.graph.node("Relu", y), 3, 0.2), halves[0])
    return x


def _bounds(net: Net, start: int, stop: int) -> list[str]:
    return [net.graph.constant([v], np.int64) for v in (start, stop, 1)]


def three_terms(net: Net) -> str:
    """Three branches of one power of two are added before anything is quantized."""
    x = net.quant(_stem(net), 4, 0.125)
    y = net.quant(net.norm(net.conv(x, 4, 4), 4), 3, 0.25)
    z = net.quant(net.norm(net.conv(x, 4, 4, 1), 4), 3, 0.5)
    return net.relu(net.norm(net.add(net.add(x, y), z), 4))


def pooled_sum(net: Net) -> str:
    """A sum of which windows are averaged, and which is doubled by adding it to itself."""
    x = net.quant(_stem(net), 3, 0.25)
    y = net.quant(net.norm(net.conv(x, 4, 4), 4), 4, 0.5)
    x = net.add(x, y)
    x = net.graph.node("AveragePool", net.add(x, x), kernel_shape=[2, 2], strides=[2, 2])
    return net.relu(net.norm(x, 4))


KINDS: dict[str, Callable[[Net], str]] = {
    make.__name__: make
    for make in (
        basic_block,
        shared_scale,
        pre_activation,
        bottleneck,
        inception,
        dense_net,
        u_net,
        shuffle_net,
        three_terms,
        pooled_sum,
    )
}


def residual_network(kind: str, seed: int) -> ModelProto:
    """The network of a kind and seed."""
    net = Net(seed)
    return net.model(KINDS[kind](net), 4)
