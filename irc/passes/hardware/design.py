"""A dataflow function as the units and streams that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from xdsl.dialects.builtin import Float64Type, FloatAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.utils.hints import isa

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.passes.rewriting import functions_to_convert

DEVICE = "dataflow.device"
"""Attribute of a function: the name of the device that it is for."""

CLOCK = "dataflow.clock"
"""Attribute of a function: the clock in MHz that it is to run at."""

LIMIT = "dataflow.limit"
"""Attribute of a function: what keeps the folding that was chosen from being faster, in words."""

_Op = TypeVar("_Op", bound=Operation)


@dataclass(frozen=True)
class Design:
    """Where data enter and leave the hardware, and the units between.

    `units` come after those that feed them. A stream goes from one result to one operand, a
    `dataflow.reshape` between them being no unit; streams that several units read go through a
    `dataflow.fork`.
    """

    function: FuncOp
    entry: dataflow.ToStreamOp
    units: list[dataflow.DataflowNode]
    exit: dataflow.FromStreamOp

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.sym_name.data

    @property
    def device(self) -> str | None:
        """The device that it is for, if that was said."""
        found = self.function.attributes.get(DEVICE)
        return found.data if isinstance(found, StringAttr) else None

    @property
    def clock(self) -> float | None:
        """The clock in MHz that it is to run at, if that was said."""
        found = self.function.attributes.get(CLOCK)
        return found.value.data if isa(found, FloatAttr[Float64Type]) else None

    @property
    def limit(self) -> str | None:
        """What keeps the folding from being faster, if it was chosen for a device."""
        found = self.function.attributes.get(LIMIT)
        return found.data if isinstance(found, StringAttr) else None

    @property
    def source(self) -> dataflow.StreamType:
        """The stream into the hardware."""
        return dataflow.stream_type(self.entry.output)

    @property
    def result(self) -> dataflow.StreamType:
        """The stream out of the hardware."""
        return dataflow.stream_type(self.exit.input)

    @property
    def layers(self) -> list[dataflow.FoldedNode]:
        """The units that compute, in order."""
        return [unit for unit in self.units if isinstance(unit, dataflow.FoldedNode)]

    def cycles(self) -> int:
        """Initiation interval of the slowest unit: what the design reaches with enough FIFO."""
        return max(unit.cycles() for unit in self.units)


def design_of(where: ModuleOp | FuncOp) -> Design:
    """The design in a function, or in the only function of a module.

    Raises `IrcError` where data do not enter and leave in one place, and where a stream is not
    read exactly once.
    """
    if isinstance(where, ModuleOp):
        functions = list(functions_to_convert(where))
        if len(functions) != 1:
            raise IrcError(f"expected one function at level dataflow, found {len(functions)}")
        return design_of(functions[0])
    ops = list(where.body.block.ops)
    entry = _only(where, [op for op in ops if isinstance(op, dataflow.ToStreamOp)], "to_stream")
    leave = _only(where, [op for op in ops if isinstance(op, dataflow.FromStreamOp)], "from_stream")
    for op in ops:
        _check_streams(op)
    return Design(where, entry, [op for op in ops if isinstance(op, dataflow.DataflowNode)], leave)


def _only(function: FuncOp, found: list[_Op], name: str) -> _Op:
    if len(found) != 1:
        raise IrcError(
            f"function '{function.sym_name.data}' has {len(found)} 'dataflow.{name}', "
            "expected 1: run convert-bnn-to-dataflow first",
            function.location,
        )
    return found[0]


def _check_streams(op: Operation) -> None:
    for result in op.results:
        if isinstance(result.type, dataflow.StreamType) and not result.has_one_use():
            raise IrcError(
                f"'{op.name}': its stream must be read exactly once; a 'dataflow.fork' gives it to "
                "several readers",
                op.location,
            )
