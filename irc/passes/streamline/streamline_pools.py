"""Move max-pools onto exact values, where the largest of some is a comparison of integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.interp.ewise import quantize
from irc.passes.analysis.function_chain import exact_chain, functions_behind
from irc.passes.analysis.why_not import why_not_monotone
from irc.passes.rewriting import apply_greedily
from irc.passes.streamline.negation import negated_value
from irc.rejections import named, reject, shared

Array = npt.NDArray[Any]

_RISING = {"relu", "sqrt", "floor", "ceil", "round", "sign", "add", "sub", "max", "min"}


def direction(op: bnn.EwiseOp) -> Array | None:
    """+1 where the float function never falls, −1 where it never rises: [1] or one a channel.

    Rounding keeps the order. `None` for a function that does neither, or differs between pixels,
    so that windows would mix functions.
    """
    constant = np.ones(1) if op.constant is None else op.constant.numpy()
    if constant.size != 1 and constant.size != constant.shape[-1]:
        return None
    constant = constant.reshape(-1)
    match op.fn.data:
        case "mul":
            return np.where(constant >= 0, 1, -1)
        case "div" if bool(constant.all()):
            return np.where(constant > 0, 1, -1)
        case "prelu" if bool((constant >= 0).all()):
            return np.ones(1, np.int64)
        case "neg" | "rsub":
            return -np.ones(1, np.int64)
        case fn:
            return np.ones(1, np.int64) if fn in _RISING else None


def rises(op: bnn.EwiseOp) -> bool:
    """Whether the float function never falls, in any channel."""
    found = direction(op)
    return found is not None and bool((found > 0).all())


class QuantizeBeforeMaxPool(RewritePattern):
    """`quantize(max(x, y)) = max(quantize(x), quantize(y))`: rounding and clipping never fall."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.Quantizer):
            return
        pool = op.input.owner
        if not isinstance(pool, bnn.MaxPoolOp):
            return
        if not op.input.has_one_use():
            reject(op, self, lambda: f"the result of {named(pool)} {shared(op.input, op)}")
            return
        first = _quantizer_of(op, pool.input)
        _replace_pool(op, pool, [first], first.output, rewriter)


class MaxPoolBeforeRisingFunction(RewritePattern):
    """`f(max(x, y)) = max(f(x), f(y))` for a float function that never falls.

    Moves f in front, towards the sum whose thresholds will absorb it. A border that only keeps the
    windows whole stays directly before the pool, and as low as any float.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        pool = op.input.owner
        if not isinstance(pool, bnn.MaxPoolOp):
            return
        if not op.input.has_one_use():
            reject(op, self, lambda: f"the result of {named(pool)} {shared(op.input, op)}")
            return
        if not rises(op):
            reject(op, self, lambda: f"it is not rising everywhere, so that {named(pool)} stays")
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


class MaxPoolBehindFunction(RewritePattern):
    """`max(f(x), f(y)) = f(max(x, y))` for scales and offsets of an exact value.

    Only where a cast is behind them, so that the pool reaches exact values. For a channel in which
    f falls, `max(f(x), f(y)) = f(−max(−x, −y))`: −x is a sum of which the weights or multipliers
    are negated, or thresholds give it from few values of x.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.MaxPoolOp, rewriter: PatternRewriter) -> None:
        # What one quantizer follows is better folded into thresholds before the pool.
        reader = op.output.get_user_of_unique_use()
        if reader is not None and _leads_to_quantizer(reader):
            return
        # Only now: operations that nobody inserts would go on reading the values.
        found = monotone_chain(op.input)
        if found is None:
            if not is_exact(bnn.frame_type(op.input).element_type):
                reject(op, self, lambda: why_not_monotone(op.input, _RISING))
            return
        if not found.links:
            return
        element_type = bnn.frame_type(found.source).element_type
        pool = bnn.MaxPoolOp(found.source, op.kernel, op.strides, op.dilations, element_type)
        pool.location = op.location
        rewriter.replace(op, [*found.before, pool, *found.behind(pool.output)])


@dataclass(frozen=True)
class MonotoneChain:
    """`f(cast(x))` of an exact x for a float function f that rises, after a change of signs.

    `before` are new operations that `source` needs: where f falls they give −x, and f is of −(−x).
    """

    before: list[Operation]
    source: SSAValue
    signs: Array
    links: list[bnn.EwiseOp]

    def behind(self, value: SSAValue) -> list[Operation]:
        """New operations that compute f of an exact value."""
        new_ops: list[Operation] = [bnn.CastOp(value)]
        if self.links:
            new_ops[0].location = self.links[0].location
        if bool((self.signs < 0).any()):
            constant = bnn.DenseAttr.from_floats(self.signs)
            new_ops.append(bnn.EwiseOp("mul", new_ops[-1].results[0], constant))
            new_ops[-1].location = self.links[0].location
        return [*new_ops, *functions_behind(new_ops[-1].results[0], self.links)]


def monotone_chain(value: SSAValue) -> MonotoneChain | None:
    """See a value as such; `None` where f is not monotone, or falls and −x would take too much."""
    chain = exact_chain(value)
    if chain is None:
        return None
    signs = np.ones(1, np.int64)
    for link in chain.functions:
        found = direction(link)
        if found is None:
            return None
        signs = signs * found
    if not bool((signs < 0).any()):
        return MonotoneChain([], chain.source, signs, chain.functions)
    negated = negated_value(chain.source, signs)
    if negated is None:
        return None
    return MonotoneChain([negated], negated.results[0], signs, chain.functions)


def only_guards_pools(op: bnn.PadOp) -> bool:
    """Whether the border is the lowest float and only max-pools read it."""
    return op.pad_value <= float(np.finfo(np.float32).min) and all(
        isinstance(use.operation, bnn.MaxPoolOp) for use in op.output.uses
    )


def _leads_to_quantizer(op: Operation) -> bool:
    while isinstance(op, bnn.EwiseOp) and rises(op) and op.output.has_one_use():
        op = next(iter(op.output.uses)).operation
    return isinstance(op, bnn.Quantizer)


def _quantizer_of(op: bnn.Quantizer, value: SSAValue) -> bnn.Quantizer:
    """The same quantizer of another operand."""
    element_type = bnn.frame_type(op.output).element_type
    return type(op).create(
        operands=[value],
        result_types=[TensorType(element_type, bnn.frame_type(value).get_shape())],
        properties=dict(op.properties),
    )


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

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.Quantizer):
            return
        pad = op.input.owner
        if not isinstance(pad, bnn.PadOp):
            return
        if not op.input.has_one_use():
            reject(op, self, lambda: f"the result of {named(pad)} {shared(op.input, op)}")
            return
        value = np.array([pad.pad_value], np.float32)
        if isinstance(op, bnn.QuantizeOp):
            borders = quantize(op.rounding.data, value, *op.bounds)
        else:
            borders = (value >= op.thresholds.numpy()).sum(axis=1)
        border = int(borders[0])
        if bool((borders != border).any()):
            reject(op, self, lambda: f"the border of {named(pad)} is other codes in other channels")
            return
        element_type = bnn.frame_type(op.output).element_type
        first = _quantizer_of(op, pad.input)
        after = bnn.PadOp(first.output, pad.before, pad.after, float(border), element_type)
        first.location, after.location = op.location, pad.location
        rewriter.replace(op, [first, after])


@dataclass(frozen=True)
class StreamlinePools(ModulePass):
    """Move max-pools behind quantizers or in front of casts, so that they compare exact values."""

    name = "streamline-pools"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        streamline_pools(op)


def streamline_pools(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    return apply_greedily(
        module,
        QuantizeBeforeMaxPool(),
        QuantizeBeforePad(),
        MaxPoolBeforeRisingFunction(),
        MaxPoolBeforeCast(),
        MaxPoolBehindFunction(),
    )
