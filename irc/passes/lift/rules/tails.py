"""What networks end in: the best class, or probabilities."""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.rules.qdq import as_floats


@rule("ArgMax")
def lift_argmax(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The index of the largest element along one axis of a frame; ties go to the lowest."""
    if op.int_attr("select_last_index", 0):
        raise lifting.fail("select_last_index = 1; ties go to the lowest index here")
    return _argmax(lifting, op, op.int_attr("axis", 0), bool(op.int_attr("keepdims", 1)))


@rule("TopK")
def lift_topk(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The index of the largest element, where k is 1 and only the indices are read."""
    k = op.int_attr("k", 0)
    if op.input(1) is not None:
        k = int(lifting.required_constant(op.input(1), "k").reshape(-1)[0])
    if k != 1 or not op.int_attr("largest", 1):
        raise lifting.fail(
            f"k = {k}, largest = {op.int_attr('largest', 1)}; only the one largest "
            "element is found: use k = 1, or return the logits"
        )
    if any(True for _ in op.results[0].uses):
        raise lifting.fail("the largest value is used; only its index is supported")
    found = _argmax(lifting, op, op.int_attr("axis", -1), True)
    lifting.values[op.results[1]] = found
    return found


def _argmax(lifting: Lifting, op: onnx.OnnxOp, axis: int, keep_axis: bool) -> SSAValue:
    value = lifting.frame(op.input(0))
    found, place = _with_axis_last(lifting, op, value, axis)
    length = bnn.frame_type(found).get_shape()[-1]
    kind = bnn.smallest_int(0, length - 1)
    found = lifting.emit(bnn.ArgmaxOp(found, kind, keep_axis))
    return _axis_back(lifting, found, place) if keep_axis else found


@rule("Softmax", "LogSoftmax")
def lift_softmax(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Along one axis; before opset 13 along that and all that follow it."""
    opset = onnx.opset_of(op) or 13
    shape = lifting.shape(op.operands[0])
    axis = op.int_attr("axis", -1 if opset >= 13 else 1) % len(shape)
    if opset < 13 and any(extent != 1 for extent in shape[axis + 1 :]):
        raise lifting.fail(
            f"axis {axis} of {len(shape)} takes several axes together before opset 13; flatten "
            "first, or convert the model to a newer opset"
        )
    fn = "softmax" if op.op_type == "Softmax" else "log_softmax"
    value, place = _with_axis_last(lifting, op, as_floats(lifting, op.input(0)), axis)
    return _axis_back(lifting, lifting.emit(bnn.SoftmaxOp(fn, value)), place)


def _with_axis_last(
    lifting: Lifting, op: onnx.OnnxOp, value: SSAValue, axis: int
) -> tuple[SSAValue, int]:
    """The activation with an axis of ONNX's moved to the end, and where in a frame it was."""
    rank = len(lifting.shape(op.operands[0]))
    place = axis % rank - (lifting.batch is not None)
    if place < 0:
        raise lifting.fail(f"axis {axis} of {rank} is the batch; only axes of a frame can be used")
    frame = len(bnn.frame_type(value).get_shape())
    if place == frame - 1:
        return value, place
    perm = [a for a in range(frame) if a != place] + [place]
    return lifting.emit(bnn.TransposeOp(value, perm)), place


def _axis_back(lifting: Lifting, value: SSAValue, place: int) -> SSAValue:
    """The inverse of `_with_axis_last`."""
    frame = len(bnn.frame_type(value).get_shape())
    if place == frame - 1:
        return value
    perm = [*range(place), frame - 1, *range(place, frame - 1)]
    return lifting.emit(bnn.TransposeOp(value, perm))


@rule("InstanceNormalization", "LayerNormalization", "GroupNormalization", "LpNormalization")
def refuse_normalization(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused: mean and variance follow from the activation."""
    lifting.frame(op.input(0))
    raise lifting.fail(
        "normalizes each frame by its own statistics, which no threshold can absorb; train with "
        "BatchNormalization instead"
    )


@rule("ConvTranspose")
def refuse_transposed_convolution(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused: no target has it."""
    lifting.frame(op.input(0))
    raise lifting.fail(
        "transposed convolution is not supported; nearest Resize and a Conv do the same work"
    )
