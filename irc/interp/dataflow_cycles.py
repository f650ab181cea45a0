"""Cycle-level simulation of a dataflow design: when beats move, not what is in them.

Each unit is a small state machine with the handshakes of the generated hardware, so that the
cycles found here are those of the RTL. `tvalid` of every unit comes from a register; `tready`
may depend on the `tready` of the next unit, hence cycles are evaluated from the last unit to the
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.interp.unit_cycles import (
    FifoCycles,
    MvuCycles,
    NarrowCycles,
    PipelineCycles,
    UnitCycles,
    WidenCycles,
)
from irc.interp.window_cycles import PadCycles, PoolCycles, WindowCycles

MAX_IDLE_CYCLES = 1_000_000
"""A design that gives nothing for so long is taken to be stuck."""


def unit_cycles(op: Operation) -> UnitCycles:
    """The state machine of a unit."""
    match op:
        case dataflow.MvuOp():
            return MvuCycles(op.synapse_folds, op.neuron_folds)
        case dataflow.ThresholdOp():
            return PipelineCycles(op.latency())
        case dataflow.WidthConverterOp():
            return WidenCycles(op.ratio) if op.widens else NarrowCycles(op.ratio)
        case dataflow.PadOp():
            return PadCycles(op.inside())
        case dataflow.WindowOp():
            return WindowCycles(op.geometry())
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return PoolCycles(op.completes())
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
