"""Float functions, quantizers and softmax into kernels: a network's beginning and its end."""

from __future__ import annotations

import math

import numpy as np
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import DenseAttr
from irc.passes.software.buffers import Buffers

Steps = list[tuple[str, DenseAttr | None]]


def lower_float(buffers: Buffers, op: bnn.CastOp | bnn.EwiseOp) -> None:
    """A run of float functions that only feed each other becomes one chain, at its last op.

    A quantizer behind it takes the chain along.
    """
    readers = list(op.output.uses)
    if len(readers) == 1 and isinstance(readers[0].operation, bnn.EwiseOp | bnn.Quantizer):
        return
    source, steps, run = _chain_to(op)
    chain = packed.FloatChainOp(buffers.label(op, "scale"), buffers.array(source), steps)
    buffers.define(op.output, buffers.emit(chain, op, *run))


def lower_quantizer(buffers: Buffers, op: bnn.QuantizeOp | bnn.FloatThresholdOp) -> None:
    """Floats to codes, with the functions before it, into the form that the readers take."""
    source, steps, run = op.input, Steps(), list[Operation]()
    if isinstance(producer := source.owner, bnn.CastOp | bnn.EwiseOp) and source.has_one_use():
        source, steps, run = _chain_to(producer)
    sizes = [constant.size for _, constant in steps if constant is not None]
    thresholds = None
    if isinstance(op, bnn.FloatThresholdOp):
        thresholds = op.thresholds
        if not thresholds.size:
            # Nothing reaches infinity, so that the code is 0; C has no empty arrays.
            thresholds = DenseAttr.from_floats(np.full((1, 1), np.inf, np.float32))
    result = _result(buffers, op, sizes, 1 if thresholds is None else thresholds.shape[0])
    label, values = buffers.label(op, "quantize"), buffers.array(source)
    if thresholds is not None:
        codes = packed.FloatThresholdOp(label, values, steps, result, thresholds)
        buffers.define(op.output, buffers.emit(codes, op, *run))
    elif isinstance(op, bnn.QuantizeOp):
        rounding = op.rounding.data
        rounded = packed.FloatQuantizeOp(label, values, steps, result, rounding, op.bounds)
        buffers.define(op.output, buffers.emit(rounded, op, *run))


def _result(
    buffers: Buffers, op: bnn.QuantizeOp | bnn.FloatThresholdOp, sizes: list[int], channels: int
) -> packed.BufferType:
    """Bits, if the readers want them and constants and thresholds repeat with their rows."""
    array = buffers.array_of(op.output)
    width = buffers.row_of(op.output)
    repeat = all(width % size == 0 or size == array.length for size in sizes)
    return buffers.wanted(op.output, width) if repeat and width % channels == 0 else array


def _chain_to(op: bnn.CastOp | bnn.EwiseOp) -> tuple[SSAValue, Steps, list[Operation]]:
    """What a run of functions that ends with `op` is applied to, its steps, and the operations."""
    steps, run = Steps(), list[Operation]()
    current: Operation = op
    while isinstance(current, bnn.EwiseOp):
        steps.append((current.fn.data, _flat_constant(current)))
        run.append(current)
        source = current.input.owner
        if not isinstance(source, bnn.CastOp | bnn.EwiseOp) or not current.input.has_one_use():
            break
        current = source
    assert isinstance(current, bnn.CastOp | bnn.EwiseOp)
    return current.input, steps[::-1], [*run[::-1], current]


def _flat_constant(op: bnn.EwiseOp) -> DenseAttr | None:
    """The constant as a vector that repeats along the frame: one number, one row, or the frame."""
    if op.constant is None:
        return None
    shape = bnn.frame_type(op.input).get_shape()
    values = op.constant.numpy()
    if values.size == 1:
        return DenseAttr.from_floats(values.reshape(1))
    if values.shape and values.size == values.shape[-1]:
        return DenseAttr.from_floats(values.reshape(-1))
    return DenseAttr.from_floats(np.broadcast_to(values, shape).reshape(-1))


def lower_softmax(buffers: Buffers, op: bnn.SoftmaxOp) -> None:
    """Along the last axis, row by row."""
    rows = math.prod(bnn.frame_type(op.input).get_shape()[:-1])
    values = buffers.array(op.input)
    softmax = packed.SoftmaxOp(buffers.label(op, "softmax"), op.fn.data, values, rows)
    buffers.define(op.output, buffers.emit(softmax, op))
