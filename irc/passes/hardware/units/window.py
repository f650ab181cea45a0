"""The hardware of sliding windows: a circular buffer that is written beat by beat, and freed
window by window.

    cycle 0   a beat is taken and written
    cycle 1   it may be read
    cycle 2   offered, from the output register of the RAM

Positions in the buffer only ever move by a constant, chosen by the counters that wrap; there is
no multiplication.
"""

from __future__ import annotations

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.dialects.window_geometry import WindowGeometry
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter, unit_builder
from irc.passes.hardware.units.row_buffer import Walk, row_buffer


def window_module(op: dataflow.WindowOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    geometry = op.geometry()
    buffer = row_buffer(b, geometry, lambda walk, fetches: _offset(b, geometry, walk, fetches))
    data = b.ram(
        "rows",
        geometry.buffer_beats,
        write_enable=buffer.takes,
        write_address=counter(b, "write", geometry.buffer_beats, buffer.takes).value,
        write_data=b.input(f"{INPUT}_tdata"),
        read_address=_read_address(b, geometry, buffer.walk, buffer.fetches),
        read_enable=buffer.fetches,
    )
    b.output(f"{OUTPUT}_tdata", data)
    return b.finish()


def _offset(b: HwBuilder, geometry: WindowGeometry, walk: Walk, fetches: SSAValue) -> SSAValue:
    """How far the next beat is behind the start of its window."""
    offset = b.reg("offset", bits_for(0, geometry.span - 1))
    width = b.width(offset.value)
    following = b.add(offset.value, _within(b, geometry, walk, 1 << width, width))
    offset.set_next(b.mux(walk.ends, 0, following), fetches)
    return offset.value


def _within(
    b: HwBuilder, geometry: WindowGeometry, walk: Walk, modulus: int, width: int
) -> SSAValue:
    """How far the next beat of the same window lies ahead."""
    steps = (1, geometry.column_step, geometry.row_step, geometry.group_step)
    one, column, row, group = (b.const(step % modulus, width) for step in steps)
    if geometry.groups > 1:
        row = b.mux(walk.row.is_last, group, row)
    return b.mux(walk.chunk.is_last, b.mux(walk.column.is_last, row, column), one)


def _read_address(
    b: HwBuilder, geometry: WindowGeometry, walk: Walk, fetches: SSAValue
) -> SSAValue:
    """Where the next beat lies in the buffer; where its window starts is kept beside it."""
    depth = geometry.buffer_beats
    width = address_width(depth)
    start, read = b.reg("start", width), b.reg("read", width)
    steps = (geometry.next_window, geometry.next_row, geometry.next_frame)
    modular = (steps[0] % depth, steps[1] % depth, steps[2] % depth)
    next_start = around(b, start.value, walk.between(b, modular, width), depth)
    ahead = around(b, read.value, _within(b, geometry, walk, depth, width), depth)
    start.set_next(next_start, b.and_(fetches, walk.ends))
    read.set_next(b.mux(walk.ends, next_start, ahead), fetches)
    return read.value


def around(b: HwBuilder, position: SSAValue, step: SSAValue, depth: int) -> SSAValue:
    """`(position + step) modulo depth`, both below `depth`."""
    width = b.width(position)
    if depth == 1 << width:
        return b.add(position, step)
    total = b.add(b.zext(position, width + 1), b.zext(step, width + 1))
    return b.trunc(b.mux(b.uge(total, depth), b.sub(total, depth), total), width)
