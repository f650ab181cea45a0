"""The hardware of FIFOs: flip-flops where they are small, elsewhere a RAM with output register."""

from __future__ import annotations

from xdsl.dialects import hw

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter, unit_builder


def fifo_module(op: dataflow.FifoOp, name: str) -> hw.HWModuleOp:
    """The module of a queue of exactly `depth` beats; `tready` does not depend on `tready`."""
    width = dataflow.stream_type(op.input).beat_width
    b = unit_builder(name, width, width, op.location)
    if op.in_registers:
        _in_registers(b, op.depth, width)
    else:
        _in_ram(b, op.depth - 1)
    return b.finish()


def _in_registers(b: HwBuilder, depth: int, width: int) -> None:
    """Beats are shifted in at the bottom; the oldest is offered from where it has come to."""
    level_width = depth.bit_length()
    level = b.reg("level", level_width)
    room = b.named("room", b.ne(level.value, depth))
    takes = b.named("takes", b.and_(room, b.input(f"{INPUT}_tvalid")))
    some = b.named("some", b.any(level.value))
    gives = b.named("gives", b.and_(some, b.input(f"{OUTPUT}_tready")))
    grown = b.add(level.value, b.zext(takes, level_width))
    level.set_next(b.sub(grown, b.zext(gives, level_width)))
    words = b.reg("words", depth * width, None)
    kept = b.trunc(words.value, (depth - 1) * width)
    words.set_next(b.concat(kept, b.input(f"{INPUT}_tdata")), takes)
    oldest = b.trunc(b.sub(level.value, 1), address_width(depth))
    b.output(f"{INPUT}_tready", room)
    b.output(f"{OUTPUT}_tvalid", some)
    b.output(f"{OUTPUT}_tdata", b.select(b.slices(words.value, width), oldest))


def _in_ram(b: HwBuilder, words: int) -> None:
    """The RAM's own output register holds the beat that is offered."""
    level = b.reg("level", words.bit_length())
    room = b.named("room", b.ne(level.value, words))
    takes = b.named("takes", b.and_(room, b.input(f"{INPUT}_tvalid")))
    offered = b.reg("offered", 1)
    ready = b.input(f"{OUTPUT}_tready")
    free = b.or_(b.not_(offered.value), ready)
    fetches = b.named("fetches", b.and_(b.any(level.value), free))
    offered.set_next(b.or_(fetches, b.and_(offered.value, b.not_(ready))))
    width = words.bit_length()
    grown = b.add(level.value, b.zext(takes, width))
    level.set_next(b.sub(grown, b.zext(fetches, width)))
    data = b.ram(
        "words",
        words,
        write_enable=takes,
        write_address=counter(b, "write", words, takes).value,
        write_data=b.input(f"{INPUT}_tdata"),
        read_address=counter(b, "read", words, fetches).value,
        read_enable=fetches,
    )
    b.output(f"{INPUT}_tready", room)
    b.output(f"{OUTPUT}_tvalid", offered.value)
    b.output(f"{OUTPUT}_tdata", data)
