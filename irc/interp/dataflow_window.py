"""The meaning of the `dataflow` units that look at windows, on NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import dataflow
from irc.dialects.dense import element_range
from irc.interp.beats import from_lanes, to_lanes
from irc.interp.bnn import to_element_type
from irc.interp.bnn_spatial import windows

Array = npt.NDArray[Any]


@register_impls
class DataflowWindowFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`; streams are arrays [frames, beats, lanes]."""

    @impl(dataflow.PadOp)
    def run_pad(self, interpreter: Interpreter, op: dataflow.PadOp, args: PythonValues) -> Any:
        result = dataflow.stream_type(op.output)
        frames = from_lanes(args[0], dataflow.stream_type(op.input))
        border = [(0, 0), *zip(op.before, op.after, strict=True), (0, 0)]
        x = to_element_type(frames, result.element_type)
        return (to_lanes(np.pad(x, border, constant_values=op.pad_value), result),)

    @impl(dataflow.WindowOp)
    def run_window(
        self, interpreter: Interpreter, op: dataflow.WindowOp, args: PythonValues
    ) -> Any:
        source = dataflow.stream_type(op.input)
        # Windows repeat every element K times: keep them as small as their type.
        low, high = element_range(source.element_type)
        frames = from_lanes(args[0], source).astype(_smallest_dtype(low, high), copy=False)
        view = windows(frames, op.kernel, op.strides, op.dilations)
        rows = np.moveaxis(view, 1 + len(op.kernel), -1)
        if op.groups > 1:
            parts = rows.reshape(*rows.shape[:-1], op.groups, -1)
            rows = np.moveaxis(parts, -2, 1 + len(op.kernel))
        if op.mmv > 1:
            *outer, inner = rows.shape[1 : 1 + len(op.kernel)]
            rows = rows.reshape(len(frames), *outer, inner // op.mmv, op.mmv, -1)
            rows = np.swapaxes(rows, -2, -1)
        return (to_lanes(rows, dataflow.stream_type(op.output)),)

    @impl(dataflow.MaxPoolOp)
    def run_max_pool(
        self, interpreter: Interpreter, op: dataflow.MaxPoolOp, args: PythonValues
    ) -> Any:
        frames = from_lanes(args[0], dataflow.stream_type(op.input))
        view = windows(frames, op.kernel, op.strides, op.dilations)
        largest = view.max(axis=tuple(range(-len(op.kernel), 0)))
        return (to_lanes(largest, dataflow.stream_type(op.output)),)

    @impl(dataflow.SumPoolOp)
    def run_sum_pool(
        self, interpreter: Interpreter, op: dataflow.SumPoolOp, args: PythonValues
    ) -> Any:
        frames = from_lanes(args[0], dataflow.stream_type(op.input)).astype(np.int64)
        view = windows(frames, op.kernel, op.strides, op.dilations)
        sums = view.sum(axis=tuple(range(-len(op.kernel), 0)))
        return (to_lanes(sums, dataflow.stream_type(op.output)),)


def _smallest_dtype(low: int, high: int) -> np.dtype[Any]:
    """The smallest integers of NumPy that hold both."""
    return np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high))
