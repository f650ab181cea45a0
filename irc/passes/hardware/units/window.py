"""The hardware of sliding windows: a circular buffer that is written beat by beat, and freed
window by window.

    cycle 0   a beat is taken and written
    cycle 1   it may be read
    cycle 2   offered, from the output register of the RAM

Positions in the buffer only ever move by a constant, chosen by the counters that wrap; there is
no multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.dialects.window_geometry import WindowGeometry
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, bits_for, fit
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, Counter, counter, unit_builder


def window_module(op: dataflow.WindowOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    geometry = op.geometry()
    depth = geometry.buffer_beats
    # The next window may start behind beats that have not come yet.
    steps = (geometry.next_window, geometry.next_row, geometry.next_frame)
    lowest = min(0, geometry.span - max(steps))
    level = b.reg("level", bits_for(lowest, depth))
    room = b.named("room", b.ne(level.value, depth))
    takes = b.named("takes", b.and_(room, b.input(f"{INPUT}_tvalid")))

    fetch_wire = b.wire("fetches", 1)
    walk = _Walk.over(b, geometry, fetch_wire.value)
    offset = b.reg("offset", bits_for(0, geometry.span - 1))
    offered = b.reg("offered", 1)
    ready = b.input(f"{OUTPUT}_tready")
    free = b.named("free", b.or_(b.not_(offered.value), ready))
    width = b.width(level.value)
    reached = Number(offset.value, 0, geometry.span - 1)
    # One bit more where the level is unsigned and narrower than the offset could be.
    wide = max(width, b.width(offset.value) + (lowest < 0))
    here = fit(b, Number(level.value, lowest, depth), wide)
    there = fit(b, reached, wide)
    available = b.named("available", (b.slt if lowest < 0 else b.ult)(there, here))
    fetches = b.named("fetching", b.and_(available, free))
    fetch_wire.drive(fetches)
    offered.set_next(b.or_(fetches, b.and_(offered.value, b.not_(ready))))

    offset_width = b.width(offset.value)
    step = walk.within(b, geometry, 1 << offset_width, offset_width)
    following = b.add(offset.value, step)
    offset.set_next(b.mux(walk.ends, 0, following), fetches)
    grown = b.add(level.value, b.zext(takes, width))
    freed = walk.between(b, steps, width)
    level.set_next(b.mux(b.and_(fetches, walk.ends), b.sub(grown, freed), grown))

    data = b.ram(
        "rows",
        depth,
        write_enable=takes,
        write_address=counter(b, "write", depth, takes).value,
        write_data=b.input(f"{INPUT}_tdata"),
        read_address=_read_address(b, geometry, walk, fetches),
        read_enable=fetches,
    )
    b.output(f"{INPUT}_tready", room)
    b.output(f"{OUTPUT}_tvalid", offered.value)
    b.output(f"{OUTPUT}_tdata", data)
    return b.finish()


@dataclass(frozen=True)
class _Walk:
    """Which beat of which window is read next."""

    chunk: Counter
    column: Counter
    row: Counter
    group: Counter
    window: Counter
    window_row: Counter
    ends: SSAValue
    """Whether the beat is the last of its window."""

    @staticmethod
    def over(b: HwBuilder, geometry: WindowGeometry, moves: SSAValue) -> _Walk:
        """Counters that go on to the next beat in cycles where `moves` is 1."""
        chunk = counter(b, "chunk", geometry.group_chunks, moves)
        element = b.and_(moves, chunk.is_last)
        column = counter(b, "kernel_column", geometry.kernel[1], element)
        row_of_kernel = b.and_(element, column.is_last)
        row = counter(b, "kernel_row", geometry.kernel[0], row_of_kernel)
        group_ends = b.and_(row_of_kernel, row.is_last)
        group = counter(b, "group", geometry.groups, group_ends)
        ends = b.named(
            "window_ends",
            b.all(b.concat(chunk.is_last, column.is_last, row.is_last, group.is_last)),
        )
        done = b.and_(moves, ends)
        window = counter(b, "window", geometry.counts[1], done)
        window_row = counter(b, "window_row", geometry.counts[0], b.and_(done, window.is_last))
        return _Walk(chunk, column, row, group, window, window_row, ends)

    def within(self, b: HwBuilder, geometry: WindowGeometry, modulus: int, width: int) -> SSAValue:
        """How far the next beat of the same window lies ahead."""
        steps = (1, geometry.column_step, geometry.row_step, geometry.group_step)
        one, column, row, group = (b.const(step % modulus, width) for step in steps)
        if geometry.groups > 1:
            row = b.mux(self.row.is_last, group, row)
        return b.mux(self.chunk.is_last, b.mux(self.column.is_last, row, column), one)

    def between(self, b: HwBuilder, steps: tuple[int, int, int], width: int) -> SSAValue:
        """Of the steps to the next window, row and frame the one that comes now, modulo
        2^width."""
        mask = (1 << width) - 1
        window, row, frame = (b.const(step & mask, width) for step in steps)
        return b.mux(self.window.is_last, b.mux(self.window_row.is_last, frame, row), window)


def _read_address(
    b: HwBuilder, geometry: WindowGeometry, walk: _Walk, fetches: SSAValue
) -> SSAValue:
    """Where the next beat lies in the buffer; where its window starts is kept beside it."""
    depth = geometry.buffer_beats
    width = address_width(depth)
    start, read = b.reg("start", width), b.reg("read", width)
    steps = (geometry.next_window, geometry.next_row, geometry.next_frame)
    modular = (steps[0] % depth, steps[1] % depth, steps[2] % depth)
    next_start = around(b, start.value, walk.between(b, modular, width), depth)
    ahead = around(b, read.value, walk.within(b, geometry, depth, width), depth)
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
