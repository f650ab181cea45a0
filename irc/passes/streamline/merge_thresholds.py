"""Merge thresholds that read thresholds, and drop those that change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.interp.bnn import apply_thresholds, codes_to_values
from irc.passes.analysis.margin import Ambiguity
from irc.passes.analysis.ranges import RangeAnalysis, Reachable
from irc.passes.rewriting import functions_of
from irc.passes.streamline.fold_thresholds import margin_of
from irc.passes.streamline.step_functions import (
    compact,
    pieces,
    reachable_by_row,
    replace_by_steps,
    spread,
)
from irc.passes.streamline.threshold_sums import merge_sum
from irc.rejections import named, reject, shared

Array = npt.NDArray[Any]

MAX_LOOKUPS = 1 << 22
"""Most integers at which a threshold is compared with the identity."""


@dataclass(frozen=True)
class MergeThresholds(ModulePass):
    """Make one threshold of two: g(f(x)) steps where f does, p·f(x) + q·g(x) where either does;
    drop those with f(x) = x.

    Quantizers one behind another come from models that quantize the input that a declaration has
    quantized already, that quantize before and after a pool, or that clip integers; sums from
    ternary quantizers made of two signs.
    """

    name = "merge-thresholds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            _merge_function(function)


def _merge_function(function: FuncOp) -> None:
    analysis = RangeAnalysis()
    # Before thresholds that change nothing are gone: in a sum they are worth having.
    for op in list(function.body.block.ops):
        if isinstance(op, bnn.AddOp):
            merge_sum(op, analysis)
    for op in list(function.body.block.ops):
        if isinstance(op, bnn.AddOp):
            merge_sum(op, analysis)
        if not isinstance(op, bnn.ThresholdOp):
            continue
        inner = op.input.owner
        if isinstance(inner, bnn.ThresholdOp) and op.input.has_one_use():
            op = _merged(inner, op, analysis)
        elif isinstance(inner, bnn.ThresholdOp):
            reject(op, "merge with the quantizer before", _why_two(inner, op))
        if _is_identity(op, analysis):
            Rewriter.replace_op(op, [], [op.input])


def _why_two(inner: bnn.ThresholdOp, op: bnn.ThresholdOp) -> Callable[[], str]:
    return lambda: f"{named(inner)} {shared(op.input, op)}"


def _is_identity(op: bnn.ThresholdOp, analysis: RangeAnalysis) -> bool:
    """Whether the operand, in its own type, is what every reachable integer becomes."""
    if op.input.type != op.output.type or margin_of(op):
        return False
    source = analysis.of(op.input)
    assert source is not None
    reachable = source.merged()
    low, high, step = (int(a[0]) for a in (reachable.low, reachable.high, reachable.step))
    rows = op.thresholds.shape[0]
    if (high - low) // step * rows >= MAX_LOOKUPS:
        return False
    integers = np.repeat(np.arange(low, high + 1, step)[:, None], rows, axis=1)
    return bool((_values(op, integers) == integers).all())


def _values(op: bnn.ThresholdOp, x: Array) -> Array:
    """The results for integers [n, C]."""
    steps = None if op.steps is None else op.steps.numpy()
    codes = apply_thresholds(x, op.thresholds.numpy(), steps, op.bias.value.data)
    return codes_to_values(codes, bnn.frame_type(op.output).element_type)


def _merged(
    inner: bnn.ThresholdOp, outer: bnn.ThresholdOp, analysis: RangeAnalysis
) -> bnn.ThresholdOp:
    """Replace `outer`, whose operand is `inner`, by one operation on the operand of `inner`."""
    rows = max(inner.thresholds.shape[0], outer.thresholds.shape[0])
    full = reachable_by_row(analysis, inner.input, rows)
    at, between, seen = pieces(inner, full)
    codes = _codes(outer, between)
    steps = compact(at, codes, seen, full)
    margins = margin_of(inner), margin_of(outer)
    found = None
    if margins[0] is not None and margins[1] is not None:
        found = spread(margins[0], inner, len(at)) + _carried(margins[1], outer, at, between, full)
    return replace_by_steps(outer, [inner], inner.input, steps, found)


def _codes(op: bnn.ThresholdOp, values: Array) -> Array:
    """The codes for values [C, n], channel by channel."""
    steps = None if op.steps is None else op.steps.numpy()
    return apply_thresholds(values.T, op.thresholds.numpy(), steps, op.bias.value.data).T


def _carried(
    margin: list[Ambiguity], op: bnn.ThresholdOp, at: Array, between: Array, full: Reachable
) -> list[Ambiguity]:
    """The integers that become one of those in the margin of the outer thresholds."""
    found: list[Ambiguity] = []
    for channel, first, last in spread(margin, op, len(at)):
        low, high = int(full.low[channel]), int(full.high[channel])
        starts = [low, *at[channel].tolist()]
        ends = [*(at[channel] - 1).tolist(), high]
        for value, start, end in zip(between[channel], starts, ends, strict=True):
            if first <= value <= last and max(start, low) <= min(end, high):
                found.append(Ambiguity(channel, max(start, low), min(end, high)))
    return found
