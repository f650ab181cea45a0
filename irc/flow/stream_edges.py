"""What lies before and after the hardware: the host's part of a `dataflow` function.

Between `dataflow.to_stream` and `dataflow.from_stream` lies what becomes hardware; the host
reshapes inputs before and finishes floats after.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.dialects.dataflow import FromStreamOp, StreamType, ToStreamOp
from irc.errors import UnsupportedError
from irc.interp.run import entry_function


@dataclass(frozen=True)
class StreamEdges:
    """The host's functions around one input and one output stream.

    `before` takes the network's inputs and gives what goes into the stream, `through` gives what
    comes out of it, and `after` takes that and gives the network's results.
    """

    before: ModuleOp
    through: ModuleOp
    after: ModuleOp
    input: StreamType
    output: StreamType


def split_at_streams(module: ModuleOp) -> StreamEdges:
    """Cut a `dataflow` module at its streams.

    Raises `UnsupportedError` unless it has one input and one output stream.
    """
    function = entry_function(module)
    ops = list(function.body.block.ops)
    sources = [op for op in ops if isinstance(op, ToStreamOp)]
    sinks = [op for op in ops if isinstance(op, FromStreamOp)]
    if len(sources) != 1 or len(sinks) != 1:
        raise UnsupportedError(
            f"{len(sources)} input and {len(sinks)} output streams; "
            "the test bench drives one of each"
        )
    source, sink = sources[0], sinks[0]
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    assert isinstance(source.output.type, StreamType)
    assert isinstance(sink.input.type, StreamType)
    return StreamEdges(
        before=_slice(function, list(function.body.block.args), [source.input]),
        through=_slice(function, list(function.body.block.args), [sink.output]),
        after=_slice(function, [sink.output], list(terminator.arguments)),
        input=source.output.type,
        output=sink.input.type,
    )


def _slice(function: FuncOp, inputs: list[SSAValue], outputs: list[SSAValue]) -> ModuleOp:
    """The operations that compute `outputs` from `inputs`, as a function of its own."""
    needed: set[Operation] = set()
    waiting = [value for value in outputs if value not in inputs]
    while waiting:
        owner = waiting.pop().owner
        if isinstance(owner, Block):
            raise UnsupportedError(
                "a result that does not go through the stream", function.location
            )
        if owner not in needed:
            needed.add(owner)
            waiting += [value for value in owner.operands if value not in inputs]
    block = Block(arg_types=[value.type for value in inputs])
    values: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    for op in function.body.block.ops:
        if op in needed:
            block.add_op(op.clone(values))
    block.add_op(ReturnOp(*(values[value] for value in outputs)))
    types = FunctionType.from_lists([v.type for v in inputs], [v.type for v in outputs])
    return ModuleOp([FuncOp(function.sym_name.data, types, Region(block))])
