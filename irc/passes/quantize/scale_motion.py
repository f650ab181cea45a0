"""Put scale and offset of integer activations behind the sums that read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType, f32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.quantize.activation_sites import (
    Movement,
    Sum,
    is_border_of_zeros,
    passes_on,
)
from irc.passes.quantize.replace_weights import with_operands
from irc.passes.rewriting import erase_dead
from irc.passes.streamline.streamline_pools import rises

Array = npt.NDArray[Any]

_OFFSETS = ("add", "sub")


def move_scales_behind_sums(function: FuncOp) -> None:
    """`W·(s·q + o) = s·(W·q) + o·Σ W` for numbers s and o, an exact q and exact weights.

    The sum on the right is of integers: as long as they fit 24 bits, float32 adds them without
    rounding, in any order, and so does every level below. This is how the quantized network is
    meant; on the left each runtime would round in its own way.
    """
    for op in list(function.body.block.ops):
        if isinstance(op, Sum):
            _move(op)
    erase_dead(function)


def _move(op: Sum) -> None:
    if not isinstance(op, bnn.SumPoolOp) and (
        not is_exact(op.weights.element_type) or op.scales is not None or op.offsets is not None
    ):
        return
    path, functions, value = _behind(op.input)
    if not functions or not isinstance(value.owner, bnn.CastOp):
        return
    new_ops: list[Operation] = []
    for movement in reversed(path):
        new_ops.append(_moved(movement, value))
        value = new_ops[-1].results[0]
    if isinstance(op, bnn.SumPoolOp):
        new_ops.append(bnn.SumPoolOp(value, op.kernel, op.strides, op.dilations, f32))
    else:
        new_ops.append(with_operands(op, value, op.weights))
    new_ops[-1].location = op.location
    totals = _row_sums(op)
    for function in reversed(functions):
        constant = function.constant
        assert constant is not None
        if function.fn.data in _OFFSETS:
            constant = bnn.DenseAttr.from_floats(constant.numpy().reshape(()) * totals)
        new_ops.append(bnn.EwiseOp(function.fn.data, new_ops[-1].results[0], constant))
        new_ops[-1].location = op.location
    Rewriter.replace_op(op, new_ops)


def _row_sums(op: Sum) -> Array:
    """What a sum makes of ones: float64 [M], or a number where that is the same in all channels."""
    if isinstance(op, bnn.SumPoolOp):
        return np.array(float(op.window_size))
    weights = op.weights.numpy()
    return weights.reshape(len(weights), -1).sum(axis=1, dtype=np.float64)


def _behind(value: SSAValue) -> tuple[list[Movement], list[bnn.EwiseOp], SSAValue]:
    """What only moves elements before `value`, what scales and shifts them, last first, and of
    what."""
    path: list[Movement] = []
    functions: list[bnn.EwiseOp] = []
    while True:
        op = value.owner
        if isinstance(op, Movement) and passes_on(op):
            path.append(op)
        elif isinstance(op, bnn.EwiseOp) and _is_affine(op) and _passes(op, path):
            functions.append(op)
        else:
            return path, functions, value
        value = op.input


def _passes(op: bnn.EwiseOp, path: list[Movement]) -> bool:
    """Whether a function can go behind a movement: a border of 0 stays one only if nothing is
    added in front of it, and the largest of some is that of the results only if it rises."""
    if op.fn.data in _OFFSETS:
        return not any(map(is_border_of_zeros, path))
    return rises(op) or not any(isinstance(moved, bnn.MaxPoolOp) for moved in path)


def _is_affine(op: bnn.EwiseOp) -> bool:
    """Whether it scales by a number other than 0, or adds one."""
    if op.constant is None or op.constant.size != 1:
        return False
    if op.fn.data in _OFFSETS:
        return True
    return op.fn.data in ("mul", "div") and bool(op.constant.numpy().any())


def _moved(op: Movement, value: SSAValue) -> Operation:
    """The same movement of another value in floats."""
    shape = bnn.frame_type(op.output).get_shape()
    moved = type(op).create(
        operands=[value],
        result_types=[TensorType(f32, shape)],
        properties=dict(op.properties),
        attributes=dict(op.attributes),
    )
    moved.location = op.location
    return moved
