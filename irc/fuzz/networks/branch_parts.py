"""Where a network branches: residual sums, concatenations, splits, and changes of resolution."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from irc.fuzz.networks.layer_parts import LayerParts

SHORTCUTS = (
    "identity", "one scale", "quantized again", "1×1 convolution", "twice the same", "difference",
)  # fmt: skip
CONCATS = ("quantized alike", "quantized behind", "quantized each")


@dataclass
class BranchParts(LayerParts):
    """Adds parts in which a value has several readers; each ends in a quantizer."""

    def _state(self) -> tuple[int, tuple[int, ...]]:
        return self.channels, self.space

    def _return_to(self, state: tuple[int, tuple[int, ...]]) -> None:
        self.channels, self.space = state

    def residual(self, value: str) -> str:
        """`quantize(tail(body(x) + shortcut(x)))`, the body quantized at its end or not."""
        kind = self.draw("residual", SHORTCUTS)
        graph, pick = self.graph, self.choices.pick
        if kind == "twice the same":
            return self.any_quantizer(self.any_tails(graph.node("Add", value, value), 1))
        start = self._state()
        grows = kind == "1×1 convolution"
        rows = self.choices.integer(1, 5) if grows else self.channels
        stride = pick((1, 2)) if grows else 1
        body = self.same(value, rows, stride)
        if pick((False, True)):
            body = self.same(self.any_quantizer(self.any_tails(body, 1)), rows)
        end = self._state()
        # Most networks quantize both sides; sums of two unquantized convolutions are rare.
        if kind == "one scale":
            self._return_to(end)
            body, shortcut = self.quantized_alike((self.any_tails(body, 1), value))
            joined = graph.node("Add", body, shortcut)
            return self.any_quantizer(self.any_tails(joined, 2))
        if grows or pick((True, True, False)):
            body = self.any_quantizer(self.any_tails(body, 1))
        else:
            self.drawn["residual: sums and quantized values"] += 1
        self._return_to(start)
        shortcut = value
        if grows:
            shortcut = self.any_quantizer(
                self.any_tails(self.same(value, rows, stride, extent=1), 1)
            )
        elif kind == "quantized again":
            shortcut = self.any_quantizer(value)
        self._return_to(end)
        operands = (body, shortcut) if pick((False, True)) else (shortcut, body)
        joined = graph.node("Sub" if kind == "difference" else "Add", *operands)
        return self.any_quantizer(self.any_tails(joined, 2))

    def concatenated(self, value: str) -> str:
        """Two or three branches side by side."""
        start = self._state()
        parts: list[str] = []
        channels = 0
        for index in range(self.choices.integer(2, 3)):
            self._return_to(start)
            part = value
            if index or self.choices.pick((False, True)):
                part = self.any_tails(self.same(part, self.choices.integer(1, 4)), 1)
            channels += self.channels
            parts.append(part)
        self.channels = channels
        return self.joined(parts)

    def joined(self, parts: list[str]) -> str:
        """`Concat` of branches, quantized alike before, or all together behind it.

        Where each has a scale of its own, and nothing follows, sums over them are no integers.
        """
        kind = self.draw("concat", (*5 * CONCATS[:2], *CONCATS))
        if kind == "quantized alike":
            parts = self.quantized_alike(parts)
        elif kind == "quantized each":
            parts = [self.quantized_alike([part])[0] for part in parts]
        self.borders = (0.0,)
        value = self.graph.node("Concat", *parts, axis=1)
        return self.any_quantizer(self.any_tails(value, 1)) if kind == CONCATS[1] else value

    def split(self, value: str) -> str:
        """Channels in two parts, which meet again behind a layer of their own."""
        if self.channels < 2:
            return self.concatenated(value)
        ways: list[Callable[[str, int], list[str]]] = [self._split, self._sliced]
        first = self.choices.integer(1, self.channels - 1)
        if self.channels % 2 == 0 and self.choices.pick((False, True)):
            first = self.channels // 2
        rest = self.channels - first
        parts = self.choices.pick(ways)(value, first)
        self.drawn["split"] += 1
        # A stage of ShuffleNet leaves one part alone; others treat both.
        state = self._state()
        self.channels = first
        left = parts[0]
        if self.choices.pick((False, True)):
            left = self.any_tails(self.same(left, self.choices.integer(1, 3)), 1)
        left_channels = self.channels
        self._return_to(state)
        self.channels = rest
        right = self.any_tails(self.same(parts[1], rest), 1)
        if left_channels == rest and self.choices.pick((False, True)):
            self.drawn["split: added"] += 1
            left, right = self.quantized_alike((left, right))
            return self.any_quantizer(self.graph.node("Add", left, right))
        self.channels = left_channels + rest
        return self.joined([left, right])

    def _split(self, value: str, first: int) -> list[str]:
        sizes = [first, self.channels - first]
        self.drawn["split: Split"] += 1
        if self.opset < 13:
            return self.graph.outputs(2, "Split", value, axis=1, split=sizes)
        constant = self.graph.constant(sizes, np.int64)
        return self.graph.outputs(2, "Split", value, constant, axis=1)

    def _sliced(self, value: str, first: int) -> list[str]:
        graph = self.graph
        self.drawn["split: Slice"] += 1
        ends = ((0, first), (first, self.channels))
        if self.opset < 10:
            return [graph.node("Slice", value, axes=[1], starts=[a], ends=[b]) for a, b in ends]
        axes = graph.constant([1], np.int64)
        return [
            graph.node(
                "Slice", value, graph.constant([a], np.int64), graph.constant([b], np.int64), axes
            )
            for a, b in ends
        ]

    def upsampled(self, value: str) -> str:
        """The nearest neighbour, two or three times as many pixels along some axes."""
        factors = [self.choices.pick((2, 1, 3) if size < 4 else (1, 2)) for size in self.space]
        self.drawn["upsample"] += 1
        return self._resized(value, factors)

    def _resized(self, value: str, factors: list[int]) -> str:
        graph = self.graph
        self.space = tuple(s * f for s, f in zip(self.space, factors, strict=True))
        scales = graph.constant([1, 1, *factors])
        if self.opset < 10:
            return graph.node("Upsample", value, scales, mode="nearest")
        if self.opset < 11:
            return graph.node("Resize", value, scales, mode="nearest")
        modes = self.choices.pick((("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")))
        inputs = [value, "" if self.opset >= 13 else graph.constant(np.zeros(0)), scales]
        return graph.node(
            "Resize",
            *inputs,
            mode="nearest",
            coordinate_transformation_mode=modes[0],
            nearest_mode=modes[1],
        )

    def skip_connection(self, value: str) -> str:
        """A step of a U-Net: half the resolution, a layer, up again, beside what came in."""
        if not self.space or any(size % 2 for size in self.space):
            return self.concatenated(value)
        self.drawn["skip connection"] += 1
        start = self._state()
        halves = [2] * len(self.space)
        down = self.graph.node("MaxPool", value, kernel_shape=halves, strides=halves)
        self.space = tuple(size // 2 for size in self.space)
        down = self.any_tails(self.same(down, self.choices.integer(1, 4)), 1)
        if self.choices.pick((False, True)):
            down = self.any_quantizer(down)
        channels = self.channels
        up = self._resized(down, halves)
        self._return_to(start)
        self.channels = start[0] + channels
        return self.joined([value, up])

    def flattened(self, value: str) -> str:
        """From […channels, …space] to [channels · space]."""
        if not self.space:
            return value
        width = self.channels * math.prod(self.space)
        self.channels, self.space = width, ()
        if self.choices.pick((False, True)):
            return self.graph.node("Reshape", value, self.graph.constant([-1, width], np.int64))
        return self.graph.node("Flatten", value, axis=1)
