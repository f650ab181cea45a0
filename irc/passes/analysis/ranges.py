"""Which integers can occur at each value of a `bnn` function, from the actual weights.

Reachability is what makes thresholds exact: a sum of K bipolar products is never of the other
parity than K, so `Sign` of an even sum plus an odd bias never sees 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import BipolarType, DenseAttr, is_exact
from irc.passes.analysis.branch_ranges import add_range, concat_range, slice_range, upsample_range
from irc.passes.analysis.reachable import Reachable

Array = npt.NDArray[Any]

ROWS_AT_ONCE = 1 << 20
"""Weights that are widened to int64 at a time: eight bytes each must not fill the memory."""


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
        # What a value follows from comes first, on a stack of our own: a recursion would be as deep
        # as the network.
        pending = [value]
        while pending:
            missing = [source for source in _sources(pending[-1]) if source not in self._known]
            if missing:
                pending += missing
                continue
            waiting = pending.pop()
            if waiting not in self._known:
                self._known[waiting] = self._compute(waiting)
        return self._known[value]

    def sums(self, op: bnn.LinearOp | bnn.ConvOp, source: Reachable) -> Reachable:
        """Reachable sums of an operation with weights."""
        if isinstance(op, bnn.ConvOp):
            return conv_range(op, source)
        return linear_range(op.weights, source)

    def _compute(self, value: SSAValue) -> Reachable:
        sources = [self._known[source] for source in _sources(value)]
        known = sources[0] if sources else None
        match value.owner:
            case bnn.LinearOp() | bnn.ConvOp() as op if known is not None:
                return self.sums(op, known)
            case bnn.ThresholdOp() as op if known is not None:
                return threshold_range(op, known)
            case bnn.ReshapeOp() as op if known is not None:
                kept = bnn.frame_type(op.input).get_shape()[-1:]
                same_axis = kept == bnn.frame_type(op.output).get_shape()[-1:]
                return known if same_axis else known.merged()
            case bnn.TransposeOp() as op if known is not None:
                same_axis = op.axes[-1:] == (len(op.axes) - 1,)
                return known if same_axis else known.merged()
            case bnn.MaxPoolOp() if known is not None:
                return known
            case bnn.SumPoolOp() as op if known is not None:
                size = op.window_size
                return Reachable(known.low * size, known.high * size, known.step)
            case bnn.PadOp() as op if known is not None:
                border = int(op.pad_value)
                return known.united(Reachable.uniform(border, border))
            case bnn.AddOp() as op if sources:
                return add_range(op, *sources)
            case bnn.ConcatOp() as op if sources:
                return concat_range(op, sources)
            case bnn.SliceOp() as op if known is not None:
                return slice_range(op, known)
            case bnn.UpsampleOp() as op if known is not None:
                return upsample_range(op, known)
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


def _sources(value: SSAValue) -> tuple[SSAValue, ...]:
    """The exact operands from whose ranges that of `value` follows."""
    op = value.owner
    if not isinstance(op, _FOLLOWED):
        return ()
    return tuple(op.operands) if all(map(_is_exact, op.operands)) else ()


_FOLLOWED = (
    bnn.LinearOp,
    bnn.ThresholdOp,
    bnn.ReshapeOp,
    bnn.TransposeOp,
    bnn.ConvOp,
    bnn.PadOp,
    bnn.MaxPoolOp,
    bnn.SumPoolOp,
    bnn.AddOp,
    bnn.ConcatOp,
    bnn.SliceOp,
    bnn.UpsampleOp,
)
"""Operations from the ranges of whose operands that of the result follows."""
