"""Sums of activations: where the branches of a residual network meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.rules.qdq import as_floats

Array = npt.NDArray[Any]

ENLARGES = "a constant that enlarges the activation by broadcasting"


@rule("Sum", "Mean")
def lift_sum(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`((x0 + x1) + x2) + …`, in ONNX Runtime's order; a mean is the sum by the reciprocal of the
    count, as there. To divide, as others may, gives another bit where that is no power of two."""
    total: SSAValue | None = None
    first: Array | None = None
    rank = len(lifting.shape(op.results[0]))
    for operand in op.operands:
        constant = lifting.constant(operand)
        if constant is not None and total is None:
            first = constant if first is None else (first + constant).astype(np.float32)
        elif constant is not None:
            assert total is not None
            total = lifting.ewise("add", total, _constant(lifting, op, constant, rank))
        elif total is None:
            total = _activation(lifting, op, operand)
            if first is not None:
                total = lifting.ewise("add", total, _constant(lifting, op, first, rank))
        else:
            total = added(lifting, total, _activation(lifting, op, operand))
    if total is None:
        raise lifting.fail("a required input is missing")
    count = len(op.operands)
    if op.op_type == "Mean" and count > 1:
        factor = np.float32(1) / np.float32(count)
        error = 2.0**-23 * factor if count & (count - 1) else None
        total = lifting.ewise("mul", total, factor, error)
    return total


def added(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """One float32 addition of two f32 frames of one shape; `x + x` is exactly `2 · x`."""
    shapes = [list(bnn.frame_type(value).get_shape()) for value in (lhs, rhs)]
    if shapes[0] != shapes[1]:
        raise lifting.fail(
            f"adds activations of {shapes[0]} and {shapes[1]} elements a frame by broadcasting; "
            "only activations of one shape can be added: enlarge the smaller one with a nearest "
            "Resize, or make the branches alike"
        )
    if lhs is rhs:
        return lifting.ewise("mul", lhs, 2.0)
    return lifting.emit(bnn.AddOp(lhs, rhs, f32))


def difference(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """`a − b = a + (−b)`, of which the rounding is the same."""
    return added(lifting, lhs, lifting.ewise("neg", rhs))


def _activation(lifting: Lifting, op: onnx.OnnxOp, operand: SSAValue) -> SSAValue:
    value = as_floats(lifting, operand)
    if any(lifting.constant(other) is not None for other in op.operands) and (
        lifting.shape(operand) != lifting.shape(op.results[0])
    ):
        raise lifting.fail(ENLARGES)
    return value


def _constant(lifting: Lifting, op: onnx.OnnxOp, constant: Array, rank: int) -> Array:
    shape = lifting.shape(op.results[0])
    if np.broadcast_shapes(constant.shape, shape) != shape:
        raise lifting.fail(ENLARGES)
    return lifting.frame_constant(constant, rank)
