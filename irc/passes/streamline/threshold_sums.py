"""Sums of thresholds of one value, as thresholds: step functions add up to a step function."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import bnn
from irc.passes.analysis.ranges import RangeAnalysis, Reachable, visible_codes
from irc.passes.streamline.fold_thresholds import margin_of
from irc.passes.streamline.step_functions import (
    compact,
    pieces,
    reachable_by_row,
    replace_by_steps,
    spread,
)

Array = npt.NDArray[Any]

MAX_STEPS = 1 << 10
"""Most thresholds that two become together."""


def merge_sum(op: bnn.AddOp, analysis: RangeAnalysis) -> bool:
    """`p·f(x) + q·g(x)`, f and g thresholds that nothing else reads, steps where f or g does.

    Returns whether `op` was replaced by such thresholds.
    """
    first, second = op.lhs.owner, op.rhs.owner
    if not isinstance(first, bnn.ThresholdOp) or not isinstance(second, bnn.ThresholdOp):
        return False
    both = list(dict.fromkeys((first, second)))
    if first.input is not second.input or any(
        use.operation is not op for each in both for use in each.output.uses
    ):
        return False
    if sum(each.thresholds.shape[1] for each in both) > MAX_STEPS:
        return False
    p, q = np.ones((2, 1), np.int64) if op.multipliers is None else op.multipliers.numpy()
    rows = max(first.thresholds.shape[0], second.thresholds.shape[0], len(p))
    full = reachable_by_row(analysis, first.input, rows)
    at, values, seen = _summed(first, second, p.astype(np.int64), q.astype(np.int64), full)
    steps = compact(at, values, seen, full, most=MAX_STEPS)
    margins = margin_of(first), margin_of(second)
    found = None
    if margins[0] is not None and margins[1] is not None:
        found = spread(margins[0], first, len(at)) + spread(margins[1], second, len(at))
    replace_by_steps(op, both, first.input, steps, found)
    return True


def _summed(
    first: bnn.ThresholdOp, second: bnn.ThresholdOp, p: Array, q: Array, full: Reachable
) -> tuple[Array, Array, Array]:
    """Where each channel's sum changes [C, T], what it is before, between and behind [C, T + 1],
    and what of that occurs."""
    at: list[Array] = []
    jumps: list[Array] = []
    start = np.zeros((len(full.low), 1), np.int64)
    for op, factor in ((first, p), (second, q)):
        places, values, _ = pieces(op, full)
        scaled = factor[:, None] * values.astype(np.int64)
        at.append(places)
        jumps.append(np.diff(scaled, axis=1))
        start = start + scaled[:, :1]
    places, codes, seen = visible_codes(
        np.concatenate(at, axis=1), np.concatenate(jumps, axis=1), 0, full
    )
    return places, codes + start, seen
