"""Dense layers: products of activations with constant weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.quantized_constants import QuantizedConstant
from irc.passes.lift.weight_grids import find_grid, find_near_grid

Array = npt.NDArray[Any]

MAX_WEIGHT = 1 << 15
"""Floats of up to this size that are all whole numbers count as integer weights."""


@rule("MatMul")
def lift_matmul(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x · W` with constant W of shape [K, M]."""
    if _is_constant(lifting, op.operands[0]):
        raise lifting.fail("constant weights on the left; only x · W is supported")
    value = lifting.floats(op.input(0))
    weights = constant_weights(lifting, op.operands[1])
    if weights.integers.ndim != 2:
        raise lifting.fail(f"weights of shape {list(weights.integers.shape)}; [K, M] is supported")
    return dense(lifting, value, transposed(weights))


@rule("Gemm")
def lift_gemm(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`alpha · x · W + beta · C`, W transposed where `transB` says so.

    Runtimes start the sum with C or end it so, or add C between two blocks of products: it is a
    term of the sum like the others.
    """
    if op.int_attr("transA", 0):
        raise lifting.fail("transA = 1 mixes the frames of a batch")
    value = lifting.floats(op.input(0))
    weights = constant_weights(lifting, op.operands[1])
    if weights.integers.ndim != 2:
        raise lifting.fail(
            f"weights of shape {list(weights.integers.shape)}; a matrix is supported"
        )
    if not op.int_attr("transB", 0):
        weights = transposed(weights)
    alpha = np.float32(op.float_attr("alpha", 1.0))
    scales = weights.scales * alpha
    if not bool((scales == weights.scales.astype(np.float64) * float(alpha)).all()):
        raise lifting.fail(f"alpha = {alpha} times the scales of the weights is not exact")
    offsets = None
    beta = np.float32(op.float_attr("beta", 1.0))
    if op.input(2) is not None and beta != 0:
        bias = lifting.required_constant(op.input(2), "C").astype(np.float32) * beta
        offsets = lifting.frame_constant(bias, 2)
    return dense(lifting, value, QuantizedConstant(weights.integers, scales), offsets)


def transposed(weights: QuantizedConstant) -> QuantizedConstant:
    """The same with rows and columns exchanged."""
    return weights.map(np.transpose)


def _is_constant(lifting: Lifting, value: SSAValue) -> bool:
    return onnx.constant_value(value) is not None or lifting.quantized(value) is not None


def constant_weights(lifting: Lifting, value: SSAValue) -> QuantizedConstant:
    """Weights of any shape; floats that nobody quantized get a scale of 1."""
    quantized = lifting.quantized(value)
    if quantized is not None:
        return quantized
    constant = lifting.constant(value)
    if constant is None:
        lifting.frame(value)
        raise lifting.fail("both factors are activations; the weights must be constant")
    return QuantizedConstant(constant, np.ones((), np.float32))


def dense(
    lifting: Lifting, value: SSAValue, weights: QuantizedConstant, offsets: Array | None = None
) -> SSAValue:
    """`weights · x + offsets` along the last axis of f32 frames; weights [M, K], offsets [M]."""
    integers, scales = as_integers(weights)
    value, integers, scales = near_integers(lifting, value, integers, scales)
    rows, columns = integers.shape
    frame = bnn.frame_type(value).get_shape()
    if frame[-1:] != (columns,):
        raise lifting.fail(
            f"weights with {columns} inputs for an activation of shape {list(frame)} a frame"
        )
    if offsets is not None and offsets.shape not in ((), (1,), (rows,)):
        raise lifting.fail(f"an offset of shape {list(offsets.shape)} for {rows} outputs")
    attribute = (
        bnn.DenseAttr.from_floats(integers)
        if integers.dtype.kind == "f"
        else weights_attribute(integers)
    )
    scale_attribute = None if (scales == 1).all() else bnn.DenseAttr.from_floats(scales)
    offset_attribute = None if offsets is None else bnn.DenseAttr.from_floats(offsets)
    return lifting.emit(bnn.LinearOp(value, attribute, f32, scale_attribute, offset_attribute))


def weights_attribute(integers: Array) -> bnn.DenseAttr:
    """Integer weights in the narrowest type: bipolar where all are ±1."""
    if integers.size and bool(((integers == 1) | (integers == -1)).all()):
        return bnn.DenseAttr.from_numpy(integers, bnn.bipolar)
    return bnn.DenseAttr.from_integers(integers)


def as_integers(weights: QuantizedConstant) -> tuple[Array, Array]:
    """Integers [M, K] and one scale a row, [M] or [1], whose product is the weights exactly.

    Recognises whole numbers, rows of ±a and of −a, 0, a, and rows of multiples of some scale.
    Anything else stays float with scale 1.
    """
    scales = weights.scales
    if scales.size > 1:
        spread = weights.spread_scales
        if not bool((spread == spread[:, :1]).all()):
            return _from_floats(weights.floats)
        scales = spread[:, 0]
    scales = scales.reshape(-1).astype(np.float32)
    integers = weights.integers
    if integers.dtype.kind != "f":
        magnitude = max(-int(integers.min(initial=0)), int(integers.max(initial=0)))
        if magnitude < 2 or not bool((np.abs(integers) == magnitude).all()):
            return integers, scales
        integers, found = np.sign(integers), np.float32(magnitude)
    else:
        integers, found = _from_floats(integers)
    product = scales * found
    if not bool((product == scales.astype(np.float64) * found).all()):
        return weights.integers, scales
    return integers, product


def near_integers(
    lifting: Lifting, value: SSAValue, integers: Array, scales: Array
) -> tuple[SSAValue, Array, Array]:
    """Float weights [M, K] that lie on a grid up to a few roundings as integers with scales.

    What that changes in the sums is stated of the factor 1 of the activation, for the margin:
    `Σ |missed · x| <= max |x| · Σ |missed|`.
    """
    if integers.dtype.kind != "f" or not bool((scales == 1).all()):
        return value, integers, scales
    found = find_near_grid(integers)
    if found is None:
        return value, integers, scales
    integers, scales, missed = found
    return lifting.ewise("mul", value, 1.0, missed * (1 + 2.0**-10)), integers, scales


def _from_floats(values: Array) -> tuple[Array, Array]:
    values = values.astype(np.float32)
    largest = np.abs(values).max(axis=1, initial=0)
    # A row of zeros goes with any scale: one that makes all rows alike, if there is one.
    largest = np.where(largest > 0, largest, largest.max(initial=0) or 1).astype(np.float32)
    signs = np.sign(values).astype(np.int8)
    if bool((signs * largest[:, None] == values).all()):
        return signs, largest[:1] if bool((largest == largest[:1]).all()) else largest
    if float(largest.max()) <= MAX_WEIGHT and bool((values == np.rint(values)).all()):
        return values.astype(np.int32), np.ones(1, np.float32)
    return find_grid(values) or (values, np.ones(1, np.float32))
