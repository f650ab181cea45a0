"""Convolutions: channels last, with every border explicit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.quantized_constants import QuantizedConstant
from irc.passes.lift.rules.linear import (
    as_integers,
    constant_weights,
    near_integers,
    weights_attribute,
)
from irc.passes.lift.windows import Window

Array = npt.NDArray[Any]


@rule("Conv")
def lift_conv(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Convolution of any rank, with constant weights [M, C/G, …kernel]."""
    value = lifting.floats(op.input(0))
    weights = constant_weights(lifting, op.operands[1])
    offsets = None
    if op.input(2) is not None:
        offsets = lifting.required_constant(op.input(2), "the bias").astype(np.float32)
    return convolution(lifting, op, value, weights, offsets)


def convolution(
    lifting: Lifting,
    op: onnx.OnnxOp,
    value: SSAValue,
    weights: QuantizedConstant,
    offsets: Array | None,
) -> SSAValue:
    """The convolution of f32 frames, channels first, that the attributes of `op` describe."""
    value = lifting.channels_last(value)
    shape = weights.integers.shape
    rank = len(bnn.frame_type(value).get_shape()) - 1
    if rank < 1 or len(shape) != rank + 2:
        raise lifting.fail(f"weights of shape {list(shape)} for {rank} axes in space")
    integers, scales = as_integers(weights.map(lambda a: a.reshape(shape[0], -1)))
    value, integers, scales = near_integers(lifting, value, integers, scales)
    kernel = np.moveaxis(integers.reshape(shape), 1, -1)
    window = Window(lifting, op, bnn.frame_type(value).get_shape()[:-1], shape[2:])
    groups = op.int_attr("group", 1)
    if groups < 1 or shape[0] % groups:
        raise lifting.fail(f"{groups} groups for {shape[0]} output channels")
    if shape[1] * groups != bnn.frame_type(value).get_shape()[-1]:
        raise lifting.fail(
            f"weights for {shape[1]} channels in each of {groups} groups, but the activation has "
            f"{bnn.frame_type(value).get_shape()[-1]} channels"
        )
    if offsets is not None and offsets.shape not in ((), (1,), shape[:1]):
        raise lifting.fail(f"a bias of shape {list(offsets.shape)} for {shape[0]} output channels")
    value = window.padded(value, 0.0)
    is_float = kernel.dtype.kind == "f"
    conv = bnn.ConvOp(
        value,
        bnn.DenseAttr.from_floats(kernel) if is_float else weights_attribute(kernel),
        f32,
        window.strides,
        window.dilations,
        groups,
        None if bool((scales == 1).all()) else bnn.DenseAttr.from_floats(scales),
        None if offsets is None else bnn.DenseAttr.from_floats(offsets),
    )
    return lifting.channels_first(lifting.emit(conv))
