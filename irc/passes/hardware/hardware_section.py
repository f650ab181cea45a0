"""Which operations of a `bnn` function become hardware, and what stands in the way of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.hardware.branch_units import branch_obstacle, changes_nothing
from irc.passes.hardware.spatial_units import spatial_obstacle
from irc.passes.obstacles import Obstacle

_ON_FLOATS_TOO = (
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.PadOp,
    bnn.MaxPoolOp,
    bnn.SumPoolOp,
    bnn.AddOp,
    bnn.ConcatOp,
    bnn.SliceOp,
    bnn.UpsampleOp,
)
"""Layers where they work on exact values."""


@dataclass(frozen=True)
class Section:
    """The operations that become hardware, in program order, and the values at its ends."""

    ops: list[Operation]
    outside: list[Operation]
    """Every other operation of the function on which its results depend, `func.return` included."""

    @property
    def entries(self) -> list[SSAValue]:
        """What the section reads and does not compute, each once."""
        made = {result for op in self.ops for result in op.results}
        read = dict.fromkeys(operand for op in self.ops for operand in op.operands)
        return [value for value in read if value not in made]

    @property
    def exits(self) -> list[SSAValue]:
        """What the section computes and others read."""
        read = {operand for op in self.outside for operand in op.operands}
        return [result for op in self.ops for result in op.results if result in read]


def hardware_section(function: FuncOp) -> Section:
    """The exact layers of a function, and what lies between two of them.

    What comes before and after stays on the host, unless layers read the same data in several
    shapes: then what shapes them belongs to the section too.
    """
    ops = _needed(function)
    inside = {op for op in ops if is_layer(op)}
    behind = set(inside)
    for op in ops:
        if any(value.owner in behind for value in op.operands):
            behind.add(op)
    before = set(inside)
    for op in reversed(ops):
        if any(use.operation in before for value in op.results for use in value.uses):
            before.add(op)
    inside |= behind & before
    while True:
        section = Section(
            [op for op in ops if op in inside], [op for op in ops if op not in inside]
        )
        shapes = {value.owner for value in section.entries if _is_only_shaped(value)}
        if len(section.entries) < 2 or not shapes:
            return section
        inside |= {op for op in shapes if isinstance(op, Operation)}


def hardware_obstacles(function: FuncOp) -> list[Obstacle]:
    """Everything in the way of putting a `bnn` function into hardware, in program order."""
    section = hardware_section(function)
    if not section.ops:
        return [
            Obstacle(
                function,
                "no linear or threshold operation on exact values, nothing to put in hardware",
            )
        ]
    found = [Obstacle(op, reason) for op in section.ops if (reason := _unsupported(op)) is not None]
    return found or [*_end_obstacles(section)]


def _end_obstacles(section: Section) -> Iterable[Obstacle]:
    """More inputs of the function than the hardware has; of one input it reads anything."""
    first: set[SSAValue] | None = None
    for value in section.entries:
        inputs = _inputs_of(value)
        if first is None or inputs == first:
            first = inputs
            continue
        reader = next(op for op in section.ops if value in op.operands)
        yield Obstacle(reader, "it reads a second input: hardware has one")


def _inputs_of(value: SSAValue) -> set[SSAValue]:
    """The arguments of the function from which a value comes."""
    found, pending = {value}, [value]
    while pending:
        owner = pending.pop().owner
        if isinstance(owner, Operation):
            pending += [operand for operand in owner.operands if operand not in found]
            found.update(owner.operands)
    return {each for each in found if not isinstance(each.owner, Operation)}


def is_layer(op: Operation) -> bool:
    """Whether an operation works on exact values, so that hardware has a unit for it."""
    if isinstance(op, bnn.ThresholdOp):
        return True
    if not isinstance(op, _ON_FLOATS_TOO) or changes_nothing(op):
        return False
    return is_exact(bnn.frame_type(op.results[0]).element_type)


def _unsupported(op: Operation) -> str | None:
    match op:
        case bnn.TransposeOp() if not _keeps_order(op):
            return (
                f"transposing by {list(op.axes)} reorders a stream, which hardware has no unit for"
            )
        case bnn.LinearOp() | bnn.ConvOp() if not is_layer(op):
            return "its weights or inputs are floating-point numbers, between exact layers"
        case _ if isinstance(op, _ON_FLOATS_TOO) and not (is_layer(op) or changes_nothing(op)):
            return "floating-point arithmetic between exact layers has no hardware"
        case bnn.ConvOp() | bnn.PadOp() | bnn.MaxPoolOp() | bnn.SumPoolOp():
            return spatial_obstacle(op)
        case bnn.UpsampleOp() if not changes_nothing(op):
            return branch_obstacle(op)
        case bnn.AddOp() | bnn.ConcatOp() | bnn.SliceOp() | bnn.UpsampleOp():
            return None
        case bnn.LinearOp() | bnn.ThresholdOp() | bnn.ReshapeOp() | bnn.TransposeOp():
            return None
        case bnn.CastOp() | bnn.EwiseOp() | bnn.QuantizeOp() | bnn.FloatThresholdOp():
            return "floating-point arithmetic between exact layers has no hardware"
        case _:
            return "hardware has no unit for it"


def _needed(function: FuncOp) -> list[Operation]:
    """The operations on which the results of a function depend, in program order."""
    needed: set[Operation] = set()
    ops = list(function.body.block.ops)
    for op in reversed(ops):
        if isinstance(op, ReturnOp) or any(
            use.operation in needed for value in op.results for use in value.uses
        ):
            needed.add(op)
    return [op for op in ops if op in needed]


def _is_only_shaped(value: SSAValue) -> bool:
    """Whether a value is exact and comes from an operation that moves no element."""
    op = value.owner
    return (
        isinstance(op, bnn.ReshapeOp)
        or (isinstance(op, bnn.TransposeOp) and _keeps_order(op))
        or changes_nothing(op)
    ) and is_exact(bnn.frame_type(value).element_type)


def _keeps_order(op: bnn.TransposeOp) -> bool:
    """Whether only axes of extent 1 move."""
    shape = bnn.frame_type(op.input).get_shape()
    kept = [axis for axis in op.axes if shape[axis] != 1]
    return kept == sorted(kept)
