"""Turn borders of floats into borders of exact values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.interp.ewise import apply_ewise
from irc.passes.analysis.function_chain import exact_chain, functions_behind
from irc.passes.analysis.why_not import why_no_exact_chain
from irc.passes.rewriting import apply_greedily
from irc.passes.streamline.streamline_pools import monotone_chain, only_guards_pools
from irc.rejections import reject

MAX_BORDER_SEARCH = 1 << 16
"""Largest magnitude that is tried as the border."""


class MovePadBeforeChain(RewritePattern):
    """`pad(f(x), v) = f(pad(x, p))` where f(p) = v in every channel, to the bit.

    f is a cast and element-wise functions: the scale and zero point of a quantizer, most often,
    under which the float 0 is the integer zero point. Around the operand of a max-pool, a border
    that no element is below may be any value that no element is below: there p is the least.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.PadOp, rewriter: PatternRewriter) -> None:
        if only_guards_pools(op):
            _guard_exactly(op, rewriter)
            return
        chain = exact_chain(op.input)
        if chain is None:
            if not is_exact(bnn.frame_type(op.input).element_type):
                reject(op, self, lambda: why_no_exact_chain(op.input))
            return
        element_type = bnn.frame_type(chain.source).element_type
        border = _integer_border(op.pad_value, chain.functions, element_type)
        if border is None:
            reject(op, self, f"its border of {op.pad_value:g} is no integer's in every channel")
            return
        padded_type = _holding(element_type, border)
        pad = bnn.PadOp(chain.source, op.before, op.after, float(border), padded_type)
        pad.location = op.location
        cast = bnn.CastOp(pad.output)
        cast.location = chain.cast.location
        rewriter.replace(op, [pad, cast, *functions_behind(cast.output, chain.functions)])


def _guard_exactly(op: bnn.PadOp, rewriter: PatternRewriter) -> None:
    """A border of the least integer instead of the least float, under a function that rises."""
    found = monotone_chain(op.input)
    if found is None:
        return
    element_type = bnn.frame_type(found.source).element_type
    least = element_range(element_type)[0]
    pad = bnn.PadOp(found.source, op.before, op.after, float(least), element_type)
    pad.location = op.location
    rewriter.replace(op, [*found.before, pad, *found.behind(pad.output)])


def _integer_border(value: float, chain: list[bnn.EwiseOp], element_type: Attribute) -> int | None:
    """The integer that the chain maps to `value` in all channels; `None` if there is none.

    One of the type's own values if possible, else one near them: a border of zeros around bipolar
    values, or one below a quantizer's range where its zero point lies there. The smallest of
    several.
    """
    low, high = element_range(element_type)
    margin = min(high - low + 1, MAX_BORDER_SEARCH)
    low, high = max(low - margin, -MAX_BORDER_SEARCH), min(high + margin, MAX_BORDER_SEARCH)
    candidates = np.arange(low, high + 1)
    x = candidates.astype(np.float32)[:, None]
    for op in chain:
        constant = None if op.constant is None else op.constant.numpy()
        if constant is not None:
            if constant.size != 1 and constant.size != constant.shape[-1]:
                return None
            constant = constant.reshape(1, -1)
        x = apply_ewise(op.fn.data, x, constant)
    fits = (x == np.float32(value)).all(axis=1)
    matching = candidates[fits].tolist()
    return min(matching, key=lambda c: (not _holds(element_type, c), abs(c)), default=None)


def _holds(element_type: Attribute, value: int) -> bool:
    """Whether a value is one of an exact type."""
    if isinstance(element_type, bnn.BipolarType):
        return value in (-1, 1)
    low, high = element_range(element_type)
    return low <= value <= high


def _holding(element_type: Attribute, border: int) -> Attribute:
    """The narrowest type for the values of `element_type` and the border."""
    if _holds(element_type, border):
        return element_type
    low, high = element_range(element_type)
    return bnn.smallest_int(min(low, border), max(high, border))


@dataclass(frozen=True)
class StreamlinePads(ModulePass):
    """Move borders in front of casts and float functions: pad(f(x), f(p)) = f(pad(x, p))."""

    name = "streamline-pads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        streamline_pads(op)


def streamline_pads(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    return apply_greedily(module, MovePadBeforeChain())
