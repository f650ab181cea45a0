"""Recognise quantizers that a model writes with `Round`, `Floor`, `Ceil` and `Clip`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.dialects.locations import fused_location
from irc.interp.ewise import apply_ewise
from irc.passes.rewriting import apply_greedily, replace_located
from irc.rejections import reject

MAX_LEVELS = 1 << 8
"""Most values of a quantizer: more are arithmetic on integers, not quantization."""

_ROUNDINGS = {"round": "half_even", "floor": "floor", "ceil": "ceil"}

_BOUNDED = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0)}


@dataclass(frozen=True)
class Interval:
    """What a float value lies between; infinite where it is not bounded."""

    low: float
    high: float


def interval_of(value: SSAValue) -> Interval:
    """Bounds of a value from the functions that lead to it, without looking at sums."""
    chain: list[bnn.EwiseOp] = []
    found = Interval(-math.inf, math.inf)
    while isinstance(value.owner, bnn.EwiseOp) and value.owner.fn.data not in _BOUNDED:
        chain.append(value.owner)
        value = value.owner.input
    match value.owner:
        case bnn.EwiseOp() as op:
            found = Interval(*_BOUNDED[op.fn.data])
        case bnn.CastOp() as op:
            low, high = _exact_bounds(op)
            found = Interval(low, high)
        case _:
            pass
    for op in reversed(chain):
        found = interval_after(op, found)
    return found


def _exact_bounds(op: bnn.CastOp) -> tuple[float, float]:
    if isinstance(op.input.owner, bnn.QuantizeOp):
        return op.input.owner.bounds
    return element_range(bnn.frame_type(op.input).element_type)


def interval_after(op: bnn.EwiseOp, x: Interval) -> Interval:
    """Bounds of an element-wise function, by its values at the ends where it is monotone."""
    monotone = {"add", "sub", "rsub", "mul", "div", "max", "min", "neg", "relu", "prelu"}
    monotone |= {"floor", "ceil", "round", "sign"}
    if op.fn.data not in monotone:
        return Interval(-math.inf, math.inf)
    constant = None if op.constant is None else op.constant.numpy().reshape(-1)
    # A function with another slope below 0 has its extremes at the ends or at 0.
    inside = 0.0 if x.low < 0 < x.high else x.low
    ends = np.array([[x.low], [inside], [x.high]], np.float32)
    with np.errstate(all="ignore"):
        results = apply_ewise(op.fn.data, ends, constant)
    if np.isnan(results).any():
        return Interval(-math.inf, math.inf)
    return Interval(float(results.min()), float(results.max()))


QUANTIZER = "rounding as a quantizer"


class RoundIsQuantize(RewritePattern):
    """`round(x) = cast(quantize(x))` where x is bounded on both sides.

    Not where a quantizer follows: its thresholds absorb the rounding along with the rest.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        rounding = _ROUNDINGS.get(op.fn.data)
        if rounding is None or _leads_to_quantizer(op):
            return
        bounds = interval_after(op, interval_of(op.input))
        _replace(op, op.input, rounding, bounds, rewriter)


def _leads_to_quantizer(op: Operation) -> bool:
    while isinstance(op, bnn.EwiseOp) and op.output.has_one_use():
        op = next(iter(op.output.uses)).operation
    return isinstance(op, bnn.QuantizeOp)


class ClippedRoundIsQuantize(RewritePattern):
    """`min(max(round(x), low), high) = cast(quantize(x, low, high))` for whole low and high.

    In either order of the two bounds.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        bounds = Interval(-math.inf, math.inf)
        value: SSAValue = op.output
        while isinstance(value.owner, bnn.EwiseOp) and value.owner.fn.data in ("max", "min"):
            narrowed = _clipped(value.owner, bounds)
            if narrowed is None:
                reject(op, self, "its bounds differ between channels; a quantizer has one range")
                return
            bounds = narrowed
            value = value.owner.input
        inner = value.owner
        if not isinstance(inner, bnn.EwiseOp) or inner is op:
            return
        rounding = _ROUNDINGS.get(inner.fn.data)
        if rounding is not None:
            _replace(op, inner.input, rounding, bounds, rewriter)


def _clipped(op: bnn.EwiseOp, outer: Interval) -> Interval | None:
    """The bounds that `op` sets, within those that later operations set; `None` where they differ
    between channels."""
    assert op.constant is not None
    values = op.constant.numpy().reshape(-1)
    if values.size == 0 or not bool((values == values[0]).all()):
        return None
    bound = float(np.clip(values[0], outer.low, outer.high))
    if op.fn.data == "max":
        return Interval(bound, outer.high)
    return Interval(outer.low, bound)


def _replace(
    op: bnn.EwiseOp, value: SSAValue, rounding: str, bounds: Interval, rewriter: PatternRewriter
) -> None:
    low, high = bounds.low, bounds.high
    if not (math.isfinite(low) and math.isfinite(high)) or low != int(low) or high != int(high):
        reject(op, QUANTIZER, f"what is rounded ranges from {low:g} to {high:g}; expected integers")
        return
    if not 0 <= high - low < MAX_LEVELS:
        what = f"it has {high - low + 1:g} values, from {low:g} to {high:g}"
        reject(op, QUANTIZER, f"{what}; quantizers have at most {MAX_LEVELS}")
        return
    kind = bnn.smallest_int(int(low), int(high))
    quantized = bnn.QuantizeOp(rounding, value, kind, int(low), int(high))
    op.location = fused_location(op.location, *_functions_between(value, op))
    replace_located(rewriter, op, quantized, bnn.CastOp(quantized.output))


def _functions_between(value: SSAValue, op: bnn.EwiseOp) -> list[LocationAttr]:
    """The locations of the functions of `value` that `op` is the last of."""
    found: list[LocationAttr] = []
    while isinstance(op.input.owner, bnn.EwiseOp) and op.input is not value:
        op = op.input.owner
        found.append(op.location)
    return found


@dataclass(frozen=True)
class RecognizeQuantizers(ModulePass):
    """Turn bounded rounding into quantizers: min(max(round(x), low), high) = quantize(x)."""

    name = "recognize-quantizers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, ClippedRoundIsQuantize(), RoundIsQuantize())
