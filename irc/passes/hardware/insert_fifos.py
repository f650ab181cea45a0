"""Put FIFOs between layers, so that one can work on while the next is busy with something else."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import dataflow
from irc.errors import UsageError
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fifo_depths import fifo_depths
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class InsertFifos(ModulePass):
    """FIFOs where beats come while the next unit takes none, as deep as that needs.

    A matrix-vector unit takes a vector in one go and then nothing until it has computed all neuron
    folds; padding takes nothing while a border leaves; and where branches meet, the shorter one
    waits for the other. The depths are those with which the design takes the cycles of its slowest
    unit a frame. What the host feeds needs none, for the host can wait.

    Where many units in a row need no FIFO, one of two beats keeps the path of `tready` through
    them short.
    """

    name = "insert-fifos"

    slack: int = 0
    """Beats that every FIFO holds beyond those that it needs."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.slack < 0:
            raise UsageError(f"slack must not be negative, unlike {self.slack}")
        for function in functions_of(op):
            for value, depth in fifo_depths(design_of(function)).items():
                _insert(value, depth + self.slack)


def _insert(value: SSAValue, depth: int) -> None:
    (use,) = value.uses
    fifo = dataflow.FifoOp(value, depth)
    fifo.location = use.operation.location
    Rewriter.insert_op(fifo, InsertPoint.before(use.operation))
    use.operation.operands[use.index] = fifo.output
