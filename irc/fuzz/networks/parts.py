"""The parts that random networks are made of: weights, element-wise tails and quantizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from irc.fuzz.networks.choices import Choices, Numbers
from irc.fuzz.networks.graph import Graph

Array = npt.NDArray[Any]

ROUNDINGS = ("ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "HALF_EVEN")

PLAIN_WEIGHTS = ("signs", "scaled signs", "row scales", "ternary", "int8", "integers")
QONNX_WEIGHTS = (*PLAIN_WEIGHTS, "BipolarQuant", "Quant", "Quant by row")


@dataclass
class Parts:
    """Adds parts to a graph, each drawn from `choices`, their constants from `numbers`."""

    graph: Graph
    choices: Choices
    numbers: Numbers

    @property
    def is_qonnx(self) -> bool:
        """Whether QONNX operators may be used."""
        return self.graph.export.domain is not None

    def weights(self, rows: int, columns: int, transposed: bool) -> str:
        """Constant weights: [columns, rows], as `MatMul` wants them, or transposed."""
        kind = self.choices.pick(QONNX_WEIGHTS if self.is_qonnx else PLAIN_WEIGHTS)
        numbers, graph = self.numbers, self.graph
        shape = (rows, columns)

        def turned(values: Array) -> Array:
            return values if transposed else values.T

        match kind:
            case "signs":
                return graph.constant(turned(numbers.signs(*shape)))
            case "scaled signs":
                return graph.constant(turned(numbers.signs(*shape)) * numbers.positive(1))
            case "row scales":
                scales = numbers.positive(rows, 1)
                return graph.constant(turned(numbers.signs(*shape) * scales))
            case "ternary":
                values = turned(numbers.integers(-1, 1, *shape))
                return graph.constant(values * numbers.positive(1))
            case "int8":
                stored = graph.constant(turned(numbers.signs(*shape)), np.int8)
                return graph.node("Cast", stored, to=TensorProto.FLOAT)
            case "integers":
                return graph.constant(turned(numbers.integers(-9, 7, *shape)))
            case "BipolarQuant":
                floats = graph.constant(turned(numbers.floats(*shape)))
                return graph.qonnx("BipolarQuant", floats, graph.constant(numbers.nonzero()))
            case _:
                by_row = kind == "Quant by row"
                scale = numbers.positive(*(rows, 1) if by_row else ())
                bits = self.choices.integer(1, 4)
                return graph.qonnx(
                    "Quant",
                    graph.constant(turned(numbers.floats(*shape))),
                    graph.constant(turned(scale) if by_row else scale),
                    graph.constant(0),
                    graph.constant(bits),
                    signed=1,
                    narrow=self.choices.integer(0, 1),
                    rounding_mode="ROUND",
                )

    def linear(self, value: str, rows: int, columns: int) -> str:
        """A dense layer from `columns` to `rows`, one way or another, with a bias or without."""
        kind = self.choices.pick(("MatMul", "MatMul+Add", "Gemm", "Gemm transB"))
        weights = self.weights(rows, columns, kind == "Gemm transB")
        if kind.startswith("MatMul"):
            result = self.graph.node("MatMul", value, weights)
            if kind == "MatMul":
                return result
            return self.graph.node("Add", result, self.graph.constant(self.numbers.floats(rows)))
        inputs = [value, weights]
        if self.graph.export.opset < 11 or self.choices.pick((False, True)):
            inputs.append(self.graph.constant(self.numbers.floats(rows)))
        if self.choices.pick((False, True)):
            return self.graph.node("Gemm", *inputs, alpha=0.5, beta=2.0, transB=kind != "Gemm")
        return self.graph.node("Gemm", *inputs, transB=int(kind != "Gemm"))

    def batch_norm(self, value: str, channels: int) -> str:
        """Batch normalization with gammas of both signs, and 0 among the nice ones."""
        numbers, graph = self.numbers, self.graph
        gamma, beta, mean = (graph.constant(numbers.floats(channels)) for _ in range(3))
        variance = graph.constant(numbers.positive(channels))
        return graph.node("BatchNormalization", value, gamma, beta, mean, variance, epsilon=1e-5)

    TAILS = (
        "none", "BatchNormalization", "Mul", "Add", "Sub", "Div", "constant - x", "Relu", "Clip",
        "Neg", "LeakyRelu", "PRelu", "Max", "Min", "HardSigmoid", "Abs", "Pow", "Sigmoid", "Tanh",
        "Softsign",
    )  # fmt: skip

    def tail(self, value: str, channels: int) -> str:
        """One element-wise operator."""
        numbers, graph = self.numbers, self.graph
        by_channel = (channels,) if self.choices.pick((False, True)) else ()
        kind = self.choices.pick(self.TAILS)
        match kind:
            case "none":
                return value
            case "BatchNormalization":
                return self.batch_norm(value, channels)
            case "Mul" | "Add" | "Sub" | "Max" | "Min":
                # One-element tensors of rank 1: Max and Min of opset 7 do not all take scalars.
                return graph.node(kind, value, graph.constant(numbers.floats(*by_channel or (1,))))
            case "Div":
                return graph.node("Div", value, graph.constant(numbers.nonzero(*by_channel)))
            case "constant - x":
                return graph.node("Sub", graph.constant(numbers.floats(*by_channel)), value)
            case "PRelu":
                return graph.node(
                    "PRelu", value, graph.constant(numbers.floats(*by_channel or (1,)))
                )
            case "LeakyRelu":
                return graph.node("LeakyRelu", value, alpha=0.1)
            case "Clip":
                if graph.export.opset < 11:
                    return graph.node("Clip", value, min=-1.0, max=1.0)
                return graph.node("Clip", value, graph.constant(-1), graph.constant(1))
            case "Sigmoid":
                # Few runtimes agree on when it underflows: its sign is no use.
                return graph.node("Sub", graph.node("Sigmoid", value), graph.constant(0.4375))
            case "Pow":
                return graph.node("Pow", value, graph.constant(2))
            case _:
                return graph.node(kind, value)

    def quantizer(self, value: str) -> str:
        """An activation of few bits."""
        kind = self.choices.pick(("BipolarQuant", "Quant", "Sign") if self.is_qonnx else ("Sign",))
        numbers, graph = self.numbers, self.graph
        match kind:
            case "Sign":
                return graph.node("Sign", value)
            case "BipolarQuant":
                return graph.qonnx("BipolarQuant", value, graph.constant(numbers.positive()))
            case _:
                bits = self.choices.integer(1, 4)
                signed = self.choices.integer(0, 1)
                zero = self.choices.pick((0, 0, 1, -2))
                return graph.qonnx(
                    "Quant",
                    value,
                    graph.constant(numbers.positive()),
                    graph.constant(zero),
                    graph.constant(bits),
                    signed=signed,
                    narrow=self.choices.integer(0, 1) if bits > 1 else 0,
                    rounding_mode=self.choices.pick(ROUNDINGS),
                )
