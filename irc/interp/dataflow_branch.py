"""The meaning of the `dataflow` units where branches part, meet or change size, on NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.interp.beats import from_lanes, to_lanes
from irc.interp.bnn_branch import add, take_slice, upsample

Array = npt.NDArray[Any]


@register_impls
class DataflowBranchFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`; streams are arrays [frames, beats, lanes]."""

    @impl(dataflow.ForkOp)
    def run_fork(self, interpreter: Interpreter, op: dataflow.ForkOp, args: PythonValues) -> Any:
        return (args[0],) * len(op.outputs)

    @impl(dataflow.AddOp)
    def run_add(self, interpreter: Interpreter, op: dataflow.AddOp, args: PythonValues) -> Any:
        a, b = _frames(args, op.operands)
        multipliers = None if op.multipliers is None else op.multipliers.numpy()
        return (to_lanes(add(a, b, multipliers), dataflow.stream_type(op.output)),)

    @impl(dataflow.ConcatOp)
    def run_concat(
        self, interpreter: Interpreter, op: dataflow.ConcatOp, args: PythonValues
    ) -> Any:
        joined = np.concatenate(_frames(args, op.inputs), axis=op.axis_index + 1)
        return (to_lanes(joined, dataflow.stream_type(op.output)),)

    @impl(dataflow.SliceOp)
    def run_slice(self, interpreter: Interpreter, op: dataflow.SliceOp, args: PythonValues) -> Any:
        frames = from_lanes(args[0], dataflow.stream_type(op.input))
        part = take_slice(frames, op.offsets, op.sizes, op.strides)
        return (to_lanes(part, dataflow.stream_type(op.output)),)

    @impl(dataflow.UpsampleOp)
    def run_upsample(
        self, interpreter: Interpreter, op: dataflow.UpsampleOp, args: PythonValues
    ) -> Any:
        (frames,) = _frames(args, op.operands)
        return (to_lanes(upsample(frames, op.factors), dataflow.stream_type(op.output)),)


def _frames(args: PythonValues, operands: Sequence[SSAValue]) -> list[Array]:
    """The operands as arrays [N, *frame shape]."""
    return [
        from_lanes(beats, dataflow.stream_type(value))
        for beats, value in zip(args, operands, strict=True)
    ]
