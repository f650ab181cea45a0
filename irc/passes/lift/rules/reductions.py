"""Sums, means and extremes over axes of a frame: pools of one window, or sums of channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.rules.casts import check_whole
from irc.passes.lift.rules.qdq import as_floats


@rule("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")
def lift_reduce(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Over the axes that an attribute or, in later opsets, a constant input names; over all of
    them without, which would take the batch along."""
    value = as_floats(lifting, op.input(0))
    rank = len(lifting.shape(op.operands[0]))
    axes = _axes(lifting, op, rank)
    if not axes and op.int_attr("noop_with_empty_axes", 0):
        return value
    places = sorted({lifting.frame_axis(axis, rank) for axis in axes or range(rank)})
    frame = bnn.frame_type(value).get_shape()
    result = lifting.frame_shape(op.results[0])
    if op.op_type == "ReduceMin":
        value = lifting.ewise("neg", value)
    value = _reduced(lifting, op, value, places)
    if op.op_type == "ReduceMean":
        value = lifting.ewise("div", value, float(np.prod([frame[place] for place in places])))
    if op.op_type == "ReduceMin":
        value = lifting.ewise("neg", value)
    if bnn.frame_type(value).get_shape() != result:
        value = lifting.emit(bnn.ReshapeOp(value, result))
    return check_whole(lifting, op, value)


def _axes(lifting: Lifting, op: onnx.OnnxOp, rank: int) -> list[int]:
    if op.has_attr("axes"):
        return op.ints_attr("axes")
    if op.input(1) is None:
        return []
    found = lifting.required_constant(op.input(1), "'axes'")
    return [int(axis) for axis in found.reshape(-1)]


def _reduced(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue, places: list[int]) -> SSAValue:
    """The sum, or the largest, over axes of a frame, of which one element each is left."""
    rank = len(bnn.frame_type(value).get_shape())
    if 0 not in places and rank > 1:
        # ONNX's channels, the first axis, stay: a pool of one window.
        last = _pool(lifting, op, lifting.channels_last(value), [p - 1 for p in places])
        return lifting.channels_first(last)
    if rank - 1 not in places and rank > 1:
        return _pool(lifting, op, value, places)
    if op.op_type in ("ReduceMax", "ReduceMin"):
        return _of_all(lifting, op, value, places)
    # Both the first and the last axis go: a sum over the last is one with weights of 1.
    value = _summed_channels(lifting, value)
    return _of_all(lifting, op, value, places[:-1]) if len(places) > 1 else value


def _of_all(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue, places: list[int]) -> SSAValue:
    """Over axes the rest of which may have one element each: behind an axis of one channel."""
    shape = bnn.frame_type(value).get_shape()
    value = lifting.emit(bnn.ReshapeOp(value, (*shape, 1)))
    return lifting.emit(bnn.ReshapeOp(_pool(lifting, op, value, places), _kept(shape, places)))


def _kept(shape: Sequence[int], places: Sequence[int]) -> list[int]:
    return [1 if place in places else size for place, size in enumerate(shape)]


def _summed_channels(lifting: Lifting, value: SSAValue) -> SSAValue:
    channels = bnn.frame_type(value).get_shape()[-1]
    ones = bnn.DenseAttr.from_numpy(np.ones((1, channels), np.int8), bnn.bipolar)
    return lifting.emit(bnn.LinearOp(value, ones, f32))


def _pool(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue, places: Sequence[int]) -> SSAValue:
    """One window along the axes in `places`, of frames with the channels last."""
    space = bnn.frame_type(value).get_shape()[:-1]
    kernel = [size if place in places else 1 for place, size in enumerate(space)]
    ones = [1] * len(space)
    pool = bnn.SumPoolOp if op.op_type in ("ReduceMean", "ReduceSum") else bnn.MaxPoolOp
    return lifting.emit(pool(value, kernel, ones, ones, f32))


@rule("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare")
def refuse_reduction(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused: no target has it."""
    lifting.frame(op.input(0))
    raise lifting.fail("only ReduceMean, ReduceSum, ReduceMax and ReduceMin are supported")
