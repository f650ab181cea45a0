"""Units for what `bnn` says on branches: sums, concatenations, slices, upsampling and forks."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn, dataflow

Branch = bnn.AddOp | bnn.ConcatOp | bnn.SliceOp | bnn.UpsampleOp


def changes_nothing(op: object) -> bool:
    """Whether a concatenation, slice or upsampling gives its only operand as it is."""
    match op:
        case bnn.ConcatOp():
            return len(op.inputs) == 1
        case bnn.SliceOp() | bnn.UpsampleOp():
            return op.output.type == op.input.type
        case _:
            return False


def branch_obstacle(op: bnn.UpsampleOp) -> str | None:
    """Why hardware has no unit for upsampling; None where it has."""
    axes = len(op.factors) - 1
    if axes not in (1, 2):
        return f"hardware upsamples along one or two axes in space, not {axes}"
    if op.factors[-1] != 1:
        return "hardware upsamples along axes in space, not along channels"
    return None


def branch_units(op: Branch, values: Sequence[SSAValue], name: str) -> Sequence[Operation]:
    """The unit that computes `op` from streams; none where it changes nothing."""
    if changes_nothing(op):
        return []
    match op:
        case bnn.AddOp():
            element_type = bnn.frame_type(op.output).element_type
            return [dataflow.AddOp(name, values[0], values[1], element_type, op.multipliers)]
        case bnn.ConcatOp():
            return [dataflow.ConcatOp(values, op.axis_index)]
        case bnn.SliceOp():
            return [dataflow.SliceOp(values[0], op.offsets, op.sizes, op.strides)]
        case bnn.UpsampleOp():
            return [dataflow.UpsampleOp(values[0], op.factors)]


def fork_streams(ops: Sequence[Operation]) -> None:
    """Give every stream of the operations that is read more than once to a fork."""
    for op in ops:
        for value in op.results:
            readers = [(use.operation, use.index) for use in value.uses]
            if len(readers) < 2 or not isinstance(value.type, dataflow.StreamType):
                continue
            order = {reader: place for place, reader in enumerate(ops)}
            readers.sort(key=lambda reader: (order[reader[0]], reader[1]))
            fork = dataflow.ForkOp(value, len(readers))
            fork.location = op.location
            Rewriter.insert_op(fork, InsertPoint.after(op))
            for (reader, index), output in zip(readers, fork.outputs, strict=True):
                reader.operands[index] = output
