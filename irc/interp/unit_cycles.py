"""The units of a dataflow design as state machines: when beats move, not what is in them.

`tvalid` of every unit comes from a register; `tready` may depend on the `tready` of the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class UnitCycles(ABC):
    """The handshake state of one unit."""

    @abstractmethod
    def valid(self) -> bool:
        """`m_axis_tvalid` in this cycle."""

    @abstractmethod
    def ready(self, out_ready: bool) -> bool:
        """`s_axis_tready` in this cycle, given `m_axis_tready`."""

    @abstractmethod
    def clock(self, takes: bool, out_ready: bool) -> None:
        """The clock edge at the end of the cycle; `takes` says that a beat is taken in."""


class PipelineCycles(UnitCycles):
    """A pipeline of `stages` registers under one enable, the last being the output register."""

    def __init__(self, stages: int) -> None:
        self.present = [False] * (stages - 1)
        self.out = False

    def valid(self) -> bool:
        return self.out

    def blocked(self, arriving: bool, out_ready: bool) -> bool:
        """Whether the result that is about to enter the output register must wait."""
        return arriving and self.out and not out_ready

    def ready(self, out_ready: bool) -> bool:
        # Without registers before the output, room for the result is all that counts.
        waiting = self.present[-1] if self.present else True
        return not self.blocked(waiting, out_ready)

    def clock(self, takes: bool, out_ready: bool) -> None:
        self.advance(takes, out_ready)

    def advance(self, entering: bool, out_ready: bool) -> None:
        """Move everything one stage on, unless the output register is in the way."""
        arriving = self.present[-1] if self.present else entering
        enable = not self.blocked(arriving, out_ready)
        self.out = (arriving and enable) or (self.out and not out_ready)
        if enable and self.present:
            self.present = [entering, *self.present[:-1]]


class MvuCycles(PipelineCycles):
    """A matrix-vector unit: SF beats taken, then SF·(NF − 1) steps of replay, a result each SF.
    Products and their sum pass `stages` registers."""

    def __init__(self, synapse_folds: int, neuron_folds: int, stages: int = 1) -> None:
        # Memory, sum and result.
        super().__init__(3 + stages)
        self.synapse_folds = synapse_folds
        self.steps = synapse_folds * neuron_folds
        self.step = 0

    @property
    def replays(self) -> bool:
        """Whether the step uses the buffer instead of the input."""
        return self.step >= self.synapse_folds

    def ready(self, out_ready: bool) -> bool:
        return not self.replays and not self.blocked(self.present[-1], out_ready)

    def clock(self, takes: bool, out_ready: bool) -> None:
        enable = not self.blocked(self.present[-1], out_ready)
        steps = takes or (self.replays and enable)
        completes = steps and (self.step + 1) % self.synapse_folds == 0
        if steps:
            self.step = (self.step + 1) % self.steps
        self.advance(completes, out_ready)


class WidenCycles(UnitCycles):
    """A width converter that gathers `ratio` beats into one."""

    def __init__(self, ratio: int) -> None:
        self.ratio = ratio
        self.count = 0

    def valid(self) -> bool:
        return self.count == self.ratio

    def ready(self, out_ready: bool) -> bool:
        return self.count != self.ratio or out_ready

    def clock(self, takes: bool, out_ready: bool) -> None:
        if self.count == self.ratio and out_ready:
            self.count = 0
        self.count += takes


class NarrowCycles(UnitCycles):
    """A width converter that gives a beat in `ratio` parts."""

    def __init__(self, ratio: int) -> None:
        self.ratio = ratio
        self.left = 0

    def valid(self) -> bool:
        return self.left > 0

    def ready(self, out_ready: bool) -> bool:
        return self.left == 0 or (self.left == 1 and out_ready)

    def clock(self, takes: bool, out_ready: bool) -> None:
        if takes:
            self.left = self.ratio
        elif self.left and out_ready:
            self.left -= 1


class FifoCycles(UnitCycles):
    """A queue of `depth` beats; one made of a RAM holds the last of them in its output register."""

    def __init__(self, depth: int, in_registers: bool) -> None:
        self.capacity = depth if in_registers else depth - 1
        self.in_registers = in_registers
        self.level = 0
        self.offered = False
        self.highest = 0

    def valid(self) -> bool:
        return self.level > 0 if self.in_registers else self.offered

    def ready(self, out_ready: bool) -> bool:
        return self.level < self.capacity

    def clock(self, takes: bool, out_ready: bool) -> None:
        if self.in_registers:
            leaves = self.level > 0 and out_ready
        else:
            leaves = self.level > 0 and (not self.offered or out_ready)
            self.offered = leaves or (self.offered and not out_ready)
        self.level += takes - leaves
        self.highest = max(self.highest, self.level + self.offered)
