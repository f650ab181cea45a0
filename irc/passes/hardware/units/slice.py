"""The hardware of slices: counters over the frame say which beats are kept.

A beat that is kept is taken when the output register has room, one that is dropped at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.dialects.slice_levels import Level
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.pipeline import (
    INPUT,
    between,
    counter,
    output_register,
    unit_builder,
)


def slice_module(op: dataflow.SliceOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has as many lanes as its output."""
    width = dataflow.stream_type(op.output).beat_width
    b = unit_builder(name, width, width, op.location)
    valid = b.input(f"{INPUT}_tvalid")
    takes = b.wire("takes", 1)
    kept = b.named("kept", _kept(b, op.levels(), takes.value))
    end = output_register(b, b.and_(valid, kept))
    ready = b.named("ready", b.or_(end.free, b.not_(kept)))
    takes.drive(b.and_(ready, valid))
    b.output(f"{INPUT}_tready", ready)
    end.store([b.input(f"{INPUT}_tdata")])
    return b.finish()


def _kept(b: HwBuilder, levels: Sequence[Level], takes: SSAValue) -> SSAValue:
    """Whether the beat is kept that is taken next."""
    kept = b.const(1, 1)
    for index, level in reversed(list(enumerate(levels))):
        if index == 0 and level.is_full:
            break
        position = counter(b, f"position{index}", level.count, takes)
        if level.size == 1 or level.stride == 1:
            matches = between(b, position, level.first, level.first + level.size, level.count)
        else:
            matches = _every(b, f"next{index}", level, position.value, takes)
        kept = b.and_(kept, matches)
        takes = b.and_(takes, position.is_last)
    return kept


def _every(
    b: HwBuilder, name: str, level: Level, position: SSAValue, advance: SSAValue
) -> SSAValue:
    """Whether a position is one that is kept; the next such position is kept in a register."""
    following = b.reg(name, address_width(level.count), level.first)
    matches = b.eq(position, following.value)
    ahead = b.add(following.value, level.stride)
    wrapped = b.mux(b.eq(following.value, level.last), level.first, ahead)
    following.set_next(wrapped, b.and_(advance, matches))
    return matches
