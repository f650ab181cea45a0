"""Several values into the hardware, or out of it, as the one stream that it has at either end.

Frames follow each other in it, flattened, as elements of one type that holds them all: `join`
makes it on the host of what enters, `stream_parts` takes it apart in hardware; `stream_join` makes
it in hardware of what leaves, `parts` takes it apart on the host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from irc.dialects import bnn, dataflow
from irc.dialects.dense import element_range
from irc.passes.hardware.hardware_section import Section
from irc.passes.layer_names import UniqueNames

Frame = TensorType[Attribute]
Made = tuple[list[Operation], SSAValue]
"""New operations in order, and the value that they are for."""

_ANY_EXACT = (
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.SumPoolOp,
    bnn.PadOp,
    bnn.ThresholdOp,
    bnn.AddOp,
)
"""Layers that give the same, whichever exact type holds what they read."""


def hoist_entries(function: FuncOp, section: Section) -> InsertPoint:
    """Move what the entries of a section need to the front; where the hardware can begin."""
    needed = {value.owner for value in section.entries}
    for op in reversed(list(function.body.block.ops)):
        if op in needed:
            needed.update(value.owner for value in op.operands)
    front = [op for op in function.body.block.ops if op in needed]
    for op in reversed(front):
        op.detach()
        first = function.body.block.first_op
        assert first is not None
        function.body.block.insert_op_before(op, first)
    return InsertPoint.after(front[-1]) if front else InsertPoint.at_start(function.body.block)


def join(values: Sequence[SSAValue]) -> Made:
    """One value of several, on the host; the only one as it is."""
    if len(values) == 1:
        return [], values[0]
    common = _common_type(list(map(bnn.frame_type, values)))
    ops: list[Operation] = []
    flat: list[SSAValue] = []
    for value in values:
        count = _elements(bnn.frame_type(value))
        if bnn.frame_type(value).element_type != common:
            pixel = bnn.ReshapeOp(value, (1, count))
            wide = bnn.PadOp(pixel.output, (0,), (0,), 0, common)
            ops += [pixel, wide]
            value = wide.output
        ops.append(row := bnn.ReshapeOp(value, (count,)))
        flat.append(row.output)
    ops.append(joined := bnn.ConcatOp(flat, 0))
    return ops, joined.output


def stream_parts(
    stream: SSAValue, values: Sequence[SSAValue], section: Section, names: UniqueNames
) -> Iterator[Made]:
    """The stream of each value of which `join` made `stream`."""
    if len(values) == 1:
        yield [], stream
        return
    for value, start in zip(values, _starts(list(map(bnn.frame_type, values))), strict=True):
        frame = bnn.frame_type(value)
        part = dataflow.SliceOp(stream, (start,), (_elements(frame),), (1,))
        shaped = dataflow.ReshapeOp(part.output, frame.get_shape())
        if _suits(value, shaped.output, section):
            yield [part, shaped], shaped.output
            continue
        low, high = element_range(frame.element_type)
        at = [1] if isinstance(frame.element_type, bnn.BipolarType) else range(low + 1, high + 1)
        thresholds = bnn.DenseAttr.from_integers(np.array([at]))
        bias = 0 if isinstance(frame.element_type, bnn.BipolarType) else low
        narrow = dataflow.ThresholdOp(
            names.unique("input"), shaped.output, thresholds, frame.element_type, None, bias
        )
        yield [part, shaped, narrow], narrow.output


def stream_join(streams: Sequence[SSAValue]) -> Made:
    """One stream of several; the only one as it is."""
    if len(streams) == 1:
        return [], streams[0]
    frames = [dataflow.stream_type(stream).frame for stream in streams]
    common = _common_type(frames)
    ops: list[Operation] = []
    flat: list[SSAValue] = []
    for stream, frame in zip(streams, frames, strict=True):
        if frame.element_type != common:
            # One pixel with a border of none: in a beat there is room for as much as wanted.
            pixel = dataflow.ReshapeOp(stream, (1, _elements(frame)))
            wide = dataflow.PadOp(pixel.output, (0,), (0,), 0, common)
            ops += [pixel, wide]
            stream = wide.output
        ops.append(row := dataflow.ReshapeOp(stream, (_elements(frame),)))
        flat.append(row.output)
    ops.append(joined := dataflow.ConcatOp(flat, 0))
    return ops, joined.output


def parts(value: SSAValue, frames: Sequence[Frame]) -> Iterator[Made]:
    """What `stream_join` made `value` of, on the host, in the types that it had."""
    if len(frames) == 1:
        yield [], value
        return
    for frame, start in zip(frames, _starts(frames), strict=True):
        count = _elements(frame)
        ops: list[Operation] = [part := bnn.SliceOp(value, (start,), (count,), (1,))]
        row = part.output
        if isinstance(frame.element_type, bnn.BipolarType):
            at = bnn.DenseAttr.from_integers(np.array([[1]]))
            ops.append(sign := bnn.ThresholdOp(row, at, bnn.bipolar))
            row = sign.output
        elif frame.element_type != bnn.frame_type(row).element_type:
            # Times 1, in the narrower type, which holds all that occurs.
            ops.append(column := bnn.ReshapeOp(row, (count, 1)))
            one = bnn.DenseAttr.from_integers(np.array([[1]]))
            ops.append(narrow := bnn.LinearOp(column.output, one, frame.element_type))
            row = narrow.output
        ops.append(shaped := bnn.ReshapeOp(row, frame.get_shape()))
        yield ops, shaped.output


def _suits(value: SSAValue, stream: SSAValue, section: Section) -> bool:
    """Whether the readers of a value in the section can read it in the type of the stream."""
    if dataflow.stream_type(stream).element_type == bnn.frame_type(value).element_type:
        return True
    if isinstance(bnn.frame_type(value).element_type, bnn.BipolarType):
        return False
    return all(isinstance(op, _ANY_EXACT) for op in section.ops if value in op.operands)


def _common_type(frames: Sequence[Frame]) -> Attribute:
    """The type of all frames, or the narrowest integer that holds the elements of all."""
    types = {frame.element_type for frame in frames}
    if len(types) == 1:
        return types.pop()
    low, high = zip(*map(element_range, types), strict=True)
    return bnn.smallest_int(min(low), max(high))


def _elements(frame: Frame) -> int:
    return int(np.prod(frame.get_shape(), dtype=np.int64))


def _starts(frames: Sequence[Frame]) -> list[int]:
    """Where each frame begins among all, flattened."""
    return [0, *accumulate(map(_elements, frames))][:-1]
