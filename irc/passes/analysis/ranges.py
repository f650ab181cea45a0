"""Which integers can occur at each value of a `bnn` function, from the actual weights.

Reachability is what makes thresholds exact: a sum of K bipolar products is never of the other
parity than K, so `Sign` of an even sum plus an odd bias never sees 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact

Array = npt.NDArray[Any]

ROWS_AT_ONCE = 1 << 20
"""Weights that are widened to int64 at a time: eight bytes each must not fill the memory."""


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

    @property
    def moves(self) -> Array:
        """The steps, 0 in the channels that hold one integer only."""
        return np.where(self.low == self.high, 0, self.step)

    @property
    def largest(self) -> int:
        """The largest magnitude in any channel."""
        return max(abs(int(self.low.min())), abs(int(self.high.max())))

    def merged(self) -> Reachable:
        """One progression that contains those of all channels."""
        if self.channels == 1:
            return self
        step = np.gcd.reduce(np.concatenate([self.moves, self.low - self.low[0]]))
        low, high = int(self.low.min()), int(self.high.max())
        return Reachable.uniform(low, high, max(1, int(step)))

    def expanded(self, channels: int) -> Reachable:
        """The same with one entry a channel."""
        return Reachable(
            *(np.broadcast_to(a, (channels,)) for a in (self.low, self.high, self.step))
        )

    def compact(self) -> Reachable:
        """The same, stored once where all channels are alike."""
        arrays = (self.low, self.high, self.step)
        alike = self.channels > 1 and all(bool((a == a[0]).all()) for a in arrays)
        return Reachable(*(a[:1] for a in arrays)) if alike else self

    def flipped(self, where: Array) -> Reachable:
        """The progressions of −x in the channels of the mask `where`."""
        full = self.expanded(len(where))
        low = np.where(where, -full.high, full.low)
        return Reachable(low, np.where(where, -full.low, full.high), full.step)

    def with_zero(self) -> Reachable:
        """The progressions and 0, and all that lies between."""
        return Reachable(np.minimum(self.low, 0), np.maximum(self.high, 0), self.step)


def row_blocks(values: Array) -> Iterator[Array]:
    """A matrix as int64, a block of rows at a time."""
    rows = max(1, ROWS_AT_ONCE // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        yield values[start : start + rows].astype(np.int64)


def linear_range(weights: DenseAttr, source: Reachable) -> Reachable:
    """Reachable sums of `bnn.linear`: interval arithmetic on bounds, gcd on steps.

    A constant input (low = high) adds nothing to the step, for it never moves.
    """
    if source.channels == 1:
        positive, negative = signed_sums(weights)
        low = positive * source.low - negative * source.high
        high = positive * source.high - negative * source.low
        step = int(source.moves[0]) * _row_gcds(weights)
        return Reachable(low, high, np.maximum(step, 1))
    full = source.expanded(weights.shape[1])
    lows: list[Array] = []
    highs: list[Array] = []
    steps: list[Array] = []
    for block in row_blocks(weights.numpy()):
        positive, negative = np.maximum(block, 0), np.minimum(block, 0)
        lows.append(positive @ full.low + negative @ full.high)
        highs.append(positive @ full.high + negative @ full.low)
        steps.append(np.gcd.reduce(block * full.moves, axis=1))
    low, high, step = (
        np.concatenate([np.zeros(0, np.int64), *parts]) for parts in (lows, highs, steps)
    )
    return Reachable(low, high, np.maximum(np.abs(step), 1))


def signed_sums(weights: DenseAttr) -> tuple[Array, Array]:
    """Per row the sum of the positive weights, and the magnitude of that of the negative ones."""
    values = weights.numpy()
    if isinstance(weights.element_type, BipolarType):
        positive = np.count_nonzero(values > 0, axis=1).astype(np.int64)
        return positive, values.shape[1] - positive
    positive = np.maximum(values, 0).sum(axis=1, dtype=np.int64)
    return positive, positive - values.sum(axis=1, dtype=np.int64)


def _row_gcds(weights: DenseAttr) -> Array:
    """The greatest common divisor of each row of weights; 0 for a row of zeros."""
    if isinstance(weights.element_type, BipolarType):
        return np.ones(weights.shape[0], np.int64)
    values = weights.numpy()
    found = np.ones(len(values), np.int64)
    # Most rows have a weight of 1 or -1, which settles it.
    rest = np.flatnonzero(~((values == 1) | (values == -1)).any(axis=1))
    found[rest] = [np.abs(np.gcd.reduce(values[row].astype(np.int64))) for row in rest]
    return found


def conv_range(op: bnn.ConvOp, source: Reachable) -> Reachable:
    """Reachable sums of `bnn.conv`: those of a linear operation on any window."""
    rows = op.weights.shape[0]
    if source.channels > 1 and op.groups == 1:
        positions = int(np.prod(op.kernel, dtype=np.int64))
        arrays = (source.low, source.high, source.step)
        source = Reachable(*(np.tile(a, positions) for a in arrays))
    else:
        source = source.merged()
    columns = op.weights.size // max(1, rows)
    flat = TensorType(op.weights.element_type, [rows, columns])
    return linear_range(DenseAttr(flat, op.weights.data), source)


def visible_codes(
    thresholds: Array, steps: Array, bias: int, source: Reachable
) -> tuple[Array, Array, Array]:
    """What a sum of steps can give: `bias + Σ_i steps[c, i] · [x >= thresholds[c, i]]`.

    Returns the thresholds in order [C, T], the codes before the first and from each on
    [C, T + 1], and which of these some reachable x has: thresholds without a reachable integer
    between them are passed together, and those outside the range never or always.
    """
    order = np.argsort(thresholds, axis=1, kind="stable")
    at = np.take_along_axis(thresholds, order, axis=1)
    partial = np.cumsum(np.take_along_axis(steps, order, axis=1), axis=1)
    codes = bias + np.concatenate([np.zeros((len(at), 1), np.int64), partial], axis=1)
    low, high = source.low[:, None], source.high[:, None]
    begins = np.concatenate([low, np.maximum(at, low)], axis=1)
    ends = np.concatenate([np.minimum(at - 1, high), high], axis=1)
    first = low + -((low - begins) // source.step[:, None]) * source.step[:, None]
    return at, codes, first <= ends


def threshold_range(op: bnn.ThresholdOp, source: Reachable) -> Reachable:
    """Values that `bnn.threshold` can give, from the codes that occur between its thresholds."""
    thresholds = op.thresholds.numpy().astype(np.int64)
    steps = np.ones_like(thresholds) if op.steps is None else op.steps.numpy().astype(np.int64)
    channels = max(source.channels, len(thresholds))
    shape = (channels, thresholds.shape[1])
    _, codes, seen = visible_codes(
        np.broadcast_to(thresholds, shape),
        np.broadcast_to(steps, shape),
        op.bias.value.data,
        source.expanded(channels),
    )
    if isinstance(bnn.frame_type(op.output).element_type, BipolarType):
        codes = 2 * codes - 1
    low = np.where(seen, codes, np.iinfo(np.int64).max).min(axis=1)
    high = np.where(seen, codes, np.iinfo(np.int64).min).max(axis=1)
    step = np.gcd.reduce(np.where(seen, codes - low[:, None], 0), axis=1)
    return Reachable(low, high, np.maximum(step, 1)).compact()


class RangeAnalysis:
    """Reachable sets of the exact values of one function, computed once, on demand."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, Reachable] = {}

    def of(self, value: SSAValue) -> Reachable | None:
        """The reachable set of `value`; `None` for floats."""
        if not _is_exact(value):
            return None
        # Upwards to what is known, then down again: a recursion would be as deep as the network.
        pending = [value]
        while pending[-1] not in self._known:
            source = _source(pending[-1])
            if source is None:
                break
            pending.append(source)
        for waiting in reversed(pending):
            if waiting not in self._known:
                self._known[waiting] = self._compute(waiting)
        return self._known[value]

    def _compute(self, value: SSAValue) -> Reachable:
        source = _source(value)
        known = None if source is None else self._known[source]
        match value.owner:
            case bnn.LinearOp() as op if known is not None:
                return linear_range(op.weights, known)
            case bnn.ThresholdOp() as op if known is not None:
                return threshold_range(op, known)
            case bnn.ReshapeOp() as op if known is not None:
                kept = bnn.frame_type(op.input).get_shape()[-1:]
                same_axis = kept == bnn.frame_type(op.output).get_shape()[-1:]
                return known if same_axis else known.merged()
            case bnn.TransposeOp() as op if known is not None:
                same_axis = op.axes[-1:] == (len(op.axes) - 1,)
                return known if same_axis else known.merged()
            case bnn.ConvOp() as op if known is not None:
                return conv_range(op, known)
            case bnn.MaxPoolOp() if known is not None:
                return known
            case bnn.SumPoolOp() as op if known is not None:
                size = op.window_size
                return Reachable(known.low * size, known.high * size, known.step)
            case bnn.PadOp() as op if known is not None:
                border = int(op.pad_value)
                low, high = np.minimum(known.low, border), np.maximum(known.high, border)
                step = np.gcd(known.moves, known.low - border)
                return Reachable(low, high, np.maximum(step, 1))
            case bnn.FloatThresholdOp() as op:
                return Reachable.uniform(*op.bounds)
            case bnn.QuantizeOp() as op:
                low, high = op.bounds
                return Reachable.uniform(low, high, 2 if op.rounding.data in bnn.SIGNS else 1)
            case _:
                return Reachable.of_type(bnn.frame_type(value).element_type)


def _is_exact(value: SSAValue) -> bool:
    element_type = getattr(value.type, "element_type", None)
    return isinstance(element_type, Attribute) and is_exact(element_type)


def _source(value: SSAValue) -> SSAValue | None:
    """The exact operand from whose range that of `value` follows."""
    op = value.owner
    if not isinstance(op, _FOLLOWED):
        return None
    return op.input if _is_exact(op.input) else None


_FOLLOWED = (
    bnn.LinearOp,
    bnn.ThresholdOp,
    bnn.ReshapeOp,
    bnn.TransposeOp,
    bnn.ConvOp,
    bnn.PadOp,
    bnn.MaxPoolOp,
    bnn.SumPoolOp,
)
"""Operations with one operand, from whose range that of the result follows."""
