"""Thresholds in hardware: comparators, and the sum of their steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import element_range
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.lookup_logic import count_ordered
from irc.passes.hardware.units.numbers import Number, bits_for, fit, popcount, times, total
from irc.passes.hardware.units.tables import ChannelTable

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparisons:
    """`code = bias + Σ_i steps[c, i] · [x >= at[c, i]]` for x from `low` to `high`.

    Thresholds lie from `low`, always reached, to `high + 1`, never reached; columns in which
    every channel is the one or the other are gone, unless others may be loaded. `step_ends` are the
    smallest and largest step that can be loaded, where steps are loaded too.
    """

    at: Array
    steps: Array
    bias: int
    low: int
    high: int
    loadable: bool = False
    step_ends: tuple[int, int] | None = None

    @staticmethod
    def of(
        op: dataflow.MvuOp | dataflow.ThresholdOp,
        low: int,
        high: int,
        scale: int = 1,
        offset: Array | int = 0,
    ) -> Comparisons:
        """The thresholds of `op` on a number x from `low` to `high` that stands for the value
        `scale·x − offset`: `scale·x − offset >= t = (x >= ceil((t + offset) / scale))`."""
        assert op.thresholds is not None
        at = op.thresholds.numpy().astype(np.int64)
        steps = np.ones_like(at) if op.steps is None else op.steps.numpy().astype(np.int64)
        shifted = at + np.asarray(offset, np.int64).reshape(-1, 1)
        at = np.clip(-(-shifted // scale), low, high + 1)
        steps = np.broadcast_to(steps, at.shape)
        if op.steps is None and not op.is_reloadable:
            at = np.sort(at, axis=1)
        if op.is_reloadable:
            lowest, highest = element_range(dataflow.stream_type(op.output).element_type)
            span = highest - lowest
            ends = None if op.steps is None else (-span, span)
            return Comparisons(at, steps, op.bias, low, high, loadable=True, step_ends=ends)
        bias, kept = op.bias, list[int]()
        for column in range(at.shape[1]):
            step = steps[:, column]
            if bool((at[:, column] <= low).all()) and bool((step == step[0]).all()):
                bias += int(step[0])
            elif bool((at[:, column] <= high).any()):
                kept.append(column)
        return Comparisons(at[:, kept], steps[:, kept], bias, low, high)

    @property
    def width(self) -> int:
        """Bits in which the number and its thresholds are compared."""
        largest = self.high + 1 if self.loadable else int(self.at.max(initial=self.high))
        return bits_for(self.low, max(self.high, largest))

    @property
    def is_ordered(self) -> bool:
        """Whether a threshold is reached only if all before it are."""
        return not self.loadable and bool((np.diff(self.at, axis=1) >= 0).all())

    def fixed_step(self, index: int) -> int | None:
        """The step of a column where all channels share it."""
        if self.step_ends is not None:
            return None
        column = self.steps[:, index]
        return int(column[0]) if bool((column == column[0]).all()) else None

    def add_to(self, table: ChannelTable, *, with_thresholds: bool = True) -> None:
        """Put the thresholds, and the steps that differ between channels, into a table."""
        for index in range(self.at.shape[1]):
            if with_thresholds:
                table.add(f"at{index}", self.at[:, index], self.width)
            if self.fixed_step(index) is None:
                table.add(f"step{index}", self.steps[:, index], bits_for(*self._ends(index)))

    def _ends(self, index: int) -> tuple[int, int]:
        """The smallest and the largest step of a column."""
        if self.step_ends is not None:
            return self.step_ends
        column = self.steps[:, index]
        return int(column.min()), int(column.max())

    def emit(
        self,
        b: HwBuilder,
        x: Number,
        table: ChannelTable,
        word: SSAValue | None,
        lane: int,
        reached: SSAValue | None = None,
        held: Callable[[SSAValue], SSAValue] = lambda value: value,
    ) -> Number:
        """The code of the channel that is in `lane` now; `reached` says whether x has reached the
        only threshold there is, where that is known already. What comparisons say passes `held`,
        such as a register."""
        wide = fit(b, x, self.width) if reached is None else x.value
        by_step: dict[int, list[SSAValue]] = {}
        terms: list[Number] = []
        for index in range(self.at.shape[1]):
            known = reached
            if known is None:
                known = self._reached(b, wide, table, word, index, lane)
            step = self.fixed_step(index)
            if step is not None:
                by_step.setdefault(step, []).append(held(known))
            else:
                masked = self._masked_step(b, known, table, word, index, lane)
                terms.append(replace(masked, value=held(masked.value)))
        for step, bits in by_step.items():
            if step:
                terms.append(times(b, self._count(b, bits), step))
        return with_bias(b, terms, self.bias)

    def _count(self, b: HwBuilder, bits: Sequence[SSAValue]) -> Number:
        """How many thresholds of a step are reached."""
        if self.is_ordered:
            return Number(count_ordered(b, bits), 0, len(bits))
        return popcount(b, b.concat(*reversed(bits)))

    def _reached(
        self,
        b: HwBuilder,
        wide: SSAValue,
        table: ChannelTable,
        word: SSAValue | None,
        index: int,
        lane: int,
    ) -> SSAValue:
        constant = table.constant(f"at{index}", lane)
        if constant is not None and not self.low < constant <= self.high:
            return b.const(int(constant <= self.low), 1)
        threshold = table.signal(b, word, f"at{index}", lane)
        return b.sge(wide, threshold) if self.low < 0 else b.uge(wide, threshold)

    def _masked_step(
        self,
        b: HwBuilder,
        reached: SSAValue,
        table: ChannelTable,
        word: SSAValue | None,
        index: int,
        lane: int,
    ) -> Number:
        low, high = self._ends(index)
        value = b.mux(reached, table.signal(b, word, f"step{index}", lane), 0)
        return Number(value, min(low, 0), max(high, 0))


def with_bias(b: HwBuilder, terms: Sequence[Number], bias: int) -> Number:
    """The sum of terms and a constant.

    Of a number that has every value of its bits, the codes of a signed type are its bits with the
    top one flipped: `x − 2^(n−1)`, no addition.
    """
    if len(terms) == 1 and bias < 0:
        (x,) = terms
        width = b.width(x.value)
        if x.low == 0 and x.high + 1 == 1 << width == -2 * bias:
            top = b.not_(b.bit(x.value, -1))
            value = b.concat(top, b.trunc(x.value, width - 1)) if width > 1 else top
            return Number(value, bias, x.high + bias)
    if not bias and terms:
        return total(b, terms)
    return total(b, [*terms, Number(b.const(bias, bits_for(bias, bias)), bias, bias)])
