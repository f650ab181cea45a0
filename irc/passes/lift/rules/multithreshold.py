"""QONNX's `MultiThreshold`: explicit thresholds on floats, one row a channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.interp.qonnx import channel_axis
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.rules.qdq import as_floats
from irc.passes.lift.rules.selections import choose


@rule("MultiThreshold")
def lift_multithreshold(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`out_scale · #{t : x >= t} + out_bias`, thresholds [C, T] or [1, T]."""
    value = as_floats(lifting, op.input(0))
    thresholds = _thresholds(lifting, op)
    perm, channels = _channels_last(lifting, op, value)
    if thresholds.ndim != 2 or thresholds.shape[0] not in (1, channels):
        raise lifting.fail(
            f"thresholds of shape {list(thresholds.shape)}; expected [{channels}, T] or [1, T]"
        )
    if perm != sorted(perm):
        value = lifting.emit(bnn.TransposeOp(value, perm))
    scale = np.float32(op.float_attr("out_scale", 1.0))
    bias = np.float32(op.float_attr("out_bias", 0.0))
    count = thresholds.shape[1]
    if count == 1:
        # One threshold is a sign, and one bit a number that is cheaper than any other.
        column = thresholds[:, 0] if len(thresholds) > 1 else thresholds[0, 0]
        if thresholds.any():
            value = lifting.ewise("sub", value, column)
        value = lifting.emit(bnn.QuantizeOp("bipolar", value, bnn.bipolar))
        value = lifting.emit(bnn.CastOp(value))
        value = choose(lifting, value, np.asarray(scale + bias), np.asarray(bias))
    else:
        rows = bnn.DenseAttr.from_floats(thresholds)
        value = lifting.emit(
            bnn.FloatThresholdOp(value, rows, bnn.uint(max(1, count.bit_length())))
        )
        value = _affine(lifting, lifting.emit(bnn.CastOp(value)), scale, bias)
    if perm == sorted(perm):
        return value
    inverse: npt.NDArray[Any] = np.argsort(perm)
    return lifting.emit(bnn.TransposeOp(value, inverse.tolist()))


def _thresholds(lifting: Lifting, op: onnx.OnnxOp) -> npt.NDArray[np.float32]:
    """The thresholds, infinite ones as the largest floats: what lies beyond is infinite itself."""
    found = onnx.constant_value(op.input(1))
    if found is None:
        found = lifting.required_constant(op.input(1), "the thresholds")
    if np.isnan(found).any():
        raise lifting.fail("a threshold is NaN")
    largest = np.finfo(np.float32).max
    return np.clip(found, -largest, largest).astype(np.float32)


def _channels_last(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue) -> tuple[list[int], int]:
    """The order of a frame's axes with the channels last, and how many channels there are."""
    rank = len(lifting.shape(op.operands[0]))
    layout = op.str_attr("data_layout", "")
    if layout and len(layout) != rank:
        raise lifting.fail(f"data_layout '{layout}' for an activation with {rank} axes")
    axis = channel_axis(layout, rank) - (lifting.batch is not None)
    frame = bnn.frame_type(value).get_shape()
    if not 0 <= axis < len(frame):
        raise lifting.fail(f"data_layout '{layout}': no axis of a frame holds the channels")
    return [a for a in range(len(frame)) if a != axis] + [axis], frame[axis]


def _affine(lifting: Lifting, value: SSAValue, scale: np.float32, bias: np.float32) -> SSAValue:
    value = lifting.ewise("mul", value, scale) if scale != 1 else value
    return lifting.ewise("add", value, bias) if bias else value
