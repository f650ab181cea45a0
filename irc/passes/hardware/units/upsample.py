"""The hardware of nearest-neighbour upsampling: a circular buffer of two blocks of the frame.

A block is a row where rows are repeated, and an element in space otherwise. One block is read,
its elements and the whole of it as often as the factors say, while the next one comes in.

    cycle 0   a beat is taken and written
    cycle 1   it may be read
    cycle 2   offered, from the output register of the RAM
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.beat_buffer import BeatBuffer
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter, unit_builder


def upsample_module(op: dataflow.UpsampleOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    width = dataflow.stream_type(op.output).beat_width
    b = unit_builder(name, width, width, op.location)
    block, depth = op.block_beats, op.buffer_beats
    buffer = BeatBuffer(b, depth, depth.bit_length())
    walk = _Walk.over(b, op, buffer.fetches)
    fetches = buffer.read_where(b.ult(b.zext(walk.offset, b.width(buffer.level)), buffer.level))
    done = b.named("block_done", b.and_(fetches, walk.ends))
    buffer.free(done, block)
    data = b.ram(
        "blocks",
        depth,
        write_enable=buffer.takes,
        write_address=counter(b, "write", depth, buffer.takes).value,
        write_data=b.input(f"{INPUT}_tdata"),
        read_address=_read_address(b, walk.offset, counter(b, "half", 2, done).value, block),
        read_enable=fetches,
    )
    b.output(f"{OUTPUT}_tdata", data)
    return b.finish()


@dataclass(frozen=True)
class _Walk:
    """Which beat of the block is read next."""

    offset: SSAValue
    """Its distance from the start of the block."""
    ends: SSAValue
    """Whether it is the last that is read of the block."""

    @staticmethod
    def over(b: HwBuilder, op: dataflow.UpsampleOp, moves: SSAValue) -> _Walk:
        """The beats in the order of the output, going on in cycles where `moves` is 1."""
        rows, columns = op.repeats
        chunk = counter(b, "chunk", op.chunks, moves)
        element_end = b.and_(moves, chunk.is_last)
        column = counter(b, "column_copy", columns, element_end)
        next_element = b.and_(element_end, column.is_last)
        element = counter(b, "element", op.block_elements, next_element)
        row_end = b.and_(next_element, element.is_last)
        row = counter(b, "row_copy", rows, row_end)

        lasts = (chunk.is_last, column.is_last, element.is_last, row.is_last)
        ends = b.named("block_ends", b.and_(*lasts))
        width = address_width(op.block_beats)
        if op.block_beats == 1:
            return _Walk(b.const(0, width), ends)
        offset = b.reg("offset", width)
        # Copies of an element start again at its first beat, copies of a row at the row's.
        back = b.sub(offset.value, op.chunks - 1)
        ahead = b.add(offset.value, 1)
        after_element = b.mux(column.is_last, b.mux(element.is_last, 0, ahead), back)
        offset.set_next(b.mux(chunk.is_last, after_element, ahead), moves)
        return _Walk(offset.value, ends)


def _read_address(b: HwBuilder, offset: SSAValue, half: SSAValue, block: int) -> SSAValue:
    """Where a beat of the current block lies: `half · block + offset`."""
    width = address_width(2 * block)
    if block == 1:
        return half
    if block & (block - 1) == 0:
        return b.concat(half, offset)
    near = b.zext(offset, width)
    return b.mux(half, b.add(near, block), near)
