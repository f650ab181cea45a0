"""Pooling: channels last, with every border explicit."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import element_range, is_exact
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.windows import Window

LOWEST = float(np.finfo(np.float32).min)
"""Borders of a max-pool of floats hold it: no element is smaller."""


@rule("MaxPool")
def lift_max_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The largest element of each window; the border never wins."""
    if len(op.results) > 1 and any(True for _ in op.results[1].uses):
        raise lifting.fail("the indices of the largest elements are used")
    value = lifting.channels_last(lifting.frame(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    window = Window(lifting, op, space, op.ints_attr("kernel_shape"))
    kind = element_type_of(value)
    value = window.padded(value, element_range(kind)[0] if is_exact(kind) else LOWEST)
    pool = bnn.MaxPoolOp(value, window.kernel, window.strides, window.dilations, kind)
    return lifting.channels_first(lifting.emit(pool))


@rule("AveragePool")
def lift_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """As `average_pool`."""
    return average_pool(lifting, op, lifting.floats(op.input(0)))


def average_pool(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue) -> SSAValue:
    """The sum of each window of an f32 frame, divided by the number of elements that count.

    Without `count_include_pad` those of the frame count, with it those of the border that the
    node states too, but never what `ceil_mode` adds: ONNX Runtime and PyTorch agree on it. Where
    windows at the edge hold fewer, the divisor differs from pixel to pixel.
    """
    value = lifting.channels_last(value)
    space = bnn.frame_type(value).get_shape()[:-1]
    window = Window(lifting, op, space, op.ints_attr("kernel_shape"))
    counts = window.counted(space, bool(op.int_attr("count_include_pad", 0)))
    if not counts.all():
        raise lifting.fail(
            "a window lies in the border altogether, and divides 0 by 0; use a smaller border, or "
            "count_include_pad = 1"
        )
    value = window.padded(value, 0.0)
    pool = bnn.SumPoolOp(value, window.kernel, window.strides, window.dilations, f32)
    value = lifting.emit(pool)
    is_one = bool((counts == counts.reshape(-1)[0]).all())
    divisor = counts.reshape(-1)[0] if is_one else counts[..., None]
    if is_one:
        return lifting.channels_first(lifting.ewise("div", value, divisor))
    # Not by `ewise`, which takes a constant [n, 1] for one number a channel, channels first.
    spread = np.broadcast_to(divisor, bnn.frame_type(value).get_shape())
    quotient = bnn.EwiseOp("div", value, bnn.DenseAttr.from_floats(spread))
    return lifting.channels_first(lifting.emit(quotient))


@rule("GlobalAveragePool")
def lift_global_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One window, as large as the frame."""
    total, size = global_sum(lifting, lifting.floats(op.input(0)))
    return lifting.channels_first(lifting.ewise("div", total, size))


def global_sum(lifting: Lifting, value: SSAValue) -> tuple[SSAValue, float]:
    """The sum over all of an f32 frame, channels last, and of how many elements it is."""
    value = lifting.channels_last(value)
    space = bnn.frame_type(value).get_shape()[:-1]
    ones = [1] * len(space)
    total = lifting.emit(bnn.SumPoolOp(value, space, ones, ones, f32))
    return total, float(np.prod(space, dtype=np.int64))


@rule("GlobalMaxPool")
def lift_global_max_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One window, as large as the frame."""
    value = lifting.channels_last(lifting.frame(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    ones = [1] * len(space)
    pool = bnn.MaxPoolOp(value, space, ones, ones, element_type_of(value))
    return lifting.channels_first(lifting.emit(pool))
