"""A dataflow function as the chain of units that it is."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class Design:
    """Where data enter and leave the hardware, and the units between, in order."""

    function: FuncOp
    entry: dataflow.ToStreamOp
    units: list[dataflow.DataflowNode]
    exit: dataflow.FromStreamOp

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.sym_name.data

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
    """The design in a function, or in the only function of a module; `IrcError` if there is none.

    Streams go from unit to unit without branches.
    """
    if isinstance(where, ModuleOp):
        functions = list(functions_of(where))
        if len(functions) != 1:
            raise IrcError(f"expected one function at level dataflow, found {len(functions)}")
        return design_of(functions[0])
    entries = [op for op in where.body.block.ops if isinstance(op, dataflow.ToStreamOp)]
    if len(entries) != 1:
        raise IrcError(
            f"function '{where.sym_name.data}' has {len(entries)} 'dataflow.to_stream', "
            "expected 1: run convert-bnn-to-dataflow first",
            where.location,
        )
    units: list[dataflow.DataflowNode] = []
    op: Operation = entries[0]
    while not isinstance(op, dataflow.FromStreamOp):
        reader = op.results[0].get_user_of_unique_use()
        if reader is None:
            raise IrcError(f"'{op.name}': its stream must be read exactly once", op.location)
        op = reader
        if isinstance(op, dataflow.DataflowNode):
            units.append(op)
    return Design(where, entries[0], units, op)
