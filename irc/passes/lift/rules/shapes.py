"""Operators that only rename the positions of elements."""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule


@rule("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def lift_reshape(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The shape that was inferred for the result decides; the batch must stay in front."""
    value = lifting.frame(op.input(0))
    shape = lifting.frame_shape(op.results[0])
    if math.prod(shape) != math.prod(bnn.frame_type(value).get_shape()):
        raise lifting.fail(f"a reshape to {list(shape)} a frame moves elements between frames")
    return lifting.emit(bnn.ReshapeOp(value, shape))


@rule("Transpose")
def lift_transpose(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A permutation of a frame's axes; the batch must stay in front."""
    value = lifting.frame(op.input(0))
    rank = len(lifting.shape(op.operands[0]))
    perm = op.ints_attr("perm", list(range(rank))[::-1])
    if lifting.batch is None:
        return lifting.emit(bnn.TransposeOp(value, perm))
    if perm[0] != 0:
        raise lifting.fail(f"perm {perm} moves the batch, which must stay the first axis")
    return lifting.emit(bnn.TransposeOp(value, [axis - 1 for axis in perm[1:]]))


@rule("Identity", "Dropout")
def lift_identity(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Nothing at inference."""
    return lifting.frame(op.input(0))


@rule("ArgMax")
def lift_argmax(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The index of the largest element along the last axis."""
    rank = len(lifting.shape(op.operands[0]))
    axis = op.int_attr("axis", 0) % rank
    if axis != rank - 1 or (axis == 0 and lifting.batch is not None):
        raise lifting.fail(f"axis {axis} of {rank}; only the last axis is supported")
    if op.int_attr("select_last_index", 0):
        raise lifting.fail("select_last_index = 1; ties go to the lowest index here")
    value = lifting.frame(op.input(0))
    element_type = bnn.smallest_int(0, bnn.frame_type(value).get_shape()[-1] - 1)
    keep_axis = bool(op.int_attr("keepdims", 1))
    return lifting.emit(bnn.ArgmaxOp(value, element_type, keep_axis))
