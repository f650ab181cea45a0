"""Forks, sums, concatenations and slices as state machines of their handshakes.

In every cycle `tvalid` goes forward first and `tready` backward then: `tvalid` of an output may
depend on registers and on the `tvalid` of the inputs, never on a `tready`; `tready` of an input
may depend on every `tvalid` and on the `tready` of the outputs. So no combinational loop is
possible, however the units are connected.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from irc.interp.unit_cycles import PipelineCycles, UnitCycles


class PortCycles(ABC):
    """The handshake state of a unit with any number of inputs and outputs."""

    @abstractmethod
    def valids(self, offered: Sequence[bool]) -> Sequence[bool]:
        """`tvalid` of each output in this cycle, given `tvalid` of each input."""

    @abstractmethod
    def readies(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> Sequence[bool]:
        """`tready` of each input in this cycle, given `tready` of each output too."""

    @abstractmethod
    def clock(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> None:
        """The clock edge at the end of the cycle: what was offered and ready has moved."""


class SinglePort(PortCycles):
    """A unit with one input and one output."""

    def __init__(self, unit: UnitCycles) -> None:
        self.unit = unit

    def valids(self, offered: Sequence[bool]) -> Sequence[bool]:
        return (self.unit.valid(),)

    def readies(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> Sequence[bool]:
        return (self.unit.ready(out_readies[0]),)

    def clock(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> None:
        self.unit.clock(offered[0] and self.unit.ready(out_readies[0]), out_readies[0])


class ForkCycles(PortCycles):
    """A beat stays on the input until every reader has taken it; flags say which ones have."""

    def __init__(self, readers: int) -> None:
        self.taken = [False] * readers

    def valids(self, offered: Sequence[bool]) -> Sequence[bool]:
        return [offered[0] and not taken for taken in self.taken]

    def readies(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> Sequence[bool]:
        return (all(t or ready for t, ready in zip(self.taken, out_readies, strict=True)),)

    def clock(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> None:
        if offered[0]:
            leaves = self.readies(offered, out_readies)[0]
            self.taken = [
                not leaves and (taken or ready)
                for taken, ready in zip(self.taken, out_readies, strict=True)
            ]


class AddCycles(PortCycles):
    """A pipeline into which a beat of each operand enters in the same cycle."""

    def __init__(self, operands: int, stages: int) -> None:
        self.operands = operands
        self.pipeline = PipelineCycles(stages)

    def valids(self, offered: Sequence[bool]) -> Sequence[bool]:
        return (self.pipeline.valid(),)

    def readies(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> Sequence[bool]:
        return [all(offered) and self.pipeline.ready(out_readies[0])] * self.operands

    def clock(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> None:
        enters = all(offered) and self.pipeline.ready(out_readies[0])
        self.pipeline.clock(enters, out_readies[0])


class ConcatCycles(PortCycles):
    """An output register that takes so many beats of each operand in turn."""

    def __init__(self, part_beats: Sequence[int]) -> None:
        self.part_beats = part_beats
        self.turn = 0
        self.beat = 0
        self.out = False

    def valids(self, offered: Sequence[bool]) -> Sequence[bool]:
        return (self.out,)

    def readies(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> Sequence[bool]:
        free = not self.out or out_readies[0]
        return [free and index == self.turn for index in range(len(self.part_beats))]

    def clock(self, offered: Sequence[bool], out_readies: Sequence[bool]) -> None:
        free = not self.out or out_readies[0]
        loads = free and offered[self.turn]
        self.out = loads or not free
        if loads:
            self.beat += 1
            if self.beat == self.part_beats[self.turn]:
                self.beat = 0
                self.turn = (self.turn + 1) % len(self.part_beats)


class SliceCycles(UnitCycles):
    """An output register for the beats that are kept; the others are taken at once."""

    def __init__(self, keeps: Sequence[bool]) -> None:
        self.keeps = keeps
        self.position = 0
        self.out = False

    def valid(self) -> bool:
        return self.out

    def ready(self, out_ready: bool) -> bool:
        return not self.keeps[self.position] or not self.out or out_ready

    def clock(self, takes: bool, out_ready: bool) -> None:
        loads = takes and self.keeps[self.position]
        self.out = loads or (self.out and not out_ready)
        if takes:
            self.position = (self.position + 1) % len(self.keeps)
