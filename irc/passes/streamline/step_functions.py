"""Thresholds as the step functions that they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.locations import fused_location
from irc.interp.bnn import codes_to_values
from irc.passes.analysis.margin import Ambiguity
from irc.passes.analysis.ranges import RangeAnalysis, Reachable, visible_codes
from irc.passes.analysis.threshold_search import Steps, trimmed
from irc.passes.streamline.fold_thresholds import MARGIN, margin_attribute, threshold_of

Array = npt.NDArray[Any]

MANY = 1 << 62


def reachable_by_row(analysis: RangeAnalysis, value: SSAValue, rows: int) -> Reachable:
    """What the channels of an exact value can hold, all together where one row is for all."""
    source = analysis.of(value)
    assert source is not None
    return source.expanded(max(rows, source.channels)) if rows > 1 else source.merged()


def pieces(op: bnn.ThresholdOp, full: Reachable) -> tuple[Array, Array, Array]:
    """Where each channel's value changes [C, T], its values before, between and behind
    [C, T + 1], and which of them occur."""
    channels = len(full.low)
    thresholds = op.thresholds.numpy().astype(np.int64)
    steps = np.ones_like(thresholds) if op.steps is None else op.steps.numpy().astype(np.int64)
    shape = (channels, thresholds.shape[1])
    at, codes, seen = visible_codes(
        np.broadcast_to(thresholds, shape),
        np.broadcast_to(steps, shape),
        op.bias.value.data,
        full,
    )
    return at, codes_to_values(codes, bnn.frame_type(op.output).element_type), seen


def compact(at: Array, codes: Array, seen: Array, full: Reachable, most: int = MANY) -> Steps:
    """The steps of a function that has `codes` between the thresholds `at`, as few as possible.

    Where every channel rises, a step of n is n steps of one, as the search writes them, unless
    that makes more than `most`, and more than there are in `at`.
    """
    # A code that nobody sees takes the value of the one before it, or the first that is seen.
    places = np.where(seen, np.indices(codes.shape)[1], -1)
    latest = np.maximum.accumulate(places, axis=1)
    latest = np.where(latest < 0, seen.argmax(axis=1)[:, None], latest)
    codes = np.take_along_axis(codes, latest, axis=1)
    bias = int(codes[:, 0].min())
    starts = np.concatenate([full.low[:, None], at], axis=1)
    jumps = np.diff(codes, axis=1, prepend=bias)
    rises = bool((jumps >= 0).all()) and int(jumps.sum(axis=1).max()) <= max(most, at.shape[1])
    rows: list[tuple[Array, Array]] = []
    for start, jump in zip(starts, jumps, strict=True):
        if rises:
            rows.append((np.repeat(start, jump), np.ones(int(jump.sum()), np.int64)))
        else:
            rows.append((start[jump != 0], jump[jump != 0]))
    width = max(len(row) for row, _ in rows)
    found = np.tile((full.high + full.step)[:, None], (1, width))
    steps = np.full_like(found, 1 if rises else 0)
    for channel, (start, jump) in enumerate(rows):
        found[channel, : len(start)] = start
        steps[channel, : len(jump)] = jump
    return trimmed(Steps(found, steps, bias), full)


def replace_by_steps(
    op: bnn.AddOp | bnn.ThresholdOp,
    read: Iterable[bnn.ThresholdOp],
    source: SSAValue,
    steps: Steps,
    margin: list[Ambiguity] | None,
) -> bnn.ThresholdOp:
    """Let thresholds on `source` take the place of `op` and of those that only it has `read`.

    `margin` is what float32 rounding may decide; `None` where that is unknown.
    """
    made = threshold_of(source, steps, bnn.frame_type(op.output).element_type)
    made.location = fused_location(op.location, *(each.location for each in read))
    if margin is not None:
        made.attributes[MARGIN] = margin_attribute(sorted(set(margin)))
    Rewriter.insert_op(made, InsertPoint.before(op))
    op.output.replace_all_uses_with(made.output)
    count("thresholds merged")
    for each in (op, *read):
        each.detach()
        each.erase()
    return made


def spread(margin: list[Ambiguity], op: bnn.ThresholdOp, channels: int) -> list[Ambiguity]:
    """The same for every channel, where one row of thresholds stands for all: whichever channel
    an entry of its margin names."""
    if op.thresholds.shape[0] == channels > 1:
        return margin
    intervals = dict.fromkeys((first, last) for _, first, last in margin)
    return [Ambiguity(c, first, last) for c in range(channels) for first, last in intervals]
