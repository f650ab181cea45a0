"""Comparisons, and what models make of their results: plain-ONNX ways to write a sign.

An ONNX boolean is `!bnn.bipolar` here: true is +1 and false −1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.bounded_by_comparison import bounded_by_comparison
from irc.passes.lift.choices import Choice, emitted, negation
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.rules.qdq import as_floats

Array = npt.NDArray[Any]

_COMPARISONS = {
    "Greater": ("sub", "positive"),
    "GreaterOrEqual": ("sub", "bipolar"),
    "Less": ("rsub", "positive"),
    "LessOrEqual": ("rsub", "bipolar"),
}
"""How `x ? c` reads the sign of x − c, or of c − x."""

_MIRRORED = {
    "Greater": "Less",
    "GreaterOrEqual": "LessOrEqual",
    "Less": "Greater",
    "LessOrEqual": "GreaterOrEqual",
}
"""`c ? x` as a comparison of x with c."""


@rule(*_COMPARISONS)
def lift_comparison(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x > c` as the sign of `x − c`.

    The difference of two float32 numbers rounds to 0 only where they are equal, for subnormal
    numbers fill the gap around 0, and rounding never changes a sign: the comparison is exact.
    """
    left, right = op.operands
    comparison, constant, value = op.op_type, lifting.constant(right), left
    if constant is None:
        comparison, constant, value = _MIRRORED[comparison], lifting.constant(left), right
    if constant is None:
        for activation in (left, right):
            lifting.frame(activation)
        raise lifting.fail("compares two activations; one side must be a constant")
    if lifting.shape(op.results[0]) != lifting.shape(value):
        raise lifting.fail("a constant that enlarges the activation by broadcasting")
    bound = lifting.frame_constant(constant, len(lifting.shape(value)))
    if (bound.astype(np.float64).reshape(-1) != constant.astype(np.float64).reshape(-1)).any():
        raise lifting.fail("compares with a number that is no float32")
    fn, rounding = _COMPARISONS[comparison]
    floats = as_floats(lifting, value)
    if bound.any():
        floats = lifting.ewise(fn, floats, bound)
    elif fn == "rsub":
        floats = lifting.ewise("neg", floats)
    return lifting.emit(bnn.QuantizeOp(rounding, floats, bnn.bipolar))


@rule("Not")
def lift_not(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The other sign."""
    return negation(lifting, lifting.frame(op.input(0)))


@rule("Where")
def lift_where(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One of two constants, as a scale and an offset of ±1 where that gives both to the bit; or
    one constant and an activation, where that is something else in disguise."""
    condition = lifting.frame(op.input(0))
    if not isinstance(element_type_of(condition), bnn.BipolarType):
        raise lifting.fail(f"the condition is {element_type_of(condition)}, not a comparison")
    if lifting.shape(op.results[0]) != lifting.shape(op.operands[0]):
        raise lifting.fail("a constant that enlarges the condition by broadcasting")
    constants = [_case(lifting, op, index) for index in (1, 2)]
    then, other = constants
    is_whole = all(_is_whole(c) for c in constants if c is not None)
    if not isinstance(element_type_of(op.results[0]), Float32Type) and not is_whole:
        raise lifting.fail(f"gives {element_type_of(op.results[0])}; cast to float32 first")
    if then is not None and other is not None:
        choice = Choice(((condition, then),), other)
        value = choose(lifting, lifting.emit(bnn.CastOp(condition)), then, other)
        lifting.choices[value] = choice
        return value
    return _of_activation(lifting, op, condition, then, other)


def _case(lifting: Lifting, op: onnx.OnnxOp, index: int) -> Array | None:
    """One of the two values as a constant of a frame; `None` for an activation."""
    constant = lifting.constant(op.operands[index])
    if constant is None:
        lifting.frame(op.operands[index])
        if lifting.shape(op.operands[index]) != lifting.shape(op.operands[0]):
            raise lifting.fail("an activation that the condition enlarges by broadcasting")
        return None
    return lifting.frame_constant(constant, len(lifting.shape(op.operands[0])))


def _of_activation(
    lifting: Lifting,
    op: onnx.OnnxOp,
    condition: SSAValue,
    then: Array | None,
    other: Array | None,
) -> SSAValue:
    """A bound of what is compared, a slope of it, or a choice inside another."""
    bounded = bounded_by_comparison(lifting, op)
    if bounded is not None:
        return bounded
    inner = lifting.choices.get(lifting.values[op.operands[2 if other is None else 1]])
    if inner is not None and then is not None:
        choice = inner.guarded(lifting, condition, then)
    elif inner is not None and other is not None:
        choice = inner.guarded(lifting, negation(lifting, condition), other)
    else:
        raise lifting.fail(
            "chooses between activations; two constants, another such choice, and bounds of what "
            "is compared are supported: write x·(x > 0) as Relu, and a bounded x as Clip"
        )
    value = emitted(lifting, choice)
    lifting.choices[value] = choice
    return value


def _is_whole(constant: Array) -> bool:
    return bool((np.abs(constant.astype(np.float64)) < 2.0**24).all())


def choose(lifting: Lifting, sign: SSAValue, then: np.ndarray, other: np.ndarray) -> SSAValue:
    """`then` where `sign`, a float ±1, is +1 and `other` where it is −1, to the bit."""
    then, other = np.broadcast_arrays(then.astype(np.float64), other.astype(np.float64))
    half, middle = np.float32((then - other) / 2), np.float32((then + other) / 2)
    if bool((half + middle == then).all() and (middle - half == other).all()):
        value = lifting.ewise("mul", sign, half) if (half != 1).any() else sign
        return lifting.ewise("add", value, middle) if middle.any() else value
    # No scale and offset round to both. What is further out than either is bounded by them.
    outside = np.float32(np.maximum(np.abs(then), np.abs(other)))
    value = lifting.ewise("mul", sign, np.where(then >= other, outside, -outside))
    value = lifting.ewise("max", value, np.float32(np.minimum(then, other)))
    return lifting.ewise("min", value, np.float32(np.maximum(then, other)))
