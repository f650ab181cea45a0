"""The meaning of the `dataflow` dialect, on NumPy.

A stream is an array [frames, beats, lanes], so that the order of beats is what is computed with;
tensors of the host are arrays [frames, *shape] as at level `bnn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import dataflow
from irc.interp.beats import from_lanes, to_lanes
from irc.interp.bnn import apply_thresholds, codes_to_values, exact_matmul, to_element_type

Array = npt.NDArray[Any]


@register_impls
class DataflowFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`; host operations are `BnnFunctions`."""

    @impl(dataflow.ToStreamOp)
    def run_to_stream(
        self, interpreter: Interpreter, op: dataflow.ToStreamOp, args: PythonValues
    ) -> Any:
        return (to_lanes(args[0], dataflow.stream_type(op.output)),)

    @impl(dataflow.FromStreamOp)
    def run_from_stream(
        self, interpreter: Interpreter, op: dataflow.FromStreamOp, args: PythonValues
    ) -> Any:
        return (from_lanes(args[0], dataflow.stream_type(op.input)),)

    @impl(dataflow.ReshapeOp)
    def run_reshape(
        self, interpreter: Interpreter, op: dataflow.ReshapeOp, args: PythonValues
    ) -> Any:
        return (args[0],)

    @impl(dataflow.FifoOp)
    def run_fifo(self, interpreter: Interpreter, op: dataflow.FifoOp, args: PythonValues) -> Any:
        return (args[0],)

    @impl(dataflow.WidthConverterOp)
    def run_width_converter(
        self, interpreter: Interpreter, op: dataflow.WidthConverterOp, args: PythonValues
    ) -> Any:
        return (to_lanes(args[0], dataflow.stream_type(op.output)),)

    @impl(dataflow.MvuOp)
    def run_mvu(self, interpreter: Interpreter, op: dataflow.MvuOp, args: PythonValues) -> Any:
        vectors = _vectors(op, args[0])
        weights = op.weights.numpy().reshape(op.groups, op.group_rows, op.columns)
        parts = [exact_matmul(vectors[:, :, g], weights[g]) for g in range(op.groups)]
        sums = np.concatenate(parts, axis=-1)
        if op.thresholds is None:
            values = to_element_type(sums, dataflow.stream_type(op.output).element_type)
        else:
            values = _threshold(op, op.thresholds.numpy(), sums)
        return (to_lanes(values, dataflow.stream_type(op.output)),)

    @impl(dataflow.ThresholdOp)
    def run_threshold(
        self, interpreter: Interpreter, op: dataflow.ThresholdOp, args: PythonValues
    ) -> Any:
        values = _threshold(
            op, op.thresholds.numpy(), from_lanes(args[0], dataflow.stream_type(op.input))
        )
        return (to_lanes(values, dataflow.stream_type(op.output)),)


def _vectors(op: dataflow.MvuOp, beats: Array) -> Array:
    """The vectors of each group, [N, V, G, K], from the order in which their elements come."""
    together, frames = op.parallel_groups, len(beats)
    mmv = op.mmv if op.is_interleaved else 1
    taps = op.columns // op.channels
    shape = (frames, -1, op.groups // together, taps, together, op.channels, mmv)
    x = beats.reshape(shape).transpose(0, 1, 6, 2, 4, 3, 5)
    return x.reshape(frames, -1, op.groups, op.columns)


def _threshold(op: dataflow.MvuOp | dataflow.ThresholdOp, thresholds: Array, x: Array) -> Array:
    steps = None if op.steps is None else op.steps.numpy()
    codes = apply_thresholds(x, np.asarray(thresholds), steps, op.bias)
    return codes_to_values(codes, dataflow.stream_type(op.output).element_type)
