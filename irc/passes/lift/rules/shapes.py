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
