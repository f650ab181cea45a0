"""Element-wise operations in frames of another shape, their constants moved alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from irc.dialects import bnn

Array = npt.NDArray[Any]


def moved_constants(op: Operation, shape: tuple[int, ...]) -> dict[str, Attribute] | None:
    """The properties of `op` in frames of another shape; `None` where a constant cannot follow."""
    old_shape = bnn.frame_type(op.results[0]).get_shape()
    properties = dict(op.properties)
    for name, attribute in op.properties.items():
        if not isinstance(attribute, bnn.DenseAttr):
            continue
        if isinstance(op, bnn.ThresholdOp | bnn.FloatThresholdOp):
            if attribute.shape[0] != 1 and shape[-1:] != old_shape[-1:]:
                return None
        elif attribute.size != 1:
            moved = reshaped_constant(attribute.numpy(), old_shape, shape)
            if moved is None:
                return None
            properties[name] = bnn.DenseAttr.from_floats(moved)
    return properties


def with_shape(op: Operation, value: SSAValue, properties: dict[str, Attribute]) -> Operation:
    """`op` on the reshaped operand `value`, with constants that follow."""
    shape = bnn.frame_type(value).get_shape()
    moved = type(op).create(
        operands=[value],
        result_types=[TensorType(bnn.frame_type(op.results[0]).element_type, shape)],
        properties=properties,
        attributes=dict(op.attributes),
    )
    moved.location = op.location
    return moved


def reshaped_constant(constant: Array, old: tuple[int, ...], new: tuple[int, ...]) -> Array | None:
    """A constant of frames of shape `old` for frames of shape `new`, along the last axis alone
    where that is all that differs; `None` where that holds for the old one only, since thresholds
    can absorb one number a channel, but no more."""
    whole = np.broadcast_to(constant, old).reshape(new)
    rows = whole.reshape(-1, *new[-1:])
    if bool((rows == rows[:1]).all()):
        return rows[0]
    return None if constant.size == constant.shape[-1] else whole
