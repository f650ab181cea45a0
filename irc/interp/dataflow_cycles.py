"""Cycle-level simulation of a dataflow design: when beats move, not what is in them.

Each unit is a small state machine with the handshakes of the generated hardware, so that the
cycles found here are those of the RTL. `tvalid` of every unit comes from a register; `tready`
may depend on the `tready` of the next unit, hence cycles are evaluated from the last unit to the
first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.errors import IrcError

MAX_IDLE_CYCLES = 1_000_000
"""A design that gives nothing for so long is taken to be stuck."""


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
    """A matrix-vector unit: SF beats taken, then SF·(NF − 1) steps of replay, a result each SF."""

    def __init__(self, synapse_folds: int, neuron_folds: int) -> None:
        super().__init__(4)
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


def unit_cycles(op: Operation) -> UnitCycles:
    """The state machine of a unit."""
    match op:
        case dataflow.MvuOp():
            return MvuCycles(op.synapse_folds, op.neuron_folds)
        case dataflow.ThresholdOp():
            return PipelineCycles(op.latency())
        case dataflow.WidthConverterOp():
            return WidenCycles(op.ratio) if op.widens else NarrowCycles(op.ratio)
        case dataflow.FifoOp():
            return FifoCycles(op.depth, op.in_registers)
        case _:
            raise IrcError(f"'{op.name}' has no cycle model", op.location)


@dataclass(frozen=True)
class NodeCycles:
    """When the beats of each frame left a unit, counted from the first beat into the design.

    `first[f]` and `last[f]` are the cycles in which the first and the last beat of frame f were
    taken from it; `stalled` counts cycles in which it offered a beat that was not taken, and
    `fill` the most beats that a FIFO held (0 for other units).
    """

    op: Operation
    first: list[int]
    last: list[int]
    stalled: int
    fill: int

    @property
    def interval(self) -> int | None:
        """Cycles between the last two frames; None with fewer than two."""
        return self.last[-1] - self.last[-2] if len(self.last) > 1 else None


@dataclass(frozen=True)
class CycleReport:
    """Timing of a whole design. `latency`: first beat in to first beat out; `interval`: cycles a
    frame in steady state, None with fewer than two frames."""

    nodes: list[NodeCycles]
    latency: int
    interval: int | None


def simulate_cycles(
    units: Sequence[dataflow.DataflowNode], beats_in: int, frames: int = 3
) -> CycleReport:
    """Play `frames` frames of `beats_in` beats into a chain of units, with no stall outside."""
    states = [unit_cycles(op) for op in units]
    beats = [dataflow.stream_type(op.results[0]).beats for op in units]
    given: list[list[int]] = [[] for _ in units]
    stalled = [0] * len(units)
    wanted = frames * beats[-1]
    left, cycle, last_output = frames * beats_in, 0, 0
    while len(given[-1]) < wanted:
        valids = [state.valid() for state in states]
        out_readies = [True] * len(states)
        for index in range(len(states) - 1, 0, -1):
            out_readies[index - 1] = states[index].ready(out_readies[index])
        in_ready = states[0].ready(out_readies[0])
        in_valid = left > 0
        left -= in_valid and in_ready
        for index, state in enumerate(states):
            if valids[index]:
                if out_readies[index]:
                    given[index].append(cycle)
                    last_output = cycle
                else:
                    stalled[index] += 1
            ready = in_ready if index == 0 else out_readies[index - 1]
            offered = in_valid if index == 0 else valids[index - 1]
            state.clock(offered and ready, out_readies[index])
        cycle += 1
        if cycle - last_output > MAX_IDLE_CYCLES:
            raise IrcError(f"the design is stuck: no beat moves after cycle {last_output}")
    nodes = [
        NodeCycles(
            op,
            times[::count][:frames],
            times[count - 1 :: count][:frames],
            stalls,
            state.highest if isinstance(state, FifoCycles) else 0,
        )
        for op, state, times, count, stalls in zip(
            units, states, given, beats, stalled, strict=True
        )
    ]
    return CycleReport(nodes, nodes[-1].first[0], nodes[-1].interval)
