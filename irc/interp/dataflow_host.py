"""The host's share of a dataflow function: what it computes before and after the hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.interp.run import entry_function, make_interpreter

Array = npt.NDArray[Any]


def hardware_inputs(module: ModuleOp, inputs: Sequence[Array]) -> Array:
    """The frames that enter the hardware, [N, *shape], for the inputs of the function."""
    values = _run(module, inputs, None)
    entry = next(op for op in values.ops if isinstance(op, dataflow.ToStreamOp))
    return values.known[entry.input]


def host_outputs(module: ModuleOp, inputs: Sequence[Array], frames: Array) -> list[Array]:
    """The results of the function where the hardware has given `frames`, [N, *shape]."""
    values = _run(module, inputs, frames)
    terminator = values.ops[-1]
    assert isinstance(terminator, ReturnOp)
    return [values.known[value] for value in terminator.arguments]


class _Values:
    """The operations of a function, and the values that are known so far."""

    def __init__(self, ops: list[Operation]) -> None:
        self.ops = ops
        self.known: dict[SSAValue, Array] = {}


def _run(module: ModuleOp, inputs: Sequence[Array], frames: Array | None) -> _Values:
    """Run what is not hardware, as far as it does not need what the hardware gives."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    values = _Values(list(function.body.block.ops))
    if not any(isinstance(op, dataflow.ToStreamOp) for op in values.ops):
        raise IrcError(f"function '{function.sym_name.data}' has no hardware part")
    values.known.update(zip(function.body.block.args, inputs, strict=True))
    for op in values.ops:
        if isinstance(op, dataflow.FromStreamOp):
            if frames is not None:
                values.known[op.output] = np.asarray(frames)
        elif op.dialect_name() != "dataflow" and not isinstance(op, ReturnOp):
            if all(operand in values.known for operand in op.operands):
                arguments = tuple(values.known[operand] for operand in op.operands)
                values.known.update(zip(op.results, interpreter.run_op(op, arguments), strict=True))
    return values
