"""Dense layers: products of activations with constant weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.quantized_constants import QuantizedConstant, quantized_constant

Array = npt.NDArray[Any]

MAX_WEIGHT = 1 << 15
"""Floats of up to this size that are all whole numbers count as integer weights."""


@rule("MatMul")
def lift_matmul(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x · W` with constant W of shape [K, M]."""
    if lifting.constant(op.operands[0]) is not None:
        raise lifting.fail("constant weights on the left; only x · W is supported")
    value = lifting.floats(op.input(0))
    weights = _weights(lifting, op.operands[1])
    if weights.integers.ndim != 2:
        raise lifting.fail(f"weights of shape {list(weights.integers.shape)}; [K, M] is supported")
    return _linear(lifting, value, transposed(weights))


@rule("Gemm")
def lift_gemm(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`alpha · x · W + beta · C`, W transposed where `transB` says so."""
    if op.int_attr("transA", 0):
        raise lifting.fail("transA = 1 mixes the frames of a batch")
    value = lifting.floats(op.input(0))
    weights = _weights(lifting, op.operands[1])
    if weights.integers.ndim != 2:
        raise lifting.fail(
            f"weights of shape {list(weights.integers.shape)}; a matrix is supported"
        )
    if not op.int_attr("transB", 0):
        weights = transposed(weights)
    result = _linear(lifting, value, weights)
    alpha, beta = op.float_attr("alpha", 1.0), op.float_attr("beta", 1.0)
    if alpha != 1:
        result = lifting.ewise("mul", result, alpha)
    if op.input(2) is None or beta == 0:
        return result
    bias = lifting.required_constant(op.input(2), "C").astype(np.float32) * np.float32(beta)
    return lifting.ewise("add", result, lifting.frame_constant(bias, 2))


def transposed(weights: QuantizedConstant) -> QuantizedConstant:
    """The same with rows and columns exchanged."""
    scales = weights.scales if weights.scales.size == 1 else weights.spread_scales.T
    return QuantizedConstant(weights.integers.T, scales)


def _weights(lifting: Lifting, value: SSAValue) -> QuantizedConstant:
    """A weight matrix; floats that nobody quantized get a scale of 1."""
    quantized = quantized_constant(value)
    if quantized is not None:
        lifting.constant(value)  # refuses NaN
        return quantized
    constant = lifting.constant(value)
    if constant is None:
        lifting.frame(value)
        raise lifting.fail("both factors are activations; the weights must be constant")
    return QuantizedConstant(constant, np.ones((), np.float32))


def _linear(lifting: Lifting, value: SSAValue, weights: QuantizedConstant) -> SSAValue:
    integers, scales = as_integers(weights)
    columns = bnn.frame_type(value).get_shape()[-1:]
    if columns != (integers.shape[1],):
        raise lifting.fail(
            f"weights with {integers.shape[1]} inputs for an activation of shape "
            f"{list(bnn.frame_type(value).get_shape())} a frame"
        )
    attribute = (
        bnn.DenseAttr.from_floats(integers)
        if integers.dtype.kind == "f"
        else weights_attribute(integers)
    )
    scale_attribute = None if (scales == 1).all() else bnn.DenseAttr.from_floats(scales)
    return lifting.emit(bnn.LinearOp(value, attribute, f32, scale_attribute))


def weights_attribute(integers: Array) -> bnn.DenseAttr:
    """Integer weights in the narrowest type: bipolar where all are ±1."""
    if integers.size and int(integers.min()) >= -1 and bool((integers * integers == 1).all()):
        return bnn.DenseAttr.from_numpy(integers, bnn.bipolar)
    return bnn.DenseAttr.from_integers(integers)


def as_integers(weights: QuantizedConstant) -> tuple[Array, Array]:
    """Integers [M, K] and one scale a row, [M] or [1], whose product is the weights exactly.

    Recognises whole numbers, rows of ±a and of −a, 0, a. Anything else stays float with scale 1.
    """
    rows = weights.integers.shape[0]
    scales = weights.scales
    if scales.size > 1:
        spread = weights.spread_scales
        if not bool((spread == spread[:, :1]).all()):
            return _from_floats(weights.floats)
        scales = spread[:, 0]
    scales = scales.reshape(-1).astype(np.float32)
    integers = weights.integers
    if integers.dtype.kind == "f":
        integers, found = _from_floats(integers)
        scales = scales * found
    elif rows and integers.size:
        magnitude = int(np.abs(integers).max())
        if magnitude > 1 and bool((np.abs(integers) == magnitude).all()):
            integers, scales = np.sign(integers), scales * np.float32(magnitude)
    return integers, scales


def _from_floats(values: Array) -> tuple[Array, Array]:
    values = values.astype(np.float32)
    if values.size == 0:
        return values, np.ones(1, np.float32)
    magnitude = np.abs(values)
    largest = magnitude.max(axis=1)
    if bool((largest > 0).all()):
        signs = np.sign(values).astype(np.int8)
        if bool((signs * largest[:, None] == values).all()):
            return signs, largest if np.ptp(largest) else largest[:1]
    if float(largest.max()) <= MAX_WEIGHT and bool((values == np.rint(values)).all()):
        return values.astype(np.int64), np.ones(1, np.float32)
    return values, np.ones(1, np.float32)
