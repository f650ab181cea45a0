"""The meaning of the float ops of the `packed` dialect, on NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import packed
from irc.interp.bnn import softmax
from irc.interp.ewise import apply_ewise, count_thresholds, quantize
from irc.interp.packed import store

Array = npt.NDArray[Any]


@register_impls
class PackedFloatFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(packed.FloatChainOp)
    def run_float_chain(
        self, interpreter: Interpreter, op: packed.FloatChainOp, args: PythonValues
    ) -> Any:
        return (_chain(op, args[0]),)

    @impl(packed.FloatQuantizeOp)
    def run_float_quantize(
        self, interpreter: Interpreter, op: packed.FloatQuantizeOp, args: PythonValues
    ) -> Any:
        low, high = op.bounds
        x = _chain(op, args[0])
        codes = np.where(np.isnan(x), low, quantize(op.rounding.data, np.nan_to_num(x), low, high))
        return (store(codes, packed.buffer_type(op.output)),)

    @impl(packed.FloatThresholdOp)
    def run_float_threshold(
        self, interpreter: Interpreter, op: packed.FloatThresholdOp, args: PythonValues
    ) -> Any:
        x = _chain(op, args[0])
        thresholds = op.thresholds.numpy()
        channels = x.reshape(-1, len(thresholds)).T
        codes = count_thresholds(channels, thresholds).T.reshape(x.shape)
        return (store(codes, packed.buffer_type(op.output)),)

    @impl(packed.SoftmaxOp)
    def run_softmax(
        self, interpreter: Interpreter, op: packed.SoftmaxOp, args: PythonValues
    ) -> Any:
        rows = args[0].reshape(len(args[0]), op.rows, -1)
        return (softmax(rows, op.fn.data == "log_softmax").reshape(args[0].shape),)


def _chain(op: packed.FloatOp, values: Array) -> Array:
    """The functions of an op, each rounded to float32, on [N, elements]."""
    x = values.astype(np.float32)
    for fn, constant in op.steps:
        repeated = None
        if constant is not None:
            repeated = np.tile(constant.numpy(), x.shape[1] // constant.size)
        x = apply_ewise(fn, x, repeated)
    return x


__all__ = ["PackedFloatFunctions"]
