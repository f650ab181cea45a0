"""Move max-pools onto exact values, where the largest of some is a comparison of integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.interp.ewise import quantize
from irc.passes.rewriting import apply_greedily

_RISING = {"relu", "sqrt", "floor", "ceil", "round", "sign", "add", "sub", "max", "min"}


def rises(op: bnn.EwiseOp) -> bool:
    """Whether the float function never falls, in any channel: rounding keeps the order."""
    constant = None if op.constant is None else op.constant.numpy()
    if constant is not None and constant.size != 1 and constant.size != constant.shape[-1]:
        return False  # It differs between pixels, so that windows mix functions.
    match op.fn.data:
        case "mul" | "prelu":
            return constant is not None and bool((constant >= 0).all())
        case "div":
            return constant is not None and bool((constant > 0).all())
        case fn:
            return fn in _RISING


class QuantizeBeforeMaxPool(RewritePattern):
    """`quantize(max(x, y)) = max(quantize(x), quantize(y))`: rounding and clipping never fall."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.QuantizeOp, rewriter: PatternRewriter) -> None:
        pool = op.input.owner
        if not isinstance(pool, bnn.MaxPoolOp) or not op.input.has_one_use():
            return
        element_type = bnn.frame_type(op.output).element_type
        qmin, qmax = op.bounds
        first = bnn.QuantizeOp(op.rounding.data, pool.input, element_type, qmin, qmax)
        _replace_pool(op, pool, [first], first.output, rewriter)


class MaxPoolBeforeRisingFunction(RewritePattern):
    """`f(max(x, y)) = max(f(x), f(y))` for a float function that never falls.

    Moves f in front, towards the sum whose thresholds will absorb it. A border that only keeps the
    windows whole stays directly before the pool, and as low as any float.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        pool = op.input.owner
        if not isinstance(pool, bnn.MaxPoolOp) or not op.input.has_one_use() or not rises(op):
            return
        properties = (op.constant, op.constant_error, op.result_error)
        pad = pool.input.owner
        if isinstance(pad, bnn.PadOp) and only_guards_pools(pad):
            first = bnn.EwiseOp(op.fn.data, pad.input, *properties)
            border = bnn.PadOp(first.output, pad.before, pad.after, pad.pad_value, f32)
            _replace_pool(op, pool, [first, border], border.output, rewriter)
            border.location = pad.location
        else:
            first = bnn.EwiseOp(op.fn.data, pool.input, *properties)
            _replace_pool(op, pool, [first], first.output, rewriter)


class MaxPoolBeforeCast(RewritePattern):
    """`max(cast(x), cast(y)) = cast(max(x, y))`: from floats to exact values."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.MaxPoolOp, rewriter: PatternRewriter) -> None:
        cast = op.input.owner
        if not isinstance(cast, bnn.CastOp):
            return
        element_type = bnn.frame_type(cast.input).element_type
        pool = bnn.MaxPoolOp(cast.input, op.kernel, op.strides, op.dilations, element_type)
        after = bnn.CastOp(pool.output)
        pool.location, after.location = op.location, cast.location
        rewriter.replace(op, [pool, after])


class MaxPoolBehindRisingFunction(RewritePattern):
    """`max(f(x), f(y)) = f(max(x, y))` for scales and offsets of an exact value.

    Only where a cast is behind them, so that the pool reaches exact values.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.MaxPoolOp, rewriter: PatternRewriter) -> None:
        chain: list[bnn.EwiseOp] = []
        value = op.input
        while isinstance(value.owner, bnn.EwiseOp) and rises(value.owner):
            chain.append(value.owner)
            value = value.owner.input
        if not chain or not isinstance(value.owner, bnn.CastOp):
            return
        # What one quantizer follows is better folded into thresholds before the pool.
        reader = op.output.get_user_of_unique_use()
        if reader is not None and _leads_to_quantizer(reader):
            return
        cast = value.owner
        element_type = bnn.frame_type(cast.input).element_type
        pool = bnn.MaxPoolOp(cast.input, op.kernel, op.strides, op.dilations, element_type)
        pool.location = op.location
        new_ops: list[Operation] = [pool, bnn.CastOp(pool.output)]
        for link in reversed(chain):
            properties = (link.constant, link.constant_error, link.result_error)
            new_ops.append(bnn.EwiseOp(link.fn.data, new_ops[-1].results[0], *properties))
            new_ops[-1].location = link.location
        rewriter.replace(op, new_ops)


def only_guards_pools(op: bnn.PadOp) -> bool:
    """Whether the border is the lowest float and only max-pools read it."""
    return op.pad_value <= float(np.finfo(np.float32).min) and all(
        isinstance(use.operation, bnn.MaxPoolOp) for use in op.output.uses
    )


def _leads_to_quantizer(op: Operation) -> bool:
    while isinstance(op, bnn.EwiseOp) and rises(op) and op.output.has_one_use():
        op = next(iter(op.output.uses)).operation
    return isinstance(op, bnn.QuantizeOp)


def _replace_pool(
    op: Operation,
    pool: bnn.MaxPoolOp,
    before: list[Operation],
    value: SSAValue,
    rewriter: PatternRewriter,
) -> None:
    element_type = bnn.frame_type(value).element_type
    after = bnn.MaxPoolOp(value, pool.kernel, pool.strides, pool.dilations, element_type)
    for new_op in before:
        new_op.location = op.location
    after.location = pool.location
    rewriter.replace(op, [*before, after])


class QuantizeBeforePad(RewritePattern):
    """`quantize(pad(x, v)) = pad(quantize(x), quantize(v))`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.QuantizeOp, rewriter: PatternRewriter) -> None:
        pad = op.input.owner
        if not isinstance(pad, bnn.PadOp) or not op.input.has_one_use():
            return
        qmin, qmax = op.bounds
        border = quantize(op.rounding.data, np.array(pad.pad_value, np.float32), qmin, qmax)
        element_type = bnn.frame_type(op.output).element_type
        first = bnn.QuantizeOp(op.rounding.data, pad.input, element_type, qmin, qmax)
        after = bnn.PadOp(first.output, pad.before, pad.after, float(border), element_type)
        first.location, after.location = op.location, pad.location
        rewriter.replace(op, [first, after])


@dataclass(frozen=True)
class StreamlinePools(ModulePass):
    """Move max-pools behind quantizers or in front of casts, so that they compare exact values."""

    name = "streamline-pools"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(
            op,
            QuantizeBeforeMaxPool(),
            QuantizeBeforePad(),
            MaxPoolBeforeRisingFunction(),
            MaxPoolBeforeCast(),
            MaxPoolBehindRisingFunction(),
        )
