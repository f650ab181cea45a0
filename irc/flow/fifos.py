"""The table of FIFOs in a design: between which units, how deep, how many bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.dialects.locations import location_name
from irc.passes.hardware.design import design_of

_PLUMBING = (
    dataflow.ForkOp,
    dataflow.WidthConverterOp,
    dataflow.ReshapeOp,
    dataflow.FifoOp,
)
"""What moves beats without a name of its own."""


@dataclass(frozen=True)
class Fifo:
    """One row: the units on either side, `depth` beats of `width` bits, and what it is made of."""

    source: str
    reader: str
    depth: int
    width: int
    memory: str


def hardware_fifos(module: ModuleOp) -> list[Fifo]:
    """Rows of a `dataflow` module, in the order of its streams."""
    return [
        Fifo(
            _name(_follow(op, lambda unit: unit.operands[0].owner)),
            _name(_follow(op, _reader)),
            op.depth,
            dataflow.stream_type(op.input).beat_width,
            "registers" if op.in_registers else "RAM",
        )
        for op in design_of(module).units
        if isinstance(op, dataflow.FifoOp)
    ]


def _follow(op: Operation, step: Callable[[Operation], object]) -> Operation:
    """The first unit with a name on the way from a FIFO."""
    while isinstance(op, _PLUMBING):
        found = step(op)
        assert isinstance(found, Operation)
        op = found
    return op


def _reader(op: Operation) -> Operation:
    return next(iter(op.results[0].uses)).operation


def _name(op: Operation) -> str:
    """The name that the layer table has, and the kind of unit where several share it."""
    match op:
        case dataflow.FoldedNode():
            return op.layer_name
        case dataflow.AddOp():
            return op.layer.data
        case dataflow.ToStreamOp():
            return "input"
        case dataflow.FromStreamOp():
            return "output"
        case _:
            kind = op.name.removeprefix("dataflow.").replace("_", " ")
            name = location_name(op.location)
            return f"{name} ({kind})" if name else kind
