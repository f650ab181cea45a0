"""Float networks as ordinary exporters write them, with real accuracy on real digits.

Dense layers are trained by plain gradient descent, which takes a second. Convolutions keep their
random weights; what they give goes into a last layer that is fitted by least squares.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, helper, numpy_helper

from irc.interp.onnx_reference import OnnxReference
from irc.loading import load_onnx

Array = npt.NDArray[Any]

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "mnist" / "mnist_test_1000.npz"
TRAINED, CALIBRATED = 700, 100
"""Of the 1,000 digits the first are for fitting, the next for calibration, the rest for testing."""


@cache
def digits() -> tuple[Array, Array]:
    """Images uint8 [1000, 1, 14, 14], every other pixel of MNIST's, and their classes."""
    with np.load(DIGITS) as file:
        return file["x"][:, None, ::2, ::2].copy(), file["y"].copy()


def save_digits(folder: Path) -> None:
    """Write `calib.npz` and `test.npz`."""
    x, y = digits()
    calibration, test = slice(TRAINED, TRAINED + CALIBRATED), slice(TRAINED + CALIBRATED, None)
    np.savez(folder / "calib.npz", x=x[calibration], y=y[calibration])
    np.savez(folder / "test.npz", x=x[test], y=y[test])


@dataclass
class Net:
    """A graph in the making: `last` is its newest value, `shape` that without the batch."""

    seed: int = 0
    last: str = "x"
    shape: tuple[int, ...] = (1, 14, 14)
    nodes: list[NodeProto] = field(default_factory=list[NodeProto])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def node(self, kind: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Append a node that goes by the name of its output."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self.last = name
        return name

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """An initializer in float32."""
        self.constants[name] = np.asarray(value, np.float32)
        return name

    def conv(
        self, name: str, channels: int, kernel: int = 3, stride: int = 1, groups: int = 1
    ) -> str:
        """Convolution without bias, padded with zeros to the same size."""
        inputs = self.shape[0] // groups
        spread = np.sqrt(2 / (inputs * kernel**2))
        shape = (channels, inputs, kernel, kernel)
        weights = self.constant(f"{name}_w", self.random.standard_normal(shape) * spread)
        pads = [kernel // 2] * 4
        size = -(-self.shape[1] // stride)
        self.shape = (channels, size, size)
        options = {"pads": pads, "strides": [stride] * 2, "group": groups}
        return self.node("Conv", name, [self.last, weights], kernel_shape=[kernel] * 2, **options)

    def norm(self, name: str) -> str:
        """BatchNormalization with statistics near those of the random layer."""
        count = self.shape[0]
        values = {
            "g": self.random.uniform(0.5, 1.5, count) * self.random.choice([-1, 1], count),
            "b": self.random.uniform(-0.3, 0.3, count),
            "m": self.random.uniform(-0.3, 0.3, count),
            "v": self.random.uniform(0.1, 0.4, count),
        }
        names = [self.constant(f"{name}_{key}", value) for key, value in values.items()]
        return self.node("BatchNormalization", name, [self.last, *names])

    def relu(self, name: str) -> str:
        """ReLU."""
        return self.node("Relu", name, [self.last])

    def max_pool(self, name: str) -> str:
        """The largest of 2 × 2."""
        self.shape = (self.shape[0], self.shape[1] // 2, self.shape[2] // 2)
        options = {"kernel_shape": [2, 2], "strides": [2, 2]}
        return self.node("MaxPool", name, [self.last], **options)

    def add(self, name: str, other: str) -> str:
        """A residual addition."""
        return self.node("Add", name, [self.last, other])

    def block(self, name: str, channels: int) -> str:
        """Convolution, BatchNormalization, ReLU."""
        self.conv(f"{name}", channels)
        self.norm(f"{name}_bn")
        return self.relu(f"{name}_relu")

    def features(self) -> Array:
        """What the last value is on all digits, as [1000, features]."""
        model = self.model({self.last: ("N", *self.shape)})
        reference = OnnxReference(load_onnx(model.SerializeToString()))
        images = digits()[0].astype(np.float32) / np.float32(255)
        (found,) = reference.run_frames(images).values()
        return found.reshape(len(found), -1)

    def classify(self) -> ModelProto:
        """Flatten, and a dense layer with bias that is fitted to the digits' classes."""
        x, wanted = self.features()[:TRAINED].astype(np.float64), np.eye(10)[digits()[1][:TRAINED]]
        mean = x.mean(axis=0)
        centred = x - mean
        size = centred.shape[1]
        ridge = 0.1 * np.trace(centred.T @ centred) / size
        solve: Any = np.linalg.solve
        weights: Array = solve(centred.T @ centred + ridge * np.eye(size), centred.T @ wanted)
        self.node("Flatten", "flat", [self.last])
        names = [
            self.constant("fc_w", weights.T),
            self.constant("fc_b", wanted.mean(axis=0) - mean @ weights),
        ]
        self.node("Gemm", "fc", ["flat", *names], transB=1)
        return self.model({"fc": ("N", 10)})

    def model(self, outputs: dict[str, Sequence[int | str]]) -> ModelProto:
        """The graph as a model; the input is `x`, float32."""
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", 1, ["N", 1, 14, 14])],
            [helper.make_tensor_value_info(name, 1, shape) for name, shape in outputs.items()],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        return model


def dense_net() -> ModelProto:
    """196-48-32-10 with ReLU and biases, trained."""
    net = Net()
    net.node("Flatten", "start", ["x"])
    layers = trained_layers([196, 48, 32, 10])
    for index, (weights, bias) in enumerate(layers, start=1):
        names = [net.constant(f"fc{index}_w", weights.T), net.constant(f"fc{index}_b", bias)]
        net.node("Gemm", f"fc{index}", [net.last, *names], transB=1)
        if index < len(layers):
            net.relu(f"fc{index}_relu")
    return net.model({net.last: ("N", 10)})


def trained_layers(sizes: Sequence[int], epochs: int = 30) -> list[tuple[Array, Array]]:
    """Weights [K, M] and biases [M] of dense layers with ReLU, by gradient descent."""
    random = np.random.default_rng(0)
    x = digits()[0][:TRAINED].reshape(TRAINED, -1) / 255
    wanted = np.eye(10)[digits()[1][:TRAINED]]
    layers = [
        (random.standard_normal((k, m)) * np.sqrt(2 / k), np.zeros(m))
        for k, m in itertools.pairwise(sizes)
    ]
    for _ in range(epochs):
        for batch in np.array_split(random.permutation(TRAINED), TRAINED // 20):
            values = [x[batch]]
            for index, (weights, bias) in enumerate(layers):
                sums = values[-1] @ weights + bias
                values.append(sums if index == len(layers) - 1 else np.maximum(sums, 0))
            powers = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
            slope = (powers / powers.sum(axis=1, keepdims=True) - wanted[batch]) / len(batch)
            for index in reversed(range(len(layers))):
                weights, bias = layers[index]
                steps = values[index].T @ slope, slope.sum(axis=0)
                slope = (slope @ weights.T) * (values[index] > 0)
                layers[index] = (weights - 0.1 * steps[0], bias - 0.1 * steps[1])
    return layers


def conv_net() -> ModelProto:
    """Two blocks with max-pools, then a depthwise-separable one."""
    net = Net()
    net.block("conv1", 8)
    net.max_pool("pool1")
    net.block("conv2", 16)
    net.conv("depthwise", 16, groups=16)
    net.norm("depthwise_bn")
    net.relu("depthwise_relu")
    net.conv("pointwise", 24, kernel=1)
    net.norm("pointwise_bn")
    net.relu("pointwise_relu")
    net.max_pool("pool2")
    return net.classify()


def residual_net() -> ModelProto:
    """A block, an identity residual, a projected residual, and an average at the end."""
    net = Net()
    net.block("stem", 8)
    net.max_pool("pool")
    skip = net.last
    net.block("res1a", 8)
    net.conv("res1b", 8)
    net.norm("res1b_bn")
    net.add("sum1", skip)
    skip = net.relu("sum1_relu")
    shape = net.shape
    net.conv("res2a", 16, stride=2)
    net.norm("res2a_bn")
    net.relu("res2a_relu")
    net.conv("res2b", 16)
    branch = net.norm("res2b_bn")
    net.last, net.shape = skip, shape
    net.conv("short", 16, kernel=1, stride=2)
    net.norm("short_bn")
    net.add("sum2", branch)
    net.relu("sum2_relu")
    return net.classify()
