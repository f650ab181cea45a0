"""Parts of the well-known networks: quantized layers as trainers of either dialect export them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from irc.fuzz.networks.choices import Numbers, SeededChoices
from irc.fuzz.networks.graph import Export, Graph
from irc.fuzz.networks.quantizer_parts import QuantizerParts
from irc.fuzz.networks.random_network import RandomNetwork, declared_floats, random_frames
from irc.passes.streamline.declare_inputs import InputDeclaration

Array = npt.NDArray[Any]

DIALECTS = ("qonnx", "qdq")


@dataclass
class NamedParts(QuantizerParts):
    """Layers of a network with weights and scales as training leaves them: random weights, batch
    normalizations with the statistics of the data, scales that fit what they quantize."""

    @property
    def rng(self) -> np.random.Generator:
        """Where weights come from: the same for the same place in the same network."""
        return np.random.default_rng(self.graph.size)

    def weights(self, shape: tuple[int, ...], bits: int) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Weights [rows, …] with one scale a row: a `Quant`, or integers and a scale."""
        graph, floats = self.graph, self.rng.normal(0, 1, shape)
        by_row = (len(floats), *(1 for _ in shape[1:]))
        most = 2 ** (bits - 1) - 1 if bits > 1 else 1
        scale = np.abs(floats).reshape(len(floats), -1).max(axis=1) / most
        scale = scale.astype(np.float32)
        if self.is_qonnx and bits == 1:
            return graph.qonnx("BipolarQuant", graph.constant(floats), graph.constant(0.125))
        if self.is_qonnx:
            return graph.qonnx(
                "Quant",
                graph.constant(floats),
                graph.constant(scale.reshape(by_row)),
                graph.constant(0),
                graph.constant(bits),
                signed=1,
                narrow=1,
                rounding_mode="ROUND",
            )
        codes = (
            np.where(floats < 0, -1, 1) if bits == 1 else np.rint(floats / scale.reshape(by_row))
        )
        parameters = graph.constant(codes, np.int8), graph.constant(scale)
        return graph.node("DequantizeLinear", *parameters, axis=0)

    def quantized(self, value: str, bits: int, signed: bool, scale: float) -> str:
        """An activation of `bits` bits at a scale of its own."""
        graph = self.graph
        if self.is_qonnx:
            parameters = (graph.constant(number) for number in (scale, 0, bits))
            attributes = {"signed": int(signed), "narrow": 0, "rounding_mode": "ROUND"}
            return graph.qonnx("Quant", value, *parameters, **attributes)
        dtype = np.int8 if signed else np.uint8
        parameters = graph.constant(scale), graph.constant(0, dtype)
        value = graph.node("QuantizeLinear", value, *parameters)
        if bits < 8:
            low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
            value = graph.node("Clip", value, *(graph.constant(e, dtype) for e in (low, high)))
        return graph.node("DequantizeLinear", value, *parameters)

    def conv(
        self,
        value: str,
        rows: int,
        bits: int,
        kernel: int = 3,
        stride: int = 1,
        depthwise: bool = False,
    ) -> str:
        """A convolution that keeps the size, or halves it with stride 2."""
        rank = len(self.space)
        groups = self.channels if depthwise else 1
        shape = (rows, self.channels // groups, *[kernel] * rank)
        before, after = (kernel - 1) // 2, kernel // 2
        self.space = tuple((size - 1) // stride + 1 for size in self.space)
        self.channels = rows
        return self.graph.node(
            "Conv",
            *(value, self.weights(shape, bits)),
            group=groups,
            kernel_shape=[kernel] * rank,
            strides=[stride] * rank,
            pads=[*[before] * rank, *[after] * rank],
        )

    def normalized(self, value: str) -> str:
        """Batch normalization with the statistics of the data and gammas of both signs."""
        columns = np.moveaxis(self.run(value), 1, 0).reshape(self.channels, -1)
        rng = self.rng
        gamma = rng.normal(0.9, 0.5, self.channels)
        parameters = (gamma, rng.normal(0.1, 0.3, self.channels), columns.mean(axis=1),
                      columns.var(axis=1) + 1e-3)  # fmt: skip
        constants = [self.graph.constant(numbers) for numbers in parameters]
        return self.graph.node("BatchNormalization", value, *constants, epsilon=1e-5)

    def relu(self, value: str, bits: int, scale: float) -> str:
        """`Relu`, then few bits without a sign."""
        return self.quantized(self.graph.node("Relu", value), bits, False, scale)

    def block(self, value: str, rows: int, bits: int, **options: Any) -> str:
        """Convolution, batch normalization, `Relu`, quantizer."""
        value = self.normalized(self.conv(value, rows, bits, **options))
        return self.relu(value, bits, 2.5 / 2**bits)

    def separable(self, value: str, rows: int, bits: int, stride: int) -> str:
        """A depthwise block and a pointwise one."""
        value = self.block(value, self.channels, bits, stride=stride, depthwise=True)
        return self.block(value, rows, bits, kernel=1)

    def dense(self, value: str, rows: int, bits: int) -> str:
        """A dense layer with a bias."""
        weights = self.weights((rows, self.channels), bits)
        bias = self.graph.constant(self.rng.normal(0, 0.5, rows))
        self.channels = rows
        return self.graph.node("Gemm", value, weights, bias, transB=1)

    def upsampled(self, value: str) -> str:
        """Twice the size, by the nearest neighbour."""
        self.space = tuple(2 * size for size in self.space)
        scales = self.graph.constant([1, 1, *[2] * len(self.space)])
        modes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.graph.node("Resize", value, "", scales, mode="nearest", **modes)

    def network(self, value: str, shape: tuple[int, ...], frames: Array, declared: str,
                rank: int = 1) -> RandomNetwork:  # fmt: skip
        """The finished network."""
        model = self.graph.model(TensorProto.FLOAT, shape, value, TensorProto.FLOAT, rank)
        return RandomNetwork(model, (f"x={declared}",), frames, self.data, False)


def begin(
    dialect: str, shape: tuple[int, ...], declared: str, frames: int = 8
) -> tuple[NamedParts, Array]:
    """Parts for a network with an input of `shape`, and frames for it."""
    export = Export(13, "qonnx.custom_op.general" if dialect == "qonnx" else None, True, False)
    numbers = Numbers(7, False)
    declaration = InputDeclaration.parse(declared)
    data = random_frames(numbers, declaration, shape)[:frames]
    parts = NamedParts(Graph(export), SeededChoices(7), numbers, shape[0], shape[1:])
    parts.data = declared_floats(declaration, data)
    return parts, data
