"""The hardware of concatenation: a counter says from which stream the next beat is taken."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.pipeline import (
    INPUT,
    branch_builder,
    counter,
    output_register,
    stream_names,
)


def concat_module(op: dataflow.ConcatOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose streams all have the same lanes."""
    width, count = dataflow.stream_type(op.output).beat_width, len(op.inputs)
    b = branch_builder(name, [width] * count, [width], op.location)
    inputs = stream_names(INPUT, count)
    load = b.wire("takes", 1)
    stream = _current_stream(b, op.part_beats, load.value)
    end = output_register(b, b.select([b.input(f"{i}_tvalid") for i in inputs], stream))
    load.drive(end.load)
    for index, prefix in enumerate(inputs):
        b.output(f"{prefix}_tready", b.and_(end.free, b.eq(stream, index)))
    end.store([b.select([b.input(f"{prefix}_tdata") for prefix in inputs], stream)])
    return b.finish()


def _current_stream(b: HwBuilder, parts: Sequence[int], takes: SSAValue) -> SSAValue:
    """The number of the stream whose turn it is, stream i giving `parts[i]` beats at a time."""
    longest = max(parts)
    if longest == 1:
        return counter(b, "stream", len(parts), takes).value
    ends = b.wire("turn_ends", 1)
    stream = counter(b, "stream", len(parts), b.and_(takes, ends.value)).value
    width = address_width(longest)
    given = b.reg("given", width)
    last = b.select([b.const(beats - 1, width) for beats in parts], stream)
    ends.drive(b.eq(given.value, last))
    given.set_next(b.mux(ends.value, 0, b.add(given.value, 1)), takes)
    return stream
