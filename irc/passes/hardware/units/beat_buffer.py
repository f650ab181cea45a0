"""The handshakes around a buffer of beats that is written in order and read in any.

`level` counts the beats from the start of the current block, or windows, to the last one written.
A beat is taken while the buffer is not full, and read into the output register of the RAM as soon
as it has been written and that register is free or is being taken.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder, Value
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT


class BeatBuffer:
    """All but the data; call `read_where` and then `free`, once each.

    `takes` and `fetches` are whether a beat is written and read in this cycle.
    """

    def __init__(self, b: HwBuilder, depth: int, level_bits: int) -> None:
        self._builder = b
        self._level = b.reg("level", level_bits)
        room = b.named("room", b.ne(self.level, depth))
        self.takes = b.named("takes", b.and_(room, b.input(f"{INPUT}_tvalid")))
        self._fetches = b.wire("fetches", 1)
        self.fetches = self._fetches.value
        b.output(f"{INPUT}_tready", room)

    @property
    def level(self) -> SSAValue:
        """How many beats there are."""
        return self._level.value

    def read_where(self, available: SSAValue) -> SSAValue:
        """Read the next beat if it is `available` and offer it; returns whether it is read."""
        b = self._builder
        offered = b.reg("offered", 1)
        ready = b.input(f"{OUTPUT}_tready")
        free = b.named("free", b.or_(b.not_(offered.value), ready))
        fetches = b.named("fetching", b.and_(available, free))
        self._fetches.drive(fetches)
        offered.set_next(b.or_(fetches, b.and_(offered.value, b.not_(ready))))
        b.output(f"{OUTPUT}_tvalid", offered.value)
        return fetches

    def free(self, done: SSAValue, beats: Value) -> None:
        """Go `beats` on in cycles where `done` is 1: those before are read no more."""
        b = self._builder
        grown = b.add(self.level, b.zext(self.takes, b.width(self.level)))
        self._level.set_next(b.mux(done, b.sub(grown, beats), grown))
