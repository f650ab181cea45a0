"""The meaning of the `bnn` dialect, on NumPy.

A value is an array with one axis in front of the type's shape: the frames. Bipolar elements are
int8 ±1, integers int64 and f32 float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import BipolarType
from irc.interp.ewise import apply_ewise, count_thresholds, quantize

Array = npt.NDArray[Any]


def to_element_type(values: Array, element_type: Attribute) -> Array:
    """Integers in the NumPy type that the interpreters use for `element_type`."""
    match element_type:
        case BipolarType():
            return values.astype(np.int8)
        case Float32Type():
            return values.astype(np.float32)
        case _:
            return values.astype(np.int64)


def codes_to_values(codes: Array, element_type: Attribute) -> Array:
    """Codes as `bnn.threshold` counts them to values: bit 0 and 1 of bipolar are −1 and +1."""
    if isinstance(element_type, BipolarType):
        return (2 * codes - 1).astype(np.int8)
    return codes.astype(np.int64)


def exact_dtype(x: Array, weights: Array, length: int) -> np.dtype[Any]:
    """The type in which NumPy sums `length` products of these integers fast and exactly.

    Floating-point matrix products are many times faster than NumPy's integer ones and exact as
    long as no partial sum can leave the integers that the float type represents.
    """
    bound = _largest(x) * _largest(weights) * length
    return np.dtype(np.float32 if bound < 2**24 else np.float64 if bound < 2**53 else np.int64)


def softmax(x: Array, logarithm: bool) -> Array:
    """The probabilities, or their logarithms, of logits along the last axis, as float32.

    In float64 on the way: a sum in float32 depends on how the array lies in memory.
    """
    shifted = (x - x.max(axis=-1, keepdims=True)).astype(np.float64)
    powers = np.exp(shifted)
    total = powers.sum(axis=-1, keepdims=True)
    return (shifted - np.log(total) if logarithm else powers / total).astype(np.float32)


def exact_matmul(x: Array, weights: Array) -> Array:
    """`x · weightsᵀ` of integers along the last axis, exactly, as int64."""
    dtype = exact_dtype(x, weights, weights.shape[-1])
    # One matrix of all rows: NumPy multiplies a stack of small ones one by one.
    rows = x.astype(dtype).reshape(-1, weights.shape[-1])
    sums = (rows @ weights.astype(dtype).T).astype(np.int64)
    return sums.reshape(*x.shape[:-1], len(weights))


def _largest(values: Array) -> int:
    # Not abs: the magnitude of the smallest integer of a type is not in the type.
    return max(-int(values.min(initial=0)), int(values.max(initial=0)))


def apply_thresholds(x: Array, thresholds: Array, steps: Array | None, bias: int) -> Array:
    """`bias + Σ_i steps[c, i] · [x >= thresholds[c, i]]`, channels along the last axis.

    `thresholds` and `steps` are [C, T] or [1, T]; the result is int64 codes in the shape of `x`.
    """
    codes = np.full(x.shape, bias, np.int64)
    for index in range(thresholds.shape[1]):
        reached = x >= thresholds[:, index]
        codes += reached if steps is None else reached * steps[:, index].astype(np.int64)
    return codes


@register_impls
class BnnFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(bnn.CastOp)
    def run_cast(self, interpreter: Interpreter, op: bnn.CastOp, args: PythonValues) -> Any:
        return (args[0].astype(np.float32),)

    @impl(bnn.EwiseOp)
    def run_ewise(self, interpreter: Interpreter, op: bnn.EwiseOp, args: PythonValues) -> Any:
        constant = None if op.constant is None else op.constant.numpy()
        return (apply_ewise(op.fn.data, args[0], constant),)

    @impl(bnn.QuantizeOp)
    def run_quantize(self, interpreter: Interpreter, op: bnn.QuantizeOp, args: PythonValues) -> Any:
        qmin, qmax = op.bounds
        codes = quantize(op.rounding.data, args[0], qmin, qmax)
        return (to_element_type(codes, bnn.frame_type(op.output).element_type),)

    @impl(bnn.FloatThresholdOp)
    def run_float_threshold(
        self, interpreter: Interpreter, op: bnn.FloatThresholdOp, args: PythonValues
    ) -> Any:
        channels = np.moveaxis(args[0], -1, 0)
        codes = count_thresholds(channels.reshape(len(channels), -1), op.thresholds.numpy())
        codes = np.moveaxis(codes.reshape(channels.shape), 0, -1)
        return (to_element_type(codes, bnn.frame_type(op.output).element_type),)

    @impl(bnn.LinearOp)
    def run_linear(self, interpreter: Interpreter, op: bnn.LinearOp, args: PythonValues) -> Any:
        weights = op.weights.numpy()
        if args[0].dtype.kind == "f" or weights.dtype.kind == "f":
            scaled = weights.astype(np.float32)
            if op.scales is not None:
                scaled = scaled * op.scales.numpy()[:, None]
            sums = args[0].astype(np.float32) @ scaled.T
            return (sums if op.offsets is None else sums + op.offsets.numpy(),)
        return (exact_matmul(args[0], weights),)

    @impl(bnn.ThresholdOp)
    def run_threshold(
        self, interpreter: Interpreter, op: bnn.ThresholdOp, args: PythonValues
    ) -> Any:
        steps = None if op.steps is None else op.steps.numpy()
        codes = apply_thresholds(args[0], op.thresholds.numpy(), steps, op.bias.value.data)
        return (codes_to_values(codes, bnn.frame_type(op.output).element_type),)

    @impl(bnn.ReshapeOp)
    def run_reshape(self, interpreter: Interpreter, op: bnn.ReshapeOp, args: PythonValues) -> Any:
        return (args[0].reshape(len(args[0]), *_shape(op.output)),)

    @impl(bnn.TransposeOp)
    def run_transpose(
        self, interpreter: Interpreter, op: bnn.TransposeOp, args: PythonValues
    ) -> Any:
        return (np.transpose(args[0], (0, *(axis + 1 for axis in op.axes))),)

    @impl(bnn.SoftmaxOp)
    def run_softmax(self, interpreter: Interpreter, op: bnn.SoftmaxOp, args: PythonValues) -> Any:
        return (softmax(args[0], op.fn.data == "log_softmax"),)

    @impl(bnn.ArgmaxOp)
    def run_argmax(self, interpreter: Interpreter, op: bnn.ArgmaxOp, args: PythonValues) -> Any:
        return (np.argmax(args[0], axis=-1).reshape(len(args[0]), *_shape(op.output)),)


def _shape(value: SSAValue) -> tuple[int, ...]:
    return bnn.frame_type(value).get_shape()
