"""Run the entry function of a module in the interpreter of its level, frames at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter

from irc.dialects.control_flow import check_single_block
from irc.errors import IrcError
from irc.interp.func import FuncFunctions

Array = npt.NDArray[Any]

Progress = Callable[[int, int], None]
"""Called with how many frames are done and how many there are."""

FRAMES_AT_ONCE = 512
ELEMENTS_AT_ONCE = 1 << 25
"""Every value of a function stays in memory until its frames are done, in up to 8 bytes each."""


def entry_function(module: ModuleOp) -> FuncOp:
    """The one public function with a body; raises `IrcError` where there is none or several, or
    where it has control flow."""
    found = [
        op
        for op in module.ops
        if isinstance(op, FuncOp)
        and op.body.blocks
        and (op.sym_visibility is None or op.sym_visibility.data == "public")
    ]
    if len(found) != 1:
        raise IrcError(f"expected one public function, found {len(found)}")
    check_single_block(found[0])
    return found[0]


def make_interpreter(module: ModuleOp) -> Interpreter:
    """An interpreter for the levels bnn, dataflow and packed."""
    from irc.interp.bnn import BnnFunctions
    from irc.interp.bnn_branch import BnnBranchFunctions
    from irc.interp.bnn_spatial import BnnSpatialFunctions
    from irc.interp.dataflow import DataflowFunctions
    from irc.interp.dataflow_branch import DataflowBranchFunctions
    from irc.interp.dataflow_window import DataflowWindowFunctions
    from irc.interp.packed import PackedFunctions
    from irc.interp.packed_branch import PackedBranchFunctions
    from irc.interp.packed_float import PackedFloatFunctions
    from irc.interp.packed_spatial import PackedSpatialFunctions

    interpreter = Interpreter(module)
    for functions in (
        FuncFunctions(),
        BnnFunctions(),
        BnnSpatialFunctions(),
        BnnBranchFunctions(),
        DataflowFunctions(),
        DataflowWindowFunctions(),
        DataflowBranchFunctions(),
        PackedFunctions(),
        PackedSpatialFunctions(),
        PackedBranchFunctions(),
        PackedFloatFunctions(),
    ):
        interpreter.register_implementations(functions)
    return interpreter


def frames_at_once(function: FuncOp) -> int:
    """How many frames keep the values of a function within `ELEMENTS_AT_ONCE`."""
    values = (value.type for op in function.body.block.ops for value in op.results)
    tensors = (kind for kind in values if isinstance(kind, ShapedType))
    elements = sum(prod(max(size, 1) for size in kind.get_shape()) for kind in tensors)
    return max(1, min(FRAMES_AT_ONCE, ELEMENTS_AT_ONCE // max(1, elements)))


def run_module(
    module: ModuleOp, inputs: Sequence[Array], progress: Progress | None = None
) -> list[Array]:
    """Results of the entry function, arrays with the frames in front, as the inputs have them."""
    function = entry_function(module)
    name, step = function.sym_name.data, frames_at_once(function)
    interpreter = make_interpreter(module)
    total = len(inputs[0])
    parts: list[tuple[Array, ...]] = []
    for start in range(0, max(total, 1), step):
        chunk = tuple(x[start : start + step] for x in inputs)
        parts.append(interpreter.call_op(name, chunk))
        if progress is not None:
            progress(min(start + step, total), total)
    return [np.concatenate(results) for results in zip(*parts, strict=True)]
