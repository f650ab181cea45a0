"""The hardware of width converters: a shift register that fills or empties by narrow beats."""

from __future__ import annotations

from xdsl.dialects import hw

from irc.dialects import dataflow
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, unit_builder


def width_converter_module(op: dataflow.WidthConverterOp, name: str) -> hw.HWModuleOp:
    """The module that widens or narrows beats, one narrow beat a cycle."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    if op.widens:
        _widen(b, op.ratio)
    else:
        _narrow(b, op.ratio, result.beat_width)
    return b.finish()


def _widen(b: HwBuilder, ratio: int) -> None:
    """Narrow beats enter at the top and move down; the wide one leaves when all are there."""
    beat, valid = b.input(f"{INPUT}_tdata"), b.input(f"{INPUT}_tvalid")
    ready = b.input(f"{OUTPUT}_tready")
    count = b.reg("count", ratio.bit_length())
    full = b.named("full", b.eq(count.value, ratio))
    free = b.named("free", b.or_(b.not_(full), ready))
    takes = b.named("takes", b.and_(free, valid))
    kept = b.mux(b.and_(full, ready), 0, count.value)
    count.set_next(b.add(kept, b.zext(takes, ratio.bit_length())))
    width = b.width(beat)
    words = b.reg("words", ratio * width, None)
    moved = b.extract(words.value, width, (ratio - 1) * width)
    words.set_next(b.concat(beat, moved), takes)
    b.output(f"{INPUT}_tready", free)
    b.output(f"{OUTPUT}_tvalid", full)
    b.output(f"{OUTPUT}_tdata", words.value)


def _narrow(b: HwBuilder, ratio: int, width: int) -> None:
    """A wide beat is loaded when the last narrow part of the one before leaves."""
    beat, valid = b.input(f"{INPUT}_tdata"), b.input(f"{INPUT}_tvalid")
    ready = b.input(f"{OUTPUT}_tready")
    left = b.reg("left", ratio.bit_length())
    present = b.named("present", b.any(left.value))
    gives = b.named("gives", b.and_(present, ready))
    free = b.named("free", b.or_(b.not_(present), b.and_(ready, b.eq(left.value, 1))))
    takes = b.named("takes", b.and_(free, valid))
    after = b.sub(left.value, b.zext(gives, ratio.bit_length()))
    left.set_next(b.mux(takes, ratio, after))
    words = b.reg("words", ratio * width, None)
    kept = (ratio - 1) * width
    # What moves in from the top is never given.
    moved = b.concat(b.extract(words.value, kept, width), b.extract(words.value, width, kept))
    words.set_next(b.mux(takes, beat, moved), b.or_(takes, gives))
    b.output(f"{INPUT}_tready", free)
    b.output(f"{OUTPUT}_tvalid", present)
    b.output(f"{OUTPUT}_tdata", b.trunc(words.value, width))
