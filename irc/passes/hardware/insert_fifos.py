"""Put FIFOs between layers, so that one can finish a vector while the next is busy with another."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import dataflow
from irc.passes.rewriting import functions_of

SMALLEST_DEPTH = 2


@dataclass(frozen=True)
class InsertFifos(ModulePass):
    """Before each matrix-vector unit, a FIFO that holds one of its input vectors.

    Such a unit takes a vector in one go and then nothing until it has computed all neuron folds;
    with the FIFO, the layer before keeps working meanwhile. None is needed where there is only
    one neuron fold, nor where the host or a window feeds the unit, for these can wait.
    """

    name = "insert-fifos"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            for unit in list(function.body.block.ops):
                if isinstance(unit, dataflow.MvuOp) and unit.neuron_folds > 1:
                    _insert(unit)


def _insert(unit: dataflow.MvuOp) -> None:
    value = _source_at_full_rate(unit.input)
    if isinstance(value.owner, dataflow.ToStreamOp | dataflow.FifoOp | dataflow.WindowOp):
        return
    reader = value.get_user_of_unique_use()
    assert reader is not None
    beats = -(-unit.columns // dataflow.stream_type(value).lanes)
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
