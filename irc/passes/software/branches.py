"""Sums of two branches, and what joins, cuts and repeats frames, into kernels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import DenseAttr, element_range
from irc.passes.software.buffers import Buffers
from irc.passes.software.dense_kernels import (
    accumulator_for,
    clamped,
    staircase_bound,
    staircase_of,
)
from irc.passes.software.gathering import pixel_bits
from irc.passes.software.layouts import moves_bits
from irc.passes.software.spatial import fused_threshold

Array = npt.NDArray[Any]


def lower_add(buffers: Buffers, op: bnn.AddOp) -> None:
    """A sum, unless the threshold behind it takes it as it is computed."""
    if isinstance(bnn.frame_type(op.output).element_type, Float32Type):
        values = buffers.array(op.lhs), buffers.array(op.rhs)
        add = packed.FloatAddOp(buffers.label(op, "add"), values)
        buffers.define(op.output, buffers.emit(add, op))
    elif fused_threshold(op) is None:
        lower_exact_add(buffers, op, None)


def lower_exact_add(buffers: Buffers, op: bnn.AddOp, threshold: bnn.ThresholdOp | None) -> None:
    """A sum of integers, with the thresholds that follow it, if any."""
    largest, low, high = _reach(op)
    shape = bnn.frame_type(op.output).get_shape()
    staircase, output = None, op.output
    result: packed.BufferType = buffers.array_of(output)
    if threshold is not None:
        staircase, output = clamped(staircase_of(threshold), low, high), threshold.output
        result = buffers.wanted(output, shape[-1] if shape else 1)
    accumulator = accumulator_for(max(largest, staircase_bound(staircase)), op)
    values = buffers.either(op.lhs), buffers.either(op.rhs)
    label = buffers.label(op, "add")
    add = packed.AddOp(label, values, _multipliers(op), result, accumulator, staircase)
    buffers.define(output, buffers.emit(add, op, threshold))


def _multipliers(op: bnn.AddOp) -> DenseAttr | None:
    """The multipliers: for all channels alike where they are, none where they are 1."""
    if op.multipliers is None:
        return None
    values = op.multipliers.numpy()
    if bool((values == values[:, :1]).all()):
        values = values[:, :1]
    return None if bool((values == 1).all()) else DenseAttr.from_integers(values)


def _reach(op: bnn.AddOp) -> tuple[int, int, int]:
    """A bound on every magnitude on the way to a sum; the least and the largest sum."""
    multipliers: Array = np.ones((2, 1), np.int64).astype(object)
    if op.multipliers is not None:
        multipliers = op.multipliers.numpy().astype(object)
    ends: list[Array] = []
    for value, factors in zip((op.lhs, op.rhs), multipliers, strict=True):
        bounds = np.array(element_range(bnn.frame_type(value).element_type), object)
        ends.append(np.sort(bounds[:, None] * factors, axis=0))
    sums = ends[0] + ends[1]
    magnitudes = np.abs(ends[0]).max(axis=0) + np.abs(ends[1]).max(axis=0)
    largest = max(int(magnitudes.max()), int(np.abs(multipliers).max()))
    # An operand's own values pass through the accumulator, too.
    for value in (op.lhs, op.rhs):
        low, high = element_range(bnn.frame_type(value).element_type)
        largest = max(largest, 2 * max(-low, high))
    return largest, int(sums.min()), int(sums.max())


def lower_concat(buffers: Buffers, op: bnn.ConcatOp) -> None:
    """On bits if the readers want bits, a row for each pixel; else in an array."""
    layout = moves_bits(op, buffers)
    shape, axis = bnn.frame_type(op.output).get_shape(), op.axis_index
    result = buffers.array_of(op.output) if layout is None else layout
    values = [_moved(buffers, op, value, layout is not None) for value in op.inputs]
    label = buffers.label(op, "concat")
    concat = packed.ConcatOp(label, values, result, math.prod(shape[:axis]))
    buffers.define(op.output, buffers.emit(concat, op))


def lower_slice(buffers: Buffers, op: bnn.SliceOp) -> None:
    """Likewise."""
    layout = moves_bits(op, buffers)
    shape = bnn.frame_type(op.input).get_shape()
    result = buffers.array_of(op.output) if layout is None else layout
    source = _moved(buffers, op, op.input, layout is not None)
    label = buffers.label(op, "slice")
    moved = packed.SliceOp(label, source, result, shape, op.offsets, op.sizes, op.strides)
    buffers.define(op.output, buffers.emit(moved, op))


def lower_upsample(buffers: Buffers, op: bnn.UpsampleOp) -> None:
    """Likewise."""
    layout = moves_bits(op, buffers)
    shape = bnn.frame_type(op.input).get_shape()
    result = buffers.array_of(op.output) if layout is None else layout
    source = _moved(buffers, op, op.input, layout is not None)
    label = buffers.label(op, "upsample")
    moved = packed.UpsampleOp(label, source, result, shape, op.factors)
    buffers.define(op.output, buffers.emit(moved, op))


def _moved(
    buffers: Buffers, op: bnn.ConcatOp | bnn.SliceOp | bnn.UpsampleOp, value: SSAValue, bits: bool
) -> SSAValue:
    """The operand of an op that moves pixels of bits, or elements of arrays."""
    if not bits:
        return buffers.array(value)
    pixels = pixel_bits(value, buffers.options.word)
    assert pixels is not None
    return buffers.bits(value, pixels, op)
