"""The hardware of pools: a row of results grows in a RAM while the windows' rows come in.

cycle 0   the beat is taken; what its window holds so far is read
cycle 1   both are combined, and written back
cycle 2   offered, where that was the window's last
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import fit
from irc.passes.hardware.units.pad import as_number
from irc.passes.hardware.units.pipeline import INPUT, counter, output_register, unit_builder

Pool = dataflow.MaxPoolOp | dataflow.SumPoolOp


def pool_module(op: Pool, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    completes = b.reg("completes", 1)
    end = output_register(b, completes.value)
    enable = end.enable
    takes = b.named("takes", b.and_(enable, b.input(f"{INPUT}_tvalid")))
    place = _place(b, op, takes)
    b.output(f"{INPUT}_tready", enable)

    enters = b.named("enters", b.and_(takes, place.inside))
    completes.set_next(b.and_(enters, place.last), enable)
    beat = b.delay("beat", b.input(f"{INPUT}_tdata"), None, enters)
    first = b.delay("first_q", place.first, None, enters)
    elements = b.slices(beat, source.element_width)
    size = op.geometry().kernel[0] * op.geometry().kernel[1]
    if size == 1:
        end.store([_start(b, op, x) for x in elements])
        return b.finish()
    partial = b.wire("partial", result.beat_width)
    held = b.slices(partial.value, result.element_width)
    combined = [
        b.mux(first, _start(b, op, x), _combined(b, op, x, before))
        for x, before in zip(elements, held, strict=True)
    ]
    partial.drive(_so_far(b, op, b.concat(*reversed(combined)), place, enters, enable))
    end.store(combined)
    return b.finish()


@dataclass(frozen=True)
class _Place:
    """Where in which window the beat lies that is about to be taken."""

    inside: SSAValue
    """Whether a window holds it."""
    first: SSAValue
    """Whether it is the first of its window and channels."""
    last: SSAValue
    """Whether it is the last, if inside."""
    starts_row: SSAValue
    """Whether it is in the first column of its window."""
    index: SSAValue
    """Which beat of a row of results it belongs to, if inside."""


def _place(b: HwBuilder, op: Pool, takes: SSAValue) -> _Place:
    geometry = op.geometry()
    chunk = counter(b, "chunk", geometry.chunks, takes)
    element = b.and_(takes, chunk.is_last)
    column = counter(b, "column", geometry.size[1], element)
    row_end = b.and_(element, column.is_last)
    row = counter(b, "row", geometry.size[0], row_end)
    frame_end = b.and_(row_end, row.is_last)
    phases = (
        _phase(b, "row_phase", geometry.strides[0], row_end, frame_end),
        _phase(b, "column_phase", geometry.strides[1], element, row_end),
    )
    inside, first, last = b.const(1, 1), b.const(1, 1), b.const(1, 1)
    for axis, (position, phase) in enumerate(zip((row, column), phases, strict=True)):
        kernel, stride = geometry.kernel[axis], geometry.strides[axis]
        used = stride * geometry.counts[axis]
        if used < geometry.size[axis]:
            inside = b.and_(inside, b.ult(position.value, used))
        if kernel < stride:
            inside = b.and_(inside, b.ult(phase, kernel))
        first = b.and_(first, b.eq(phase, 0))
        last = b.and_(last, b.eq(phase, kernel - 1))

    width = address_width(op.partial_beats)
    index = b.reg("index", width)
    last_column = b.eq(phases[1], geometry.strides[1] - 1)
    # Back to the first channels where the next element lies in the same window.
    back = b.sub(index.value, geometry.chunks - 1)
    following = b.mux(b.and_(chunk.is_last, b.not_(last_column)), back, b.add(index.value, 1))
    index.set_next(b.mux(row_end, 0, following), takes)
    return _Place(inside, first, last, b.eq(phases[1], 0), index.value)


def _phase(b: HwBuilder, name: str, stride: int, advance: SSAValue, restart: SSAValue) -> SSAValue:
    """A position modulo the stride, which `restart` sets back to 0."""
    width = address_width(stride)
    if stride == 1:
        return b.const(0, width)
    reg = b.reg(name, width)
    wraps = b.or_(restart, b.eq(reg.value, stride - 1))
    reg.set_next(b.mux(wraps, 0, b.add(reg.value, 1)), advance)
    return reg.value


def _so_far(
    b: HwBuilder,
    op: Pool,
    combined: SSAValue,
    place: _Place,
    enters: SSAValue,
    enable: SSAValue,
) -> SSAValue:
    """What the window of the beat in cycle 1 holds without that beat."""
    present = b.delay("present", enters, 0, enable)
    writes = b.named("writes", b.and_(present, enable))
    recent = b.delay("recent", combined, None, writes)
    if op.partial_beats == 1:
        return recent
    stored = b.ram(
        "partials",
        op.partial_beats,
        write_enable=writes,
        write_address=b.delay("index_q", place.index, None, enters),
        write_data=combined,
        read_address=place.index,
        read_enable=enters,
    )
    if op.chunks > 1:
        return stored
    # The same beat of the row as in the cycle before: the RAM does not have it yet.
    from_ram = b.delay("from_ram", place.starts_row, None, enters)
    return b.mux(from_ram, stored, recent)


def _start(b: HwBuilder, op: Pool, x: SSAValue) -> SSAValue:
    """What a window holds that has one element, `x`."""
    if isinstance(op, dataflow.MaxPoolOp):
        return x
    number = as_number(b, dataflow.stream_type(op.input), x)
    return fit(b, number, dataflow.stream_type(op.output).element_width)


def _combined(b: HwBuilder, op: Pool, x: SSAValue, before: SSAValue) -> SSAValue:
    """What a window holds when `x` joins what it held `before`."""
    if isinstance(op, dataflow.SumPoolOp):
        return b.add(before, _start(b, op, x))
    source = dataflow.stream_type(op.input)
    if isinstance(source.element_type, BipolarType):
        return b.or_(before, x)
    signed = as_number(b, source, x).signed
    larger = (b.sgt if signed else b.ugt)(x, before)
    return b.mux(larger, x, before)
