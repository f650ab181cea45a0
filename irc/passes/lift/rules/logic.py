"""Boolean functions of comparisons, and equality, which is one too."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.choices import both, differ, either, negation
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.rules.qdq import as_floats

Array = npt.NDArray[Any]

_FUNCTIONS = {"And": both, "Or": either, "Xor": differ}


@rule(*_FUNCTIONS)
def lift_logic(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A function of two conditions, one of which may be a constant for all elements."""
    constants = [lifting.constant(operand) for operand in op.operands]
    if all(constant is None for constant in constants):
        lhs, rhs = (_condition(lifting, operand) for operand in op.operands)
        if bnn.frame_type(lhs).get_shape() != bnn.frame_type(rhs).get_shape():
            raise lifting.fail("combines conditions of two shapes; only equal ones are supported")
        return _FUNCTIONS[op.op_type](lifting, lhs, rhs)
    constant = next(found for found in constants if found is not None)
    value = _condition(lifting, op.operands[0 if constants[0] is None else 1])
    if constant.min() != constant.max():
        raise lifting.fail("combines a condition with a constant that differs between elements")
    is_true = bool(constant.reshape(-1)[0])
    if op.op_type == "Xor":
        return negation(lifting, value) if is_true else value
    if is_true == (op.op_type == "And"):
        return value
    raise lifting.fail(f"is {is_true} for every frame")


def _condition(lifting: Lifting, value: SSAValue) -> SSAValue:
    found = lifting.frame(value)
    if not isinstance(element_type_of(found), bnn.BipolarType):
        raise lifting.fail(f"an operand is {element_type_of(found)}, not a comparison")
    return found


@rule("Equal")
def lift_equal(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x = c` as `−|x − c| >= 0`: the difference of two float32 numbers is 0 only where they are
    equal."""
    left, right = op.operands
    constant, value = lifting.constant(right), left
    if constant is None:
        constant, value = lifting.constant(left), right
    if constant is None:
        found = [lifting.frame(operand) for operand in (left, right)]
        if all(isinstance(element_type_of(v), bnn.BipolarType) for v in found):
            return negation(lifting, differ(lifting, *found))
        raise lifting.fail("compares two activations; one side must be a constant")
    if lifting.shape(op.results[0]) != lifting.shape(value):
        raise lifting.fail("a constant that enlarges the activation by broadcasting")
    bound = lifting.frame_constant(constant, len(lifting.shape(value)))
    if (bound.astype(np.float64).reshape(-1) != constant.astype(np.float64).reshape(-1)).any():
        raise lifting.fail("compares with a number that is no float32")
    floats = as_floats(lifting, value)
    if bound.any():
        floats = lifting.ewise("sub", floats, bound)
    distance = lifting.ewise("neg", lifting.ewise("abs", floats))
    return lifting.emit(bnn.QuantizeOp("bipolar", distance, bnn.bipolar))
