"""Why a value is not what a rewrite needs, in words that the author of the model understands.

Only called where somebody asks (`irc.rejections`): the analyses themselves say yes or no.
"""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Block, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.analysis.function_chain import exact_chain, functions_to
from irc.passes.analysis.ranges import RangeAnalysis
from irc.rejections import named

AFFINE = ("add", "sub", "rsub", "mul", "div", "neg")


def why_no_exact_chain(value: SSAValue) -> str:
    """Why a float value is no function of integers: what it begins with."""
    owner = _origin(value).owner
    if isinstance(owner, Block):
        return (
            "it begins with a float input of the model, of which nothing is known; --input says "
            "what it is made from, as in --input x=uint8/255"
        )
    reason = owner.attributes.get("bnn.reason")
    if isinstance(reason, StringAttr):
        return f"it begins with the float sums of {named(owner)}: {reason.data}"
    match owner:
        case bnn.LinearOp() | bnn.ConvOp():
            exact = is_exact(owner.weights.element_type)
            what = "the values that it reads" if exact else "its weights"
            return f"it begins with sums of {named(owner)} in floats, since {what} are no integers"
        case bnn.AddOp():
            return f"it begins with {named(owner)}, which adds floats"
        case _:
            return f"it begins with {named(owner)}, which gives floats"


_MOVES = (bnn.ReshapeOp, bnn.TransposeOp, bnn.SliceOp, bnn.PadOp, bnn.UpsampleOp)


def _origin(value: SSAValue) -> SSAValue:
    """What a value is computed from, through functions and what moves it."""
    value = functions_to(value)[1]
    while isinstance(value.owner, _MOVES):
        value = functions_to(value.owner.operands[0])[1]
    return value


def why_not_affine(value: SSAValue, analysis: RangeAnalysis) -> str:
    """Why a value is no scale and offset of an integer."""
    chain = exact_chain(value)
    if chain is None:
        return why_no_exact_chain(value)
    for op in chain.functions:
        constant = op.constant
        if op.fn.data not in AFFINE:
            return f"{named(op)} between it and the integers is no scale or offset"
        if constant is not None and constant.size not in (1, *constant.shape[-1:]):
            return f"{named(op)} has a constant for each place, not for each channel"
        if op.fn.data == "div" and constant is not None and not constant.numpy().all():
            return f"{named(op)} divides by 0"
    return "its channels have scales of their own, and each sum reads several of them"


def why_not_monotone(value: SSAValue, rising: frozenset[str] | set[str]) -> str:
    """Why the largest of some values is not the function of the largest integer."""
    chain = exact_chain(value)
    if chain is None:
        return why_no_exact_chain(value)
    for op in chain.functions:
        if op.fn.data not in {*rising, "mul", "div", "prelu", "neg", "rsub"}:
            return (
                f"{named(op)} rises and falls, so that the largest value need not belong to the "
                "largest integer"
            )
        if op.constant is not None and op.constant.size not in (1, *op.constant.shape[-1:]):
            return f"{named(op)} has a constant for each place, so that windows mix functions"
    return "it falls in some channels, and the integers cannot be negated where they are made"
