"""A function run op by op: every value kept, some replaced, roundings exaggerated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.interpreter import Interpreter
from xdsl.ir import SSAValue

from irc.flow.each_pass.rounding import Jitter
from irc.interp.run import make_interpreter

Array = npt.NDArray[Any]


def trace(
    module: ModuleOp,
    function: FuncOp,
    inputs: Sequence[Array],
    forced: Mapping[SSAValue, Array] | None = None,
    jitter: Jitter | None = None,
) -> tuple[list[Array], dict[SSAValue, Any]]:
    """The results of a function of one block for inputs [N, …], and every value on the way.

    Values in `forced` are given instead of computed ones; `jitter` moves float values within what
    another order of evaluation could make of them.
    """
    interpreter = make_interpreter(module)
    known: dict[SSAValue, Any] = dict(zip(function.body.block.args, inputs, strict=True))
    return _run(interpreter, function, known, forced or {}, jitter), known


def _run(
    interpreter: Interpreter,
    function: FuncOp,
    known: dict[SSAValue, Any],
    forced: Mapping[SSAValue, Array],
    jitter: Jitter | None,
) -> list[Array]:
    for op in function.body.block.ops:
        operands = tuple(known[operand] for operand in op.operands)
        if isinstance(op, ReturnOp):
            return list(operands)
        results = interpreter.run_op(op, operands)
        if jitter is not None:
            results = jitter.moved(interpreter, op, operands, results)
        for result, value in zip(op.results, results, strict=True):
            known[result] = forced.get(result, value)
    return []
