"""The hardware of padding: counters over the output frame say where the border is.

A beat of the input is offered in the cycle after it was taken; the border needs no input.
"""

from __future__ import annotations

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType, element_range
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, fit
from irc.passes.hardware.units.pipeline import (
    INPUT,
    between,
    counter,
    output_register,
    unit_builder,
)


def pad_module(op: dataflow.PadOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    # One cycle late after reset, as everything is that comes from the input.
    running = b.reg("running", 1)
    running.set_next(1)

    moves = b.wire("moves", 1)
    height, width = op.outer_size
    chunk = counter(b, "chunk", op.chunks, moves.value)
    pixels = op.pixels
    column = counter(b, "column", width // pixels, b.and_(moves.value, chunk.is_last))
    ends = b.and_(moves.value, b.and_(chunk.is_last, column.is_last))
    row = counter(b, "row", height, ends)
    (top, left), (rows, columns) = op.first_inside, op.inner_size
    first, count = left // pixels, columns // pixels
    row_inside = between(b, row, top, top + rows, height)
    inside = b.named(
        "inside",
        b.and_(row_inside, between(b, column, first, first + count, width // pixels)),
    )
    present = b.mux(inside, b.input(f"{INPUT}_tvalid"), running.value)
    end = output_register(b, present)
    moves.drive(end.load)
    b.output(f"{INPUT}_tready", b.and_(end.free, inside))
    border = b.const(_code(op), result.element_width)
    lanes = b.slices(b.input(f"{INPUT}_tdata"), source.element_width)
    shown = [inside] * len(lanes)
    shift = left % pixels * (len(lanes) // pixels)
    if shift:
        # Elements between whole beats: the last of each beat wait for the next one.
        late = b.and_(row_inside, between(b, column, first + 1, first + count + 1, width // pixels))
        last = b.concat(*reversed(lanes[-shift:]))
        held = b.delay("held", last, None, b.and_(moves.value, inside))
        lanes = b.slices(held, source.element_width) + lanes[:-shift]
        shown = [late] * shift + shown[shift:]
    end.store(
        [
            b.mux(here, _widened(b, op, lane), border)
            for here, lane in zip(shown, lanes, strict=True)
        ]
    )
    return b.finish()


def _code(op: dataflow.PadOp) -> int:
    """The border as the bits of an element."""
    if isinstance(dataflow.stream_type(op.output).element_type, BipolarType):
        return int(op.pad_value > 0)
    return op.pad_value & ((1 << dataflow.stream_type(op.output).element_width) - 1)


def _widened(b: HwBuilder, op: dataflow.PadOp, lane: SSAValue) -> SSAValue:
    """An element of the input in the type of the output."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    if source.element_type == result.element_type:
        return lane
    return fit(b, as_number(b, source, lane), result.element_width)


def as_number(b: HwBuilder, stream: dataflow.StreamType, lane: SSAValue) -> Number:
    """An element of a stream as an integer; a bit of a bipolar stream becomes −1 or +1."""
    if isinstance(stream.element_type, BipolarType):
        # 1 is 01 and −1 is 11.
        return Number(b.concat(b.not_(lane), b.const(1, 1)), -1, 1)
    return Number(lane, *element_range(stream.element_type))
