"""Layers of every dialect: convolutions and dense ones, weights, element-wise tails, integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from irc.fuzz.networks.parts import Parts
from irc.fuzz.networks.quantizer_parts import QuantizerParts

Array = npt.NDArray[Any]

QONNX_WEIGHTS = ("BipolarQuant", "Quant", "Quant by row")
PLAIN_WEIGHTS = ("signs", "scaled signs", "row scales", "ternary", "integers")
QDQ_WEIGHTS = ("DequantizeLinear", "DequantizeLinear by row", "QDQ and Clip")
WEIGHTS = (*QONNX_WEIGHTS, *PLAIN_WEIGHTS, *QDQ_WEIGHTS)

TAILS = (
    "BatchNormalization", "Relu", "Mul", "Add", "Sub", "Div", "constant - x", "Neg", "LeakyRelu",
    "PRelu", "Clip", "Max", "Min", "HardSigmoid", "Sigmoid", "Tanh", "Abs",
)  # fmt: skip

INTEGER_LAYERS = ("QLinearConv", "ConvInteger", "QLinearMatMul", "MatMulInteger")


@dataclass
class LayerParts(QuantizerParts):
    """Adds layers to the activation that the network has come to; no `space` means dense."""

    def any_weights(self, rows: int, columns: int, kernel: tuple[int, ...]) -> str:
        """Constant weights [rows, columns, …kernel] of 1 to 8 bits."""
        kinds = [*PLAIN_WEIGHTS]
        if self.is_qonnx:
            kinds = [*QONNX_WEIGHTS, *kinds]
        kinds += [
            kind
            for kind, opset in zip(QDQ_WEIGHTS, (10, 13, 13), strict=True)
            if self.opset >= opset
        ]
        kind = self.draw("weights", tuple(kinds))
        numbers, graph = self.numbers, self.graph
        shape, by_row = (rows, columns, *kernel), (rows, 1, *(1 for _ in kernel))
        bits = self.choices.pick((2, 3, 4, 8))
        high = 2 ** (bits - 1) - 1
        match kind:
            case "BipolarQuant":
                return graph.qonnx(
                    "BipolarQuant",
                    graph.constant(numbers.floats(*shape)),
                    graph.constant(numbers.positive()),
                )
            case "Quant" | "Quant by row":
                return graph.qonnx(
                    "Quant",
                    graph.constant(numbers.floats(*shape)),
                    graph.constant(numbers.positive(*by_row if kind == "Quant by row" else ())),
                    graph.constant(0),
                    graph.constant(bits),
                    signed=1,
                    narrow=self.choices.integer(0, 1),
                    rounding_mode="ROUND",
                )
            case "signs":
                return graph.constant(numbers.signs(*shape))
            case "scaled signs":
                return graph.constant(numbers.signs(*shape) * numbers.positive(1))
            case "row scales":
                return graph.constant(numbers.signs(*shape) * numbers.positive(*by_row))
            case "ternary":
                return graph.constant(numbers.integers(-1, 1, *shape) * numbers.positive(1))
            case "integers":
                return graph.constant(numbers.integers(-high - 1, high, *shape))
            case "QDQ and Clip":
                scale = graph.constant(numbers.positive(rows))
                parameters = scale, graph.constant(np.zeros(rows), np.int8)
                floats = graph.constant(numbers.floats(*shape))
                codes = graph.node("QuantizeLinear", floats, *parameters, axis=0)
                ends = graph.constant(-high, np.int8), graph.constant(high, np.int8)
                codes = graph.node("Clip", codes, *ends)
                return graph.node("DequantizeLinear", codes, *parameters, axis=0)
            case _:
                codes = graph.constant(numbers.integers(-high - 1, high, *shape), np.int8)
                if kind == "DequantizeLinear":
                    scale = graph.constant(numbers.positive())
                    return graph.node("DequantizeLinear", codes, scale)
                scale = graph.constant(numbers.positive(rows))
                return graph.node("DequantizeLinear", codes, scale, axis=0)

    def any_layer(self, value: str) -> str:
        """A convolution of any kind, or a dense layer; may end in integers times a scale."""
        choices = self.choices
        if self.opset >= 10 and choices.integer(0, 7 if self.space else 2) == 0:
            return self.integer_layer(value)
        if not self.space:
            return self.dense(value, choices.integer(1, 12))
        match self.draw("layer", ("convolution", "depthwise separable", "pointwise", "grouped")):
            case "depthwise separable":
                value = self.depthwise(value)
                value = self.any_quantizer(self.any_tail(value))
                return self.pointwise(value, choices.integer(1, 6))
            case "pointwise":
                return self.pointwise(value, choices.integer(1, 6))
            case "grouped" if self.channels > 1:
                divisors = [g for g in range(2, self.channels + 1) if self.channels % g == 0]
                return self.general(value, choices.pick(tuple(divisors)))
            case _:
                return self.general(value, 1)

    def general(self, value: str, groups: int) -> str:
        """Any kernel, stride, dilation and border."""
        rows = groups * self.choices.integer(1, max(1, 5 // groups))
        attributes = self.window(4)
        if "dilations" in attributes:
            self.drawn["layer: dilated"] += 1
        if attributes.get("auto_pad", "NOTSET") != "NOTSET" or any(attributes.get("pads", ())):
            self.drawn["layer: border"] += 1
        return self.conv(value, rows, groups, attributes)

    def same(self, value: str, rows: int, stride: int = 1, extent: int = 3) -> str:
        """A convolution with a border of half the odd kernel, as residual networks have it; or a
        dense layer."""
        if not self.space:
            return self.dense(value, rows)
        rank = len(self.space)
        self.space = tuple((size - 1) // stride + 1 for size in self.space)
        attributes: dict[str, Any] = {"kernel_shape": [extent] * rank, "strides": [stride] * rank}
        if extent > 1:
            attributes["pads"] = [extent // 2] * 2 * rank
        return self.conv(value, rows, 1, attributes)

    def pointwise(self, value: str, rows: int) -> str:
        """A kernel of one pixel."""
        return self.same(value, rows, extent=1)

    def depthwise(self, value: str) -> str:
        """One filter a channel."""
        return self.conv(value, self.channels, self.channels, self.window(3))

    def conv(self, value: str, rows: int, groups: int, attributes: dict[str, Any]) -> str:
        """A convolution whose space was accounted for, with a bias or without."""
        if groups == self.channels and groups > 1:
            self.drawn["layer: depthwise"] += 1
        kernel = tuple(attributes["kernel_shape"])
        inputs = [value, self.any_weights(rows, self.channels // groups, kernel)]
        if self.choices.pick((False, True)):
            inputs.append(self.graph.constant(self.numbers.floats(rows)))
        self.channels = rows
        return self.graph.node("Conv", *inputs, group=groups, **attributes)

    def dense(self, value: str, rows: int) -> str:
        """A dense layer on [N, channels]."""
        columns, self.channels = self.channels, rows
        if self.choices.pick((False, True)):
            return Parts.linear(self, value, rows, columns)
        inputs = [value, self.any_weights(rows, columns, ())]
        if self.opset < 11 or self.choices.pick((False, True)):
            inputs.append(self.graph.constant(self.numbers.floats(rows)))
        return self.graph.node("Gemm", *inputs, transB=1)

    def integer_layer(self, value: str) -> str:
        """A layer between integer tensors, and its result as floats."""
        kinds = INTEGER_LAYERS[2:] if not self.space else INTEGER_LAYERS[:1]
        if len(self.space) == 2:
            kinds = INTEGER_LAYERS[:2]
        kind = self.draw("integer layer", kinds)
        graph, numbers = self.graph, self.numbers
        rows, columns = self.choices.integer(1, 5), self.channels
        scale, zero = graph.constant(numbers.positive()), graph.constant(3, np.uint8)
        codes = graph.node("QuantizeLinear", value, scale, zero)
        kernel = tuple(self.choices.integer(1, min(3, size)) for size in self.space)
        self.space = tuple(s - k + 1 for s, k in zip(self.space, kernel, strict=True))
        self.channels = rows
        shape = (rows, columns, *kernel) if kernel else (columns, rows)
        if kind in ("ConvInteger", "MatMulInteger"):
            weights = graph.constant(numbers.integers(0, 255, *shape), np.uint8)
            sums = graph.node(kind, codes, weights, zero, graph.constant(128, np.uint8))
            floats = graph.node("Cast", sums, to=TensorProto.FLOAT)
            return graph.node("Mul", floats, graph.constant(np.float32(2.0**-7)))
        weights = graph.constant(numbers.integers(-128, 127, *shape), np.int8)
        inner = graph.constant(numbers.positive()), graph.constant(0, np.int8)
        size = math.prod((columns, *kernel))
        outer = graph.constant(np.float32(16 * size)), graph.constant(131, np.uint8)
        codes = graph.node(kind, codes, scale, zero, weights, *inner, *outer)
        return graph.node("DequantizeLinear", codes, *outer)

    def any_tail(self, value: str) -> str:
        """One element-wise operator."""
        kind = self.draw("tail", TAILS)
        numbers, graph = self.numbers, self.graph
        size = self.choices.pick((1, self.channels))
        match kind:
            case "BatchNormalization":
                return self.batch_norm(value, self.channels)
            case "Mul" | "Add" | "Sub" | "Max" | "Min":
                return graph.node(kind, value, self.by_channel(numbers.floats(size)))
            case "constant - x":
                return graph.node("Sub", self.by_channel(numbers.floats(size)), value)
            case "Div":
                return graph.node("Div", value, self.by_channel(numbers.nonzero(size)))
            case "PRelu":
                return graph.node("PRelu", value, self.by_channel(numbers.floats(size)))
            case "LeakyRelu":
                return graph.node("LeakyRelu", value, alpha=0.125)
            case "Clip":
                return self.clip(value, -1, 1)
            case "Sigmoid":
                # Few runtimes agree on when it underflows: its sign is no use.
                return graph.node("Sub", graph.node("Sigmoid", value), graph.constant(0.4375))
            case _:
                return graph.node(kind, value)

    def any_tails(self, value: str, most: int) -> str:
        """Up to `most` element-wise operators, without those that leave no two frames apart."""
        for _ in range(self.choices.integer(0, most)):
            size = self.graph.size
            result = self.any_tail(value)
            if self.varies(result):
                value = result
            else:
                self.graph.cut(size)
        return value
