"""Put FIFOs between layers, so that one can work on while the next is busy with something else."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.counters import count
from irc.dialects import dataflow
from irc.errors import UsageError
from irc.passes.hardware.delays import MARGIN, Delays, delays_of
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fifo_depths import fifo_depths
from irc.passes.hardware.stream_schedule import READY_CHAIN
from irc.passes.rewriting import functions_of

READY_LEVELS, READY_ENDS = 1.25, 2
"""Look-up tables on the path of `tready`: in each unit, one in a converter and one or two in a
matrix-vector unit; and at its ends, from a register of validity to counters of folds."""


@dataclass(frozen=True)
class InsertFifos(ModulePass):
    """FIFOs where beats come while the next unit takes none, as deep as that needs.

    A matrix-vector unit takes a vector in one go and then nothing until it has computed all neuron
    folds; padding takes nothing while a border leaves; and where branches meet, the shorter one
    waits for the other. The depths are those with which the design takes the cycles of its slowest
    unit a frame. What the host feeds needs none, for the host can wait.

    Where many units in a row need no FIFO, one of two beats keeps the path of `tready` through
    them short. With mhz, they are so near to each other as such a clock asks for on the device that
    the design is for.
    """

    name = "insert-fifos"

    slack: int = 0
    """Beats that every FIFO holds beyond those that it needs."""

    mhz: int | float | None = None
    """The clock that is to be met."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.slack < 0:
            raise UsageError(f"slack must not be negative, unlike {self.slack}")
        if self.mhz is not None and not self.mhz > 0:
            raise UsageError(f"mhz must be positive, not {self.mhz:g}")
        for function in functions_of(op):
            design = design_of(function)
            chain = None
            if self.mhz is not None:
                if design.device is None:
                    raise UsageError("mhz needs a design that is folded for a device")
                chain = min(READY_CHAIN, ready_chain(delays_of(design.device), self.mhz))
            for value, depth in fifo_depths(design, chain).items():
                _insert(value, depth + self.slack)


def ready_chain(delays: Delays, mhz: float) -> int:
    """How many units `tready` may pass in a cycle, one at the least."""
    levels = (1000 / mhz / MARGIN - delays.ends) / delays.level
    return max(1, math.floor((levels - READY_ENDS) / READY_LEVELS))


def _insert(value: SSAValue, depth: int) -> None:
    (use,) = value.uses
    fifo = dataflow.FifoOp(value, depth)
    fifo.location = use.operation.location
    count("elements of FIFOs", depth)
    Rewriter.insert_op(fifo, InsertPoint.before(use.operation))
    use.operation.operands[use.index] = fifo.output
