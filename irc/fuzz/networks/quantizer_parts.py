"""Quantizers of activations in every dialect: QONNX's, `QuantizeLinear`, and plain arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from irc.fuzz.networks.parts import ROUNDINGS
from irc.fuzz.networks.spatial_parts import SpatialParts
from irc.interp.onnx_reference import OnnxReference

Array = npt.NDArray[Any]
T = TypeVar("T")

QONNX = (
    "BipolarQuant", "Quant", "Quant by channel", "IntQuant", "Quant and Trunc", "MultiThreshold",
)  # fmt: skip
PLAIN = ("Sign", "sign of sign", "Where", "Cast of comparison", "round and clip", "DoReFa")
QDQ = ("QDQ", "QDQ and Clip", "QDQ by channel")

QUANTIZERS = (*QONNX, *PLAIN, *QDQ)

TRIES = 3
"""How often a quantizer is drawn that gives all frames the same codes."""

BITS = (2, 1, 3, 4, 2, 3, 4, 8)
"""Widths of activations, the common ones more often."""


@dataclass
class QuantizerParts(SpatialParts):
    """Adds quantizers of any dialect; `drawn` counts what was drawn of each kind of part."""

    drawn: Counter[str] = field(default_factory=Counter[str])
    data: Array = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    """Frames as the model takes them, with which batch normalizations are calibrated."""

    @property
    def opset(self) -> int:
        """The version of standard ONNX."""
        return self.graph.export.opset

    def draw(self, kind: str, options: Sequence[T]) -> T:
        """One of the options, counted as `kind: option`."""
        option = self.choices.pick(options)
        self.drawn[f"{kind}: {option}"] += 1
        return option

    def any_quantizer(self, value: str) -> str:
        """An activation of few bits, in any way that this export can write.

        Most often behind a batch normalization with the statistics of the data, as training
        leaves them: without any, the codes of most deep networks would never change. Where all
        frames get the same codes, it is drawn again.
        """
        size, tries = self.graph.size, 0
        while True:
            normalized = self._normalized(value) if tries or self.choices.integer(0, 4) else value
            result = self._quantized(normalized)
            tries += 1
            if tries == TRIES or self.varies(result):
                return result
            self.graph.cut(size)

    def _quantized(self, value: str) -> str:
        kinds = [*PLAIN]
        if self.is_qonnx:
            kinds = [*QONNX, *kinds]
        if self.opset >= 10:
            kinds += [kind for kind in QDQ if self._can_write(kind)]
        kind = self.draw("quantizer", tuple(kinds))
        self.borders = (0.0,)
        match kind:
            case "BipolarQuant":
                scale = self.numbers.positive()
                self.borders = (0.0, -float(scale), float(scale))
                return self.graph.qonnx("BipolarQuant", value, self.graph.constant(scale))
            case "Quant" | "Quant by channel" | "IntQuant" | "Quant and Trunc":
                return self._quant(value, kind)
            case "MultiThreshold":
                return self._multithreshold(value)
            case "QDQ" | "QDQ and Clip" | "QDQ by channel":
                return self._qdq(value, kind)
            case _:
                return self._plain(value, kind)

    def quantized_alike(self, values: Sequence[str]) -> list[str]:
        """Every value by the same quantizer, as those have one who want to join them."""
        graph, choices = self.graph, self.choices
        scale, bits = graph.constant(self.numbers.positive()), choices.pick((2, 3, 4))
        self.borders = (0.0,)
        if self.is_qonnx:
            zero, width = graph.constant(0), graph.constant(bits)
            attributes = {"signed": choices.integer(0, 1), "narrow": 0, "rounding_mode": "ROUND"}
            return [graph.qonnx("Quant", v, scale, zero, width, **attributes) for v in values]
        if self.opset < 10:
            self.borders = (0.0, -1.0, 1.0)
            return [graph.node("Sign", value) for value in values]
        dtype = choices.pick((np.int8, np.uint8))
        parameters = scale, graph.constant(0, dtype)
        codes = [graph.node("QuantizeLinear", value, *parameters) for value in values]
        return [graph.node("DequantizeLinear", code, *parameters) for code in codes]

    def run(self, value: str) -> Array:
        """What the graph so far makes of the data."""
        shape, rank = self.data.shape[1:], 1 + len(self.space)
        model = self.graph.model(TensorProto.FLOAT, shape, value, TensorProto.FLOAT, rank)
        (found,) = OnnxReference(model).run_frames(self.data).values()
        return found

    def varies(self, value: str) -> bool:
        """Whether any two frames differ."""
        found = self.run(value)
        return bool((found != found[:1]).any())

    def _normalized(self, value: str) -> str:
        """Batch normalization to a deviation of about 1, gammas of both signs; its numbers are
        few bits long, so that the last bit of a sum changes nothing in them."""
        graph, numbers = self.graph, self.numbers
        columns: Array = np.moveaxis(self.run(value), 1, 0).reshape(self.channels, -1)
        mean, deviation = (np.asarray(f(columns, axis=1), float) for f in (np.mean, np.std))
        mean = np.round(mean * 4) / 4
        deviation = np.exp2(np.round(np.log2(np.maximum(deviation, 2.0**-6))))
        gamma = numbers.signs(self.channels) if self.choices.pick((False, True)) else np.ones(1)
        if not numbers.nice:
            mean = mean + 0.3 * deviation * numbers.floats(self.channels)
            gamma = gamma * numbers.positive(self.channels)
        parameters = (
            graph.constant(np.broadcast_to(gamma, mean.shape)),
            graph.constant(np.full(mean.shape, self.choices.pick((0.0, 0.5)))),
            graph.constant(mean),
            graph.constant(deviation**2),
        )
        epsilon = 0.0 if numbers.nice else 1e-5
        return graph.node("BatchNormalization", value, *parameters, epsilon=epsilon)

    def _can_write(self, kind: str) -> bool:
        """`Clip` took integers from opset 12 on, and one scale a channel came with 13."""
        return self.opset >= {"QDQ": 10, "QDQ and Clip": 12, "QDQ by channel": 13}[kind]

    def _quant(self, value: str, kind: str) -> str:
        graph, numbers, choices = self.graph, self.numbers, self.choices
        bits, signed = choices.pick(BITS), choices.integer(0, 1)
        scale = numbers.positive()
        if kind == "Quant by channel":
            scale = self._channel_scales().reshape(1, -1, *(1 for _ in self.space))
        zero = choices.pick((0, 0, 1, -2))
        value = graph.qonnx(
            "IntQuant" if kind == "IntQuant" else "Quant",
            value,
            graph.constant(scale),
            graph.constant(zero),
            graph.constant(bits),
            signed=signed,
            narrow=choices.integer(0, 1) if bits > 1 else 0,
            rounding_mode=choices.pick(ROUNDINGS),
        )
        if kind != "Quant and Trunc" or bits < 2:
            return value
        kept = choices.integer(1, bits - 1)
        if zero % 2 ** (bits - kept):
            # Nothing that the truncated codes stand for is 0 then.
            self.borders = ()
        widths = graph.constant(bits), graph.constant(kept)
        scales = graph.constant(scale), graph.constant(zero)
        return graph.qonnx("Trunc", value, *scales, *widths, rounding_mode="FLOOR")

    def _channel_scales(self) -> Array:
        """One scale a channel: most often the same for all, for a sum over channels of different
        scales is no multiple of an integer."""
        if self.choices.integer(0, 5) < 5:
            return np.full(self.channels, self.numbers.positive())
        self.drawn["unusual: different scales of channels"] += 1
        return self.numbers.positive(self.channels)

    def _multithreshold(self, value: str) -> str:
        rows = self.choices.pick((1, self.channels))
        layout = {0: "NC", 1: "NCW", 2: "NCHW"}[len(self.space)]
        scale, bias = self.choices.pick(((1.0, 0.0), (2.0, -1.0), (0.25, -0.5)))
        # -1, 1, 3 … is nobody's quantizer: 0, which borders hold, is no step away from them.
        count = 1 if scale == 2 else self.choices.integer(1, 7)
        # A border must be what some number of thresholds met stands for.
        self.borders = (bias, bias + scale * count)
        return self.graph.qonnx(
            "MultiThreshold",
            value,
            self.graph.constant(np.sort(2 * self.numbers.floats(rows, count), axis=1)),
            out_scale=scale,
            out_bias=bias,
            data_layout=layout,
        )

    def _qdq(self, value: str, kind: str) -> str:
        graph, numbers, choices = self.graph, self.numbers, self.choices
        dtype = choices.pick((np.int8, np.uint8))
        by_channel = kind == "QDQ by channel"
        zeros = numbers.integers(-3, 3) + (3 if dtype is np.uint8 else 0)
        scales = self._channel_scales() if by_channel else numbers.positive()
        if by_channel:
            zeros = np.full(self.channels, zeros)
        attributes = {"axis": 1} if by_channel else {}
        parameters = graph.constant(scales), graph.constant(zeros, dtype)
        value = graph.node("QuantizeLinear", value, *parameters, **attributes)
        if kind == "QDQ and Clip":
            low, high = choices.pick(((0, 3), (0, 7), (0, 1), (-2, 1), (-7, 7)))
            if dtype is np.uint8:
                low, high = 0, high - low
            if not low <= int(zeros) <= high:
                self.borders = ()
            ends = graph.constant(low, dtype), graph.constant(high, dtype)
            value = graph.node("Clip", value, *ends)
        return graph.node("DequantizeLinear", value, *parameters, **attributes)

    def _plain(self, value: str, kind: str) -> str:
        graph, choices = self.graph, self.choices
        match kind:
            case "Sign":
                self.borders = (0.0, -1.0, 1.0)
                return graph.node("Sign", value)
            case "sign of sign":
                self.borders = (0.0, -1.0, 1.0)
                half = graph.constant(choices.pick((0.5, -0.5)))
                return graph.node("Sign", graph.node("Add", graph.node("Sign", value), half))
            case "Where" | "Cast of comparison":
                return self._comparison(value, kind)
            case "DoReFa":
                levels = graph.constant(float(2 ** choices.pick(BITS) - 1))
                clipped = self.clip(value, 0, 1)
                if self.opset < 11:
                    half = graph.constant(0.5)
                    scaled = graph.node("Add", graph.node("Mul", clipped, levels), half)
                    return graph.node("Div", graph.node("Floor", scaled), levels)
                rounded = graph.node("Round", graph.node("Mul", clipped, levels))
                return graph.node("Div", rounded, levels)
            case _:
                low, high = choices.pick(((0, 3), (-2, 1), (-7, 7)))
                rounding = "Round" if self.opset >= 11 else "Floor"
                return self.clip(graph.node(rounding, value), low, high)

    def _comparison(self, value: str, kind: str) -> str:
        graph, choices = self.graph, self.choices
        comparisons = ["Greater", "Less"]
        if self.opset >= 12:
            comparisons += ["GreaterOrEqual", "LessOrEqual"]
        bound = self.by_channel(self.numbers.floats(choices.pick((1, self.channels))))
        truth = graph.node(choices.pick(tuple(comparisons)), value, bound)
        if choices.pick((False, True)):
            truth = graph.node("Not", truth)
        self.borders = (0.0, -1.0, 1.0)
        if kind == "Where":
            return graph.node("Where", truth, graph.constant(1), graph.constant(-1))
        number = graph.node("Cast", truth, to=TensorProto.FLOAT)
        doubled = graph.node("Mul", number, graph.constant(2))
        return graph.node("Sub", doubled, graph.constant(1))
