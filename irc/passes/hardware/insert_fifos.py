"""Put FIFOs between layers, so that one can work on while the next is busy with something else."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import dataflow
from irc.passes.rewriting import functions_of

SMALLEST_DEPTH = 2


@dataclass(frozen=True)
class InsertFifos(ModulePass):
    """Before matrix-vector units and borders, FIFOs for what comes while these take nothing.

    A matrix-vector unit takes a vector in one go and then nothing until it has computed all neuron
    folds: the FIFO holds one vector. None is needed where there is only one neuron fold, nor where
    the host or a window feeds the unit, for these can wait.

    Padding takes nothing while the border between two frames leaves: the FIFO holds what the
    layers before give in that time.
    """

    name = "insert-fifos"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            # Cycles a frame of the slowest unit so far; the host is never slow.
            slowest = 0
            for unit in list(function.body.block.ops):
                match unit:
                    case dataflow.MvuOp() if unit.neuron_folds > 1:
                        _before_folds(unit)
                    case dataflow.PadOp() if slowest:
                        _before_border(unit, slowest)
                    case _:
                        pass
                if isinstance(unit, dataflow.DataflowNode):
                    slowest = max(slowest, unit.cycles())


def _before_folds(unit: dataflow.MvuOp) -> None:
    value = _source_at_full_rate(unit.input)
    if isinstance(value.owner, dataflow.ToStreamOp | dataflow.WindowOp):
        return
    _insert(value, -(-unit.columns // dataflow.stream_type(value).lanes), unit)


def _before_border(unit: dataflow.PadOp, slowest: int) -> None:
    """Room for the share of a frame that comes during the border, and for a beat under way."""
    inside = unit.inside()
    border = inside.index(True) + inside[::-1].index(True)
    if border:
        source = dataflow.stream_type(unit.input)
        _insert(unit.input, -(-border * source.beats // slowest) + 1, unit)


def _insert(value: SSAValue, beats: int, unit: Operation) -> None:
    """A queue of so many beats, at least, where the stream `value` is read on the way to `unit`."""
    if isinstance(value.owner, dataflow.FifoOp):
        return
    reader = value.get_user_of_unique_use()
    assert reader is not None
    fifo = dataflow.FifoOp(value, max(SMALLEST_DEPTH, beats))
    fifo.location = unit.location
    Rewriter.insert_op(fifo, InsertPoint.before(reader))
    reader.operands[0] = fifo.output


def _source_at_full_rate(value: SSAValue) -> SSAValue:
    """The point furthest upstream from which the unit still gets a beat a cycle.

    A converter to narrower beats gives one a cycle, so its FIFO can hold the wide ones; one to
    wider beats does not, so its FIFO comes after it.
    """
    while isinstance(op := value.owner, dataflow.WidthConverterOp | dataflow.ReshapeOp):
        if isinstance(op, dataflow.WidthConverterOp) and op.widens:
            break
        value = op.input
    return value
