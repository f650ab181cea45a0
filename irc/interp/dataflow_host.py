"""The host's share of a dataflow function: what it computes before and after the hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.errors import IrcError
from irc.interp.run import entry_function, make_interpreter

Array = npt.NDArray[Any]


def hardware_inputs(module: ModuleOp, inputs: Sequence[Array]) -> Array:
    """The frames that enter the hardware, [N, *shape], for the inputs of the function."""
    for op, arguments in _host_part(module, inputs, None).items():
        if isinstance(op, dataflow.ToStreamOp):
            return arguments[0]
    raise IrcError("the function has no 'dataflow.to_stream': run convert-bnn-to-dataflow first")


def hardware_outputs(module: ModuleOp, inputs: Sequence[Array]) -> Array:
    """The frames that leave the hardware, [N, *shape], as the interpreter computes them."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    known: dict[SSAValue, Array] = dict(zip(function.body.block.args, inputs, strict=True))
    for op in function.body.block.ops:
        if isinstance(op, ReturnOp):
            break
        operands = tuple(known[operand] for operand in op.operands)
        results = interpreter.run_op(op, operands)
        if isinstance(op, dataflow.FromStreamOp):
            return results[0]
        known.update(zip(op.results, results, strict=True))
    raise IrcError("the function has no 'dataflow.from_stream': run convert-bnn-to-dataflow first")


def host_outputs(module: ModuleOp, inputs: Sequence[Array], frames: Array) -> list[Array]:
    """The results of the function where the hardware has given `frames`, [N, *shape]."""
    for op, arguments in _host_part(module, inputs, frames).items():
        if isinstance(op, ReturnOp):
            return list(arguments)
    raise IrcError("the function returns values that neither hardware nor host computes")


def _host_part(
    module: ModuleOp, inputs: Sequence[Array], frames: Array | None
) -> dict[object, tuple[Array, ...]]:
    """Run what is not hardware; the operands of every operation for which they are known."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    known: dict[SSAValue, Array] = dict(zip(function.body.block.args, inputs, strict=True))
    reached: dict[object, tuple[Array, ...]] = {}
    for op in function.body.block.ops:
        if isinstance(op, dataflow.FromStreamOp) and frames is not None:
            known[op.output] = np.asarray(frames)
        if not all(operand in known for operand in op.operands):
            continue
        reached[op] = tuple(known[operand] for operand in op.operands)
        if op.dialect_name() != "dataflow" and not isinstance(op, ReturnOp):
            known.update(zip(op.results, interpreter.run_op(op, reached[op]), strict=True))
    return reached
