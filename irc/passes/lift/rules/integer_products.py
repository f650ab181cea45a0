"""Products of integer tensors: `MatMulInteger`, `ConvInteger`, `QLinearMatMul`, `QLinearConv`,
`QGemm`.

Their zero points are subtracted first. Sums are lifted as f32 tensors of whole numbers, which
streamlining turns into exact ones: see `irc.passes.lift.rules.casts`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.dialects.dense import element_range, is_exact
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.quantized_constants import QuantizedConstant
from irc.passes.lift.rules.convolutions import convolution
from irc.passes.lift.rules.linear import dense, transposed
from irc.passes.lift.rules.qdq import as_floats, saturated

Array = npt.NDArray[Any]


@rule("MatMulInteger")
def lift_matmul_integer(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`(a − a_zero) · (b − b_zero)`, b constant: a sum of integers."""
    value = _centred(lifting, op, 0, 2)
    return dense(lifting, value, transposed(_matrix(lifting, op, 1, 3)))


@rule("ConvInteger")
def lift_conv_integer(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The convolution of `x − x_zero` with `w − w_zero`, w constant: a sum of integers."""
    value = _centred(lifting, op, 0, 2)
    return convolution(lifting, op, value, _kernel(lifting, op, 1, 3), None)


@rule("QLinearMatMul")
def lift_qlinear_matmul(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`MatMulInteger`, and then as `_requantized`."""
    value = _centred(lifting, op, 0, 2)
    weights = _matrix(lifting, op, 3, 5)
    total = dense(lifting, value, transposed(weights))
    return _requantized(lifting, op, total, (1, 4, 6, 7), len(lifting.shape(op.results[0])) - 1)


@rule("QGemm")
def lift_qgemm(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`QLinearMatMul` with an integer bias: ONNX Runtime's own operator for `Gemm`."""
    if op.int_attr("transA", 0):
        raise lifting.fail("transA = 1 mixes the frames of a batch")
    if op.input(7) is None:
        raise lifting.fail("gives floats; quantize its result, or quantize in QDQ format")
    alpha = op.float_attr("alpha", 1.0)
    if alpha != 1:
        raise lifting.fail(f"alpha = {alpha:g}; scale the weights instead")
    value = _centred(lifting, op, 0, 2)
    if op.int_attr("transB", 0):
        weights = _kernel(lifting, op, 3, 5)
    else:
        weights = transposed(_matrix(lifting, op, 3, 5))
    offsets = None
    if op.input(6) is not None:
        bias = lifting.required_constant(op.input(6), "C").astype(np.float32)
        offsets = lifting.frame_constant(bias, 2)
    total = dense(lifting, value, weights, offsets)
    return _requantized(lifting, op, total, (1, 4, 7, 8), 1)


@rule("QLinearConv")
def lift_qlinear_conv(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`ConvInteger` with an integer bias, and then as `_requantized`."""
    value = _centred(lifting, op, 0, 2)
    offsets = None
    if op.input(8) is not None:
        offsets = lifting.required_constant(op.input(8), "the bias").astype(np.float32)
    total = convolution(lifting, op, value, _kernel(lifting, op, 3, 5), offsets)
    return _requantized(lifting, op, total, (1, 4, 6, 7), 1)


@rule("DynamicQuantizeLinear")
def lift_dynamic_quantize_linear(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused: its scale follows from the activation."""
    lifting.frame(op.input(0))
    raise lifting.fail(
        "the scale follows from each activation at run time; only static quantization is "
        "supported: quantize with calibration data (ONNX Runtime: quantize_static)"
    )


def _centred(lifting: Lifting, op: onnx.OnnxOp, index: int, zero_index: int) -> SSAValue:
    """An integer activation less its zero point, as f32."""
    value = lifting.frame(op.input(index))
    if not is_exact(element_type_of(value)):
        raise lifting.fail("an operand is the result of integer arithmetic; quantize it first")
    floats = as_floats(lifting, op.input(index))
    zero = parameter(lifting, op, zero_index, "the zero point of an activation")
    return lifting.ewise("sub", floats, zero) if zero.any() else floats


def _matrix(lifting: Lifting, op: onnx.OnnxOp, index: int, zero_index: int) -> QuantizedConstant:
    """Constant weights [K, M] less their zero point, one for all or one a column."""
    integers = _integers(lifting, op, index)
    if integers.ndim != 2:
        raise lifting.fail(f"weights of shape {list(integers.shape)}; [K, M] is supported")
    zero = _zero(lifting, op, zero_index)
    return _constant(integers - (zero if zero.size == 1 else zero.reshape(1, -1)))


def _kernel(lifting: Lifting, op: onnx.OnnxOp, index: int, zero_index: int) -> QuantizedConstant:
    """Constant weights [M, C/G, …] less their zero point, one for all or one an output."""
    integers = _integers(lifting, op, index)
    zero = _zero(lifting, op, zero_index)
    ones = (1,) * (integers.ndim - 1)
    return _constant(integers - (zero if zero.size == 1 else zero.reshape(-1, *ones)))


def _integers(lifting: Lifting, op: onnx.OnnxOp, index: int) -> Array:
    quantized = lifting.quantized(op.operands[index])
    if quantized is not None:
        return quantized.integers.astype(np.int64)
    constant = lifting.constant(op.operands[index])
    if constant is None:
        lifting.frame(op.operands[index])
        raise lifting.fail("both factors are activations; the weights must be constant")
    return constant.astype(np.int64)


def _zero(lifting: Lifting, op: onnx.OnnxOp, index: int) -> Array:
    if op.input(index) is None:
        return np.zeros((), np.int64)
    return lifting.required_constant(op.input(index), "a zero point").astype(np.int64).reshape(-1)


def _constant(integers: Array) -> QuantizedConstant:
    return QuantizedConstant(integers.astype(np.int32), np.ones((), np.float32))


def parameter(lifting: Lifting, op: onnx.OnnxOp, index: int, what: str) -> Array:
    """A scalar as float32; 0 where the node has none."""
    if op.input(index) is None:
        return np.zeros((), np.float32)
    constant = lifting.required_constant(op.input(index), what)
    if constant.size != 1:
        raise lifting.fail(f"{what} has shape {list(constant.shape)}; one number is supported")
    return constant.astype(np.float32).reshape(())


def _requantized(
    lifting: Lifting, op: onnx.OnnxOp, total: SSAValue, which: tuple[int, ...], axis: int
) -> SSAValue:
    """`saturate(round_half_even(total · (x_scale · w_scale / y_scale)) + y_zero)`, the factor in
    float32 from left to right, as ONNX Runtime does.

    `which` gives the inputs x_scale, w_scale, y_scale and y_zero; w_scale may be a vector along
    `axis` of the result, batch included.
    """
    x_scale = parameter(lifting, op, which[0], "the scale of an activation")
    y_scale = parameter(lifting, op, which[2], "the scale of the result")
    w_scale = lifting.required_constant(op.input(which[1]), "the scale of the weights")
    zero = parameter(lifting, op, which[3], "the zero point of the result")
    factor = (x_scale * w_scale.astype(np.float32).reshape(-1)) / y_scale
    if not bool((np.isfinite(factor) & (factor > 0)).all()):
        raise lifting.fail("the scales must be positive, and their quotient finite")
    rank = len(lifting.shape(op.results[0]))
    shape = [-1 if index == axis else 1 for index in range(rank)]
    spread = factor.reshape(()) if factor.size == 1 else factor.reshape(shape)
    value = lifting.ewise("mul", total, lifting.frame_constant(spread, rank))
    return saturated(lifting, value, zero, *element_range(element_type_of(op.results[0])))
