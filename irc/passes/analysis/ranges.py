"""Which integers can occur at each value of a `bnn` function, from the actual weights.

Reachability is what makes thresholds exact: a sum of K bipolar products is never of the other
parity than K, so `Sign` of an even sum plus an odd bias never sees 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact
from irc.interp.bnn import codes_to_values

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Reachable:
    """Per channel the arithmetic progression `low, low + step, …, high`, a superset of what occurs.

    The arrays are int64 of shape [C], or [1] where all channels are alike. A step is at least 1.
    """

    low: Array
    high: Array
    step: Array

    @staticmethod
    def uniform(low: int, high: int, step: int = 1) -> Reachable:
        """The same progression for every channel."""
        return Reachable(np.array([low]), np.array([high]), np.array([step]))

    @staticmethod
    def of_type(element_type: Attribute) -> Reachable:
        """Everything that an exact type can hold."""
        low, high = element_range(element_type)
        return Reachable.uniform(low, high, 2 if isinstance(element_type, BipolarType) else 1)

    @property
    def channels(self) -> int:
        """How many progressions are stored: C, or 1 for all channels alike."""
        return len(self.low)

    def merged(self) -> Reachable:
        """One progression that contains those of all channels."""
        if self.channels == 1:
            return self
        step = np.gcd.reduce(np.concatenate([self.step, self.low - self.low[0]]))
        low, high = int(self.low.min()), int(self.high.max())
        return Reachable.uniform(low, high, max(1, int(step)))

    def expanded(self, channels: int) -> Reachable:
        """The same with one entry a channel."""
        return Reachable(
            *(np.broadcast_to(a, (channels,)) for a in (self.low, self.high, self.step))
        )

    def flipped(self, where: Array) -> Reachable:
        """The progressions of −x in the channels of the mask `where`."""
        full = self.expanded(len(where))
        low = np.where(where, -full.high, full.low)
        return Reachable(low, np.where(where, -full.low, full.high), full.step)


def linear_range(weights: DenseAttr, source: Reachable) -> Reachable:
    """Reachable sums of `bnn.linear`: interval arithmetic on bounds, gcd on steps.

    A constant input (low = high) adds nothing to the step, for it never moves.
    """
    values = weights.numpy()
    moves = np.where(source.low == source.high, 0, source.step)
    if source.channels == 1 and isinstance(weights.element_type, BipolarType):
        positive = np.count_nonzero(values > 0, axis=1).astype(np.int64)
        negative = values.shape[1] - positive
        low = positive * source.low - negative * source.high
        high = positive * source.high - negative * source.low
        return Reachable(low, high, np.full(len(low), max(1, int(moves[0]))))
    wide = values.astype(np.int64)
    positive, negative = np.maximum(wide, 0), np.minimum(wide, 0)
    full = source.expanded(wide.shape[1])
    low = positive @ full.low + negative @ full.high
    high = positive @ full.high + negative @ full.low
    step = np.gcd.reduce(np.abs(wide * np.broadcast_to(moves, full.step.shape)), axis=1)
    return Reachable(low, high, np.maximum(step, 1))


def threshold_range(op: bnn.ThresholdOp, source: Reachable) -> Reachable:
    """Values that `bnn.threshold` can give: all partial sums of its steps in threshold order."""
    thresholds = op.thresholds.numpy().astype(np.int64)
    steps = np.ones_like(thresholds) if op.steps is None else op.steps.numpy().astype(np.int64)
    channels = max(source.channels, len(thresholds))
    full = source.expanded(channels)
    thresholds = np.broadcast_to(thresholds, (channels, thresholds.shape[1]))
    steps = np.broadcast_to(steps, thresholds.shape)
    order = np.argsort(thresholds, axis=1, kind="stable")
    thresholds = np.take_along_axis(thresholds, order, axis=1)
    partial: Array = np.cumsum(np.take_along_axis(steps, order, axis=1), axis=1)
    sums: Array = np.concatenate([np.zeros((channels, 1), np.int64), partial], axis=1)
    first = np.count_nonzero(thresholds <= full.low[:, None], axis=1)
    last = np.count_nonzero(thresholds <= full.high[:, None], axis=1)
    index = np.indices(sums.shape)[1]
    seen = np.logical_and(index >= first[:, None], index <= last[:, None])
    low = np.where(seen, sums, np.iinfo(np.int64).max).min(axis=1) + op.bias.value.data
    high = np.where(seen, sums, np.iinfo(np.int64).min).max(axis=1) + op.bias.value.data
    element_type = bnn.frame_type(op.output).element_type
    low = codes_to_values(low, element_type).astype(np.int64)
    high = codes_to_values(high, element_type).astype(np.int64)
    return Reachable(low, high, np.full(channels, Reachable.of_type(element_type).step[0]))


class RangeAnalysis:
    """Reachable sets of the exact values of one function, computed once, on demand."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, Reachable] = {}

    def analyse(self, function: FuncOp) -> None:
        """Visit the whole function in order, so that no later question recurses deeply."""
        for argument in function.body.block.args:
            self.of(argument)
        for op in function.body.block.ops:
            for result in op.results:
                self.of(result)

    def of(self, value: SSAValue) -> Reachable | None:
        """The reachable set of `value`; `None` for floats."""
        if value not in self._known:
            found = self._compute(value)
            if found is None:
                return None
            self._known[value] = found
        return self._known[value]

    def _compute(self, value: SSAValue) -> Reachable | None:
        element_type = getattr(value.type, "element_type", None)
        if not isinstance(element_type, Attribute) or not is_exact(element_type):
            return None
        match value.owner:
            case bnn.LinearOp() as op if (source := self.of(op.input)) is not None:
                return linear_range(op.weights, source)
            case bnn.ThresholdOp() as op if (source := self.of(op.input)) is not None:
                return threshold_range(op, source)
            case bnn.ReshapeOp() as op if (source := self.of(op.input)) is not None:
                kept = bnn.frame_type(op.input).get_shape()[-1:]
                same_axis = kept == bnn.frame_type(op.output).get_shape()[-1:]
                return source if same_axis else source.merged()
            case bnn.TransposeOp() as op if (source := self.of(op.input)) is not None:
                return source.merged()
            case bnn.QuantizeOp() as op:
                low, high = op.bounds
                return Reachable.uniform(low, high, 2 if op.rounding.data == "bipolar" else 1)
            case _:
                return Reachable.of_type(element_type)
