"""Comparisons, and what models make of their results: plain-ONNX ways to write a sign.

An ONNX boolean is `!bnn.bipolar` here: true is +1 and false −1.
"""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.rules.qdq import as_floats

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
    """`not (y >= 0)` is `−y > 0`, and the other way round."""
    value = lifting.frame(op.input(0))
    source, rounding = value, "bipolar"
    if isinstance(value.owner, bnn.QuantizeOp) and value.owner.rounding.data in bnn.SIGNS:
        source = value.owner.input
        rounding = "positive" if value.owner.rounding.data == "bipolar" else "bipolar"
    else:
        source = lifting.emit(bnn.CastOp(value))
    return lifting.emit(bnn.QuantizeOp(rounding, lifting.ewise("neg", source), bnn.bipolar))


def boolean_as_number(lifting: Lifting, value: SSAValue) -> SSAValue:
    """`Cast` of a boolean: 1.0 where it is true, 0.0 elsewhere, both exactly."""
    value = lifting.emit(bnn.CastOp(value))
    return lifting.ewise("mul", lifting.ewise("add", value, 1.0), 0.5)


@rule("Where")
def lift_where(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One of two constants, as a scale and an offset of ±1 where that gives both to the bit."""
    condition = lifting.frame(op.input(0))
    if not isinstance(element_type_of(condition), bnn.BipolarType):
        raise lifting.fail(f"the condition is {element_type_of(condition)}, not a comparison")
    then, other = lifting.constant(op.operands[1]), lifting.constant(op.operands[2])
    if then is None or other is None:
        for index in (1, 2):
            if lifting.constant(op.operands[index]) is None:
                lifting.frame(op.operands[index])
        raise lifting.fail(
            "chooses between activations; only two constants are supported: write x·(x > 0) as "
            "Relu, and a bounded x as Clip"
        )
    if lifting.shape(op.results[0]) != lifting.shape(op.operands[0]):
        raise lifting.fail("a constant that enlarges the condition by broadcasting")
    if not isinstance(element_type_of(op.results[0]), Float32Type) and not _are_whole(then, other):
        raise lifting.fail(f"gives {element_type_of(op.results[0])}; cast to float32 first")
    rank = len(lifting.shape(op.operands[0]))
    return choose(
        lifting,
        lifting.emit(bnn.CastOp(condition)),
        lifting.frame_constant(then, rank),
        lifting.frame_constant(other, rank),
    )


def _are_whole(*constants: np.ndarray) -> bool:
    return all(bool((np.abs(c.astype(np.float64)) < 2.0**24).all()) for c in constants)


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
