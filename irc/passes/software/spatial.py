"""Borders and pools into kernels, and which op computes the thresholds behind it itself."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import element_range
from irc.dialects.packed_types import BitsType
from irc.passes.software.buffers import Buffers, uses
from irc.passes.software.dense_kernels import (
    accumulator_for,
    clamped,
    staircase_bound,
    staircase_of,
)
from irc.passes.software.gathering import folds_border, windows_of
from irc.passes.software.layouts import goes_by_bits
from irc.rejections import named, reject, shared

FUSING = (bnn.LinearOp, bnn.ConvOp, bnn.MaxPoolOp, bnn.SumPoolOp, bnn.AddOp)
"""Ops whose kernels can threshold what they compute."""


def fused_threshold(
    op: bnn.LinearOp | bnn.ConvOp | bnn.MaxPoolOp | bnn.SumPoolOp | bnn.AddOp,
) -> bnn.ThresholdOp | None:
    """The threshold op that is the only reader of `op` and fits its rows."""
    readers = [use.operation for use in uses(op.output)]
    if len(readers) != 1 or not isinstance(readers[0], bnn.ThresholdOp):
        for reader in readers:
            if isinstance(reader, bnn.ThresholdOp):
                what = f"the result of {named(op)} {shared(op.output, reader)}"
                reject(reader, "thresholds within the kernel that sums", what, final=True)
        return None
    shape = bnn.frame_type(op.output).get_shape()
    return readers[0] if readers[0].thresholds.shape[0] in (1, *shape[-1:]) else None


def lower_pad(buffers: Buffers, op: bnn.PadOp) -> None:
    """On bits if the readers want bits, a row for each pixel; else in an array.

    Nothing is done where readers make up the border as they gather.
    """
    if folds_border(op):
        return
    *space, channels = bnn.frame_type(op.input).get_shape()
    result = buffers.wanted(op.output, channels)
    if isinstance(result, BitsType):
        element_type = bnn.frame_type(op.input).element_type
        layout = BitsType.of(math.prod(space), channels, element_type, result.word)
        source = buffers.bits(op.input, layout, op)
    else:
        source = buffers.array(op.input)
    label = buffers.label(op, "pad")
    pad = packed.PadOp(label, source, result, space, op.before, op.after, int(op.pad_value))
    buffers.define(op.output, buffers.emit(pad, op))


def lower_pool(buffers: Buffers, op: bnn.MaxPoolOp | bnn.SumPoolOp) -> None:
    """Single bits by OR, if the readers want bits; everything else from an array."""
    if fused_threshold(op) is not None:
        return
    channels = bnn.frame_type(op.output).get_shape()[-1]
    result = buffers.wanted(op.output, channels)
    if isinstance(op, bnn.MaxPoolOp) and goes_by_bits(op, result):
        assert isinstance(result, BitsType)
        windows = windows_of(op)
        pixels = math.prod(windows.space)
        layout = BitsType.of(pixels, channels, result.element_type, result.word)
        source = buffers.bits(op.input, layout, op)
        if len(list(uses(op.input))) == 1:
            _compute_by_row(source, windows)
        pool = packed.OrPoolOp(buffers.label(op, "pool"), source, result, windows)
        buffers.define(op.output, buffers.emit(pool, op))
        return
    lower_array_pool(buffers, op, None)


def _compute_by_row(source: SSAValue, windows: packed.Windows) -> None:
    """Let a pool, the only reader, have each row computed that it reads, if it reads none twice."""
    producer = source.owner
    apart = all(
        stride > (kernel - 1) * dilation
        for stride, kernel, dilation in zip(
            windows.strides, windows.kernel, windows.dilations, strict=True
        )
    )
    if not isinstance(producer, packed.DenseOp) or not apart:
        return
    patches = producer.input.owner
    if not isinstance(patches, packed.PatchesOp) or patches.windows.counts == windows.space:
        producer.by_row = UnitAttr()


def lower_array_pool(
    buffers: Buffers, op: bnn.MaxPoolOp | bnn.SumPoolOp, threshold: bnn.ThresholdOp | None
) -> None:
    """A pool on integers, with the thresholds that follow it, if any."""
    windows = windows_of(op)
    low, high = element_range(bnn.frame_type(op.input).element_type)
    if isinstance(op, bnn.SumPoolOp):
        low, high = low * windows.taps, high * windows.taps
    staircase, output = None, op.output
    result: packed.BufferType = buffers.array_of(output)
    if threshold is not None:
        staircase, output = clamped(staircase_of(threshold), low, high), threshold.output
        result = buffers.wanted(output, bnn.frame_type(op.output).get_shape()[-1])
    accumulator = accumulator_for(max(-low, high, staircase_bound(staircase)), op)
    kind = packed.MaxPoolOp if isinstance(op, bnn.MaxPoolOp) else packed.SumPoolOp
    label, source = buffers.label(op, "pool"), buffers.array(op.input)
    pool = kind(label, source, result, windows, accumulator, staircase)
    buffers.define(output, buffers.emit(pool, op, threshold))
