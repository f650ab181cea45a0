"""Cycle-level simulation of a dataflow design: when beats move, not what is in them.

Each unit is a small state machine with the handshakes of the generated hardware, so that the
cycles found here are those of the RTL. In each cycle `tvalid` is found from the first unit to the
last, and then `tready` from the last to the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.interp.branch_cycles import (
    AddCycles,
    ConcatCycles,
    ForkCycles,
    PortCycles,
    SinglePort,
    SliceCycles,
)
from irc.interp.unit_cycles import (
    FifoCycles,
    MvuCycles,
    NarrowCycles,
    PipelineCycles,
    UnitCycles,
    WidenCycles,
)
from irc.interp.window_cycles import PadCycles, PoolCycles, UpsampleCycles, WindowCycles

MARGIN_CYCLES = 50
"""While no beat moves, a unit may still work on one frame, as long as its `cycles`, and so many
cycles more; a design in which nothing moves for longer is stuck."""


def unit_cycles(op: Operation) -> PortCycles:
    """The state machine of a unit."""
    match op:
        case dataflow.ForkOp():
            return ForkCycles(len(op.outputs))
        case dataflow.AddOp():
            return AddCycles(len(op.operands), op.stages)
        case dataflow.ConcatOp():
            return ConcatCycles(op.part_beats)
        case _:
            return SinglePort(_single_cycles(op))


def _single_cycles(op: Operation) -> UnitCycles:
    """The state machine of a unit with one input and one output."""
    match op:
        case dataflow.MvuOp() if op.is_unrolled:
            return PipelineCycles(op.latency())
        case dataflow.MvuOp():
            return MvuCycles(op.synapse_folds, op.neuron_folds, op.stages + op.code_stages)
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
        case dataflow.SliceOp():
            return SliceCycles(op.keeps())
        case dataflow.UpsampleOp():
            return UpsampleCycles(op.block_beats, op.blocks, op.offsets())
        case dataflow.FifoOp():
            return FifoCycles(op.depth, op.in_registers)
        case _:
            raise IrcError(f"'{op.name}' has no cycle model", op.location)


@dataclass(frozen=True)
class NodeCycles:
    """When the beats of each frame left a unit, counted from the first beat into the design.

    `first[f]` and `last[f]` are the cycles in which the first and the last beat of frame f were
    taken from it, by all readers of a fork; `stalled` counts cycles in which it offered a beat
    that was not taken, and `fill` the most beats that a FIFO held (0 for other units).
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
    """Play `frames` frames of `beats_in` beats into a design, with no stall outside.

    `units` come in an order in which streams go forward, the last being the only one whose stream
    leaves. What none of them gives enters: the stream that the first of them takes.
    """
    design = _Design(units)
    wanted = frames * dataflow.stream_type(units[-1].results[0]).beats
    patience = MARGIN_CYCLES + max(unit.cycles() for unit in units)
    left, cycle, last_move = frames * beats_in, 0, 0
    while len(design.nodes[-1].given[0]) < wanted:
        moved, entered = design.clock(cycle, left > 0)
        left -= entered
        last_move = cycle if moved or entered else last_move
        cycle += 1
        if cycle - last_move > patience:
            raise IrcError(f"the design is stuck: no beat moves after cycle {last_move}")
    nodes = [node.report(frames) for node in design.nodes]
    return CycleReport(nodes, nodes[-1].first[0], nodes[-1].interval)


class _Node:
    """A unit under simulation: its inputs as places in the lists of wires, its outputs from
    `base` on."""

    def __init__(self, op: dataflow.DataflowNode, inputs: list[int], base: int) -> None:
        self.op = op
        self.state = unit_cycles(op)
        self.inputs = inputs
        self.base = base
        self.outputs = range(base, base + len(op.results))
        self.given: list[list[int]] = [[] for _ in op.results]
        self.stalled = 0

    def report(self, frames: int) -> NodeCycles:
        """What has been seen, frame by frame."""
        firsts: list[list[int]] = []
        lasts: list[list[int]] = []
        for given, result in zip(self.given, self.op.results, strict=True):
            beats = dataflow.stream_type(result).beats
            firsts.append(given[::beats][:frames])
            lasts.append(given[beats - 1 :: beats][:frames])
        fifo = self.state.unit if isinstance(self.state, SinglePort) else None
        return NodeCycles(
            self.op,
            [max(cycles) for cycles in zip(*firsts, strict=False)],
            [max(cycles) for cycles in zip(*lasts, strict=False)],
            self.stalled,
            fifo.highest if isinstance(fifo, FifoCycles) else 0,
        )


class _Design:
    """All units and the wires between them, of which number 0 is the input."""

    def __init__(self, units: Sequence[dataflow.DataflowNode]) -> None:
        wires: dict[SSAValue, int] = {}
        self.nodes: list[_Node] = []
        count = 1
        for op in units:
            inputs = [wires.get(_given(operand), 0) for operand in op.operands]
            self.nodes.append(_Node(op, inputs, count))
            for result in op.results:
                wires[result] = count
                count += 1
        self.valid = [False] * count
        self.ready = [True] * count

    def clock(self, cycle: int, offered: bool) -> tuple[bool, bool]:
        """One cycle: whether any beat moved within, and whether one entered."""
        valid, ready, nodes = self.valid, self.ready, self.nodes
        valid[0] = offered
        for node in nodes:
            found = node.state.valids([valid[wire] for wire in node.inputs])
            valid[node.base : node.base + len(found)] = found
        for node in reversed(nodes):
            offers = [valid[wire] for wire in node.inputs]
            accepts = node.state.readies(offers, [ready[wire] for wire in node.outputs])
            for wire, accept in zip(node.inputs, accepts, strict=True):
                ready[wire] = accept
        moved = False
        for node in nodes:
            readies = [ready[wire] for wire in node.outputs]
            for given, wire in zip(node.given, node.outputs, strict=True):
                if valid[wire] and ready[wire]:
                    given.append(cycle)
                    moved = True
            node.stalled += any(valid[wire] and not ready[wire] for wire in node.outputs)
            node.state.clock([valid[wire] for wire in node.inputs], readies)
        return moved, offered and ready[0]


def _given(value: SSAValue) -> SSAValue:
    """The result of a unit that a value is, behind reshapes."""
    while isinstance(value.owner, dataflow.ReshapeOp):
        value = value.owner.input
    return value
