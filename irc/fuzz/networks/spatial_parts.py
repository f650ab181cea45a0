"""The parts of random convolutional networks: windows, borders, pools and their quantizers.

Activations are channels first with the batch in front, as ONNX has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.fuzz.networks.parts import ROUNDINGS, Parts

Array = npt.NDArray[Any]

MAX_OUTPUTS = 5
"""Output channels a group: few, so that a network of many layers stays small."""


@dataclass
class SpatialParts(Parts):
    """Adds layers to a graph and keeps the shape of the activation that they have come to."""

    channels: int = 1
    space: tuple[int, ...] = ()
    borders: tuple[float, ...] = (0.0,)
    """Values that an integer stands for in the activation: what it can be padded with."""
    unusual: list[str] = field(default_factory=list[str])
    """What the network holds that no integer can stand for: such networks may end in obstacles."""

    def by_channel(self, values: Array) -> str:
        """A constant of one number a channel, as it broadcasts to the activation."""
        return self.graph.constant(values.reshape(-1, *(1 for _ in self.space)))

    def spatial_tail(self, value: str) -> str:
        """One element-wise operator."""
        numbers, graph, channels = self.numbers, self.graph, self.channels
        one = self.choices.pick((True, False))
        kind = self.choices.pick(
            ("BatchNormalization", "Relu", "Mul", "Add", "Div", "Neg", "LeakyRelu", "Clip")
        )
        match kind:
            case "BatchNormalization":
                return self.batch_norm(value, channels)
            case "Mul" | "Add":
                values = numbers.floats(1) if one else numbers.floats(channels)
                return graph.node(kind, value, self.by_channel(values))
            case "Div":
                values = numbers.nonzero(1) if one else numbers.nonzero(channels)
                return graph.node(kind, value, self.by_channel(values))
            case "LeakyRelu":
                return graph.node("LeakyRelu", value, alpha=0.125)
            case "Clip":
                return self.clip(value, -1, 1)
            case _:
                return graph.node(kind, value)

    def clip(self, value: str, low: float, high: float) -> str:
        """`Clip` as the opset has it."""
        if self.graph.export.opset < 11:
            return self.graph.node("Clip", value, min=float(low), max=float(high))
        return self.graph.node("Clip", value, self.graph.constant(low), self.graph.constant(high))

    def spatial_quantizer(self, value: str) -> str:
        """An activation of few bits, written in QONNX or in plain ONNX."""
        graph, numbers = self.graph, self.numbers
        self.borders = (0.0,)
        plain = ("Sign", "round and clip", "clip and round")
        kind = self.choices.pick(("BipolarQuant", "Quant", *plain) if self.is_qonnx else plain)
        match kind:
            case "BipolarQuant":
                scale = numbers.positive()
                self.borders = (0.0, -float(scale), float(scale))
                return graph.qonnx("BipolarQuant", value, graph.constant(scale))
            case "Sign":
                self.borders = (0.0, -1.0, 1.0)
                return graph.node("Sign", value)
            case "round and clip" if graph.export.opset >= 11:
                low, high = self.choices.pick(((0, 3), (-2, 1), (-7, 7)))
                return self.clip(graph.node("Round", value), low, high)
            case "clip and round" if graph.export.opset >= 11:
                levels = graph.constant(float(self.choices.pick((1, 3, 15))))
                clipped = self.clip(value, 0, 1)
                rounded = graph.node("Round", graph.node("Mul", clipped, levels))
                return graph.node("Div", rounded, levels)
            case "round and clip" | "clip and round":
                return self.clip(graph.node("Floor", value), -2, 1)
            case _:
                bits, signed = self.choices.integer(1, 4), self.choices.integer(0, 1)
                return graph.qonnx(
                    "Quant",
                    value,
                    graph.constant(numbers.positive()),
                    graph.constant(self.choices.pick((0, 0, 1, -2))),
                    graph.constant(bits),
                    signed=signed,
                    narrow=self.choices.integer(0, 1) if bits > 1 else 0,
                    rounding_mode=self.choices.pick(ROUNDINGS),
                )

    def kernel_weights(self, rows: int, columns: int, kernel: tuple[int, ...]) -> str:
        """Constant weights [rows, columns, …kernel]: ±a, ternary, multi-bit, scaled by row."""
        numbers, graph = self.numbers, self.graph
        kinds = ("signs", "scaled signs", "row scales", "ternary", "integers")
        kind = self.choices.pick((*kinds, "BipolarQuant", "Quant") if self.is_qonnx else kinds)
        shape, by_row = (rows, columns, *kernel), (rows, 1, *(1 for _ in kernel))
        match kind:
            case "signs":
                return graph.constant(numbers.signs(*shape))
            case "scaled signs":
                return graph.constant(numbers.signs(*shape) * numbers.positive(1))
            case "row scales":
                return graph.constant(numbers.signs(*shape) * numbers.positive(*by_row))
            case "ternary":
                return graph.constant(numbers.integers(-1, 1, *shape) * numbers.positive(1))
            case "integers":
                return graph.constant(numbers.integers(-9, 7, *shape))
            case "BipolarQuant":
                floats = graph.constant(numbers.floats(*shape))
                return graph.qonnx("BipolarQuant", floats, graph.constant(numbers.positive()))
            case _:
                return graph.qonnx(
                    "Quant",
                    graph.constant(numbers.floats(*shape)),
                    graph.constant(numbers.positive(*by_row)),
                    graph.constant(0),
                    graph.constant(self.choices.integer(1, 4)),
                    signed=1,
                    narrow=1,
                    rounding_mode="ROUND",
                )

    def padded(self, value: str) -> str:
        """A `Pad` node, most often with one of the values that networks are trained with."""
        border = self.choices.pick(self.borders)
        before = [self.choices.integer(0, 2) for _ in self.space]
        after = [self.choices.integer(0, 2) for _ in self.space]
        pads = [0, 0, *before, 0, 0, *after]
        self.space = tuple(s + b + a for s, b, a in zip(self.space, before, after, strict=True))
        if self.graph.export.opset < 11:
            return self.graph.node("Pad", value, pads=pads, value=border)
        constants = self.graph.constant(pads, np.int64), self.graph.constant(border)
        return self.graph.node("Pad", value, *constants)

    def window(self, most: int, ceil_mode: bool = False) -> dict[str, Any]:
        """Kernel, strides, dilations and border that fit; the space becomes that of the result."""
        choices = self.choices
        rank = len(self.space)
        kernel = [choices.integer(1, min(most, size)) for size in self.space]
        dilations = [
            choices.integer(1, 2) if size > 2 * k else 1
            for size, k in zip(self.space, kernel, strict=True)
        ]
        attributes: dict[str, Any] = {
            "kernel_shape": kernel,
            "strides": [choices.integer(1, 3) for _ in range(rank)],
        }
        if max(dilations) > 1:
            attributes["dilations"] = dilations
        extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
        border = choices.pick(("none", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"))
        reaches = all(e >= s for e, s in zip(extents, attributes["strides"], strict=True))
        if border.startswith("SAME") and (max(dilations) > 1 or not reaches):
            border = "none"  # ONNX Runtime refuses these for pools.
        pads = [0] * 2 * rank
        if border == "pads":
            pads = [choices.integer(0, k - 1) for k in (*kernel, *kernel)]
            attributes["pads"] = pads
        elif border != "none":
            attributes["auto_pad"] = border
        # Where a last window would begin behind the frame, ONNX's shape inference counts it and
        # ONNX Runtime does not: then nothing is rounded up.
        reach = [
            size + pads[axis] + pads[rank + axis] - extents[axis]
            for axis, size in enumerate(self.space)
        ]
        strides = attributes["strides"]
        counts = [r // s + 1 for r, s in zip(reach, strides, strict=True)]
        rounded = [-(-r // s) + 1 for r, s in zip(reach, strides, strict=True)]
        begins = [
            (n - 1) * s - pads[axis]
            for axis, (n, s) in enumerate(zip(rounded, strides, strict=True))
        ]
        if ceil_mode and all(b < size for b, size in zip(begins, self.space, strict=True)):
            attributes["ceil_mode"], counts = 1, rounded
        if border.startswith("SAME"):
            counts = [-(-size // s) for size, s in zip(self.space, strides, strict=True)]
        self.space = tuple(counts)
        return attributes

    def convolution(self, value: str) -> str:
        """A convolution: full, grouped or depthwise, with a bias or without."""
        choices, channels = self.choices, self.channels
        divisors = [g for g in range(1, channels + 1) if channels % g == 0]
        groups = choices.pick((1, *divisors, channels))
        rows = groups * choices.integer(1, max(1, MAX_OUTPUTS // groups))
        attributes = self.window(4)
        kernel = tuple(attributes["kernel_shape"])
        inputs = [value, self.kernel_weights(rows, channels // groups, kernel)]
        if choices.pick((False, True)):
            inputs.append(self.graph.constant(self.numbers.floats(rows)))
        self.channels = rows
        return self.graph.node("Conv", *inputs, group=groups, **attributes)

    def max_pool(self, value: str) -> str:
        """The largest of each window, with a border or without, rounded up or down."""
        modern = self.graph.export.opset >= 10
        attributes = self.window(3, modern and self.choices.pick((False, True)))
        if not modern and "dilations" in attributes:
            return self.global_pool(value, "GlobalMaxPool")
        return self.graph.node("MaxPool", value, **attributes)

    def average_pool(self, value: str) -> str:
        """The mean of each window, a border counting as zeros."""
        kernel = [self.choices.integer(1, min(3, size)) for size in self.space]
        self.space = tuple(s // k for s, k in zip(self.space, kernel, strict=True))
        return self.graph.node("AveragePool", value, kernel_shape=kernel, strides=kernel)

    def global_pool(self, value: str, kind: str) -> str:
        """One number a channel."""
        self.space = tuple(1 for _ in self.space)
        return self.graph.node(kind, value)
