"""ONNX Runtime's own integer operators, which its quantizer writes in QOperator format.

They live in the domain `com.microsoft` and have a scale and a zero point for each tensor. What
they compute is in https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/mlas/lib
and `contrib_ops/cpu/quantization`. `QGemm` is among the integer products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import element_range
from irc.passes.analysis.affine import UNIT_ROUNDOFF
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.pieces import joined
from irc.passes.lift.rules.integer_products import parameter
from irc.passes.lift.rules.pools import average_pool, global_sum
from irc.passes.lift.rules.qdq import as_floats, saturated
from irc.passes.lift.rules.sums import ENLARGES

Array = npt.NDArray[Any]


@rule("QLinearAdd")
def lift_qlinear_add(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`saturate(round_half_even(a · ra + (b · rb + c)))`, `ra = a_scale / y_scale`, `rb` alike.

    `c = y_zero − (ra · a_zero + rb · b_zero)`: unlike in `QuantizeLinear`, the zero point is
    added before rounding. Whether products round before they are added depends on the machine
    that ONNX Runtime runs on, which the margin says.
    """
    scales = [parameter(lifting, op, index, "a scale") for index in (1, 4, 6)]
    zeros = [parameter(lifting, op, index, "a zero point") for index in (2, 5, 7)]
    ratios = [_ratio(lifting, scale, scales[2]) for scale in scales[:2]]
    rest = zeros[2] - (ratios[0] * zeros[0] + ratios[1] * zeros[1])
    constants = [lifting.constant(op.input(index)) for index in (0, 3)]
    terms: list[SSAValue] = []
    for index, ratio, constant in zip((0, 3), ratios, constants, strict=True):
        if constant is not None:
            rest = rest + constant.astype(np.float32) * ratio
            continue
        if lifting.shape(op.operands[index]) != lifting.shape(op.results[0]):
            raise lifting.fail(ENLARGES)
        terms.append(lifting.ewise("mul", as_floats(lifting, op.input(index)), ratio))
    if not terms:
        raise lifting.fail("an activation is expected where the model has constants")
    low, high = _range(op)
    whole = np.arange(low, high + 1)
    error = None
    if any(
        (ratio * whole.astype(np.float32) != np.float64(ratio) * whole).any() for ratio in ratios
    ):
        magnitude = np.abs(rest).max() + (ratios[0] + ratios[1]) * np.abs(whole).max()
        error = 2 * UNIT_ROUNDOFF * magnitude
    rest = lifting.frame_constant(rest, len(lifting.shape(op.results[0])))
    if rest.any() or error is not None:
        terms[-1] = lifting.ewise("add", terms[-1], rest, error)
    total = terms[0] if len(terms) == 1 else lifting.emit(bnn.AddOp(terms[0], terms[1], f32))
    return saturated(lifting, total, np.zeros((), np.float32), low, high)


@rule("QLinearMul")
def lift_qlinear_mul(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`saturate(round_half_even(a · b / y_scale + y_zero))` of an activation and a constant, both
    dequantized: the zero point is added before rounding."""
    constants = [lifting.constant(op.input(index)) for index in (0, 3)]
    if constants[0] is None and constants[1] is None:
        lifting.frame(op.input(0))
        lifting.frame(op.input(3))
        raise lifting.fail(
            "both inputs are activations; one must be a constant: gates, such as "
            "squeeze-and-excitation and x · sigmoid(x), have to be replaced in the model"
        )
    place = 3 if constants[0] is not None else 0
    constant = constants[0] if constants[0] is not None else constants[1]
    assert constant is not None
    scale = parameter(lifting, op, 4 - place, "a scale")
    factor = (
        constant.astype(np.float32) - parameter(lifting, op, 5 - place, "a zero point")
    ) * scale
    if lifting.shape(op.operands[place]) != lifting.shape(op.results[0]):
        raise lifting.fail(ENLARGES)
    rank = len(lifting.shape(op.results[0]))
    value = lifting.ewise(
        "mul", _dequantized(lifting, op, place), lifting.frame_constant(factor, rank)
    )
    value = lifting.ewise("div", value, parameter(lifting, op, 6, "the scale of the result"))
    value = lifting.ewise("add", value, parameter(lifting, op, 7, "a zero point"))
    return saturated(lifting, value, np.zeros((), np.float32), *_range(op))


@rule("QLinearSigmoid")
def lift_qlinear_sigmoid(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`Sigmoid` of the dequantized activation, quantized."""
    return _quantized(lifting, op, lifting.ewise("sigmoid", _dequantized(lifting, op, 0)), 3)


@rule("QLinearLeakyRelu")
def lift_qlinear_leaky_relu(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`LeakyRelu` of the dequantized activation, quantized."""
    slope = op.float_attr("alpha", 0.01)
    return _quantized(lifting, op, lifting.ewise("prelu", _dequantized(lifting, op, 0), slope), 3)


@rule("QLinearAveragePool")
def lift_qlinear_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`AveragePool` of the dequantized activation, quantized."""
    _check_channels_first(lifting, op)
    return _quantized(lifting, op, average_pool(lifting, op, _dequantized(lifting, op, 0)), 3)


@rule("QLinearGlobalAveragePool")
def lift_qlinear_global_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`saturate(round_half_even(sum(x − x_zero) · (x_scale / (y_scale · n))) + y_zero)`."""
    _check_channels_first(lifting, op)
    total, count = global_sum(lifting, _centred(lifting, op, 0))
    scale = parameter(lifting, op, 3, "the scale of the result") * np.float32(count)
    ratio = _ratio(lifting, parameter(lifting, op, 1, "the scale of an activation"), scale)
    value = lifting.channels_first(lifting.ewise("mul", total, ratio))
    return saturated(lifting, value, parameter(lifting, op, 4, "a zero point"), *_range(op))


@rule("QLinearConcat")
def lift_qlinear_concat(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`Concat` of activations, each dequantized and quantized as the result is."""
    rank = len(lifting.shape(op.results[0]))
    axis = lifting.frame_axis(op.int_attr("axis", 1), rank)
    parts: list[SSAValue] = []
    for index in range(2, len(op.operands), 3):
        same = [
            parameter(lifting, op, index + 1 + k, "a scale") == parameter(lifting, op, k, "a scale")
            for k in range(2)
        ]
        if all(same):
            parts.append(lifting.frame(op.input(index)))
        else:
            parts.append(_quantized(lifting, op, _dequantized(lifting, op, index), 0))
    return joined(lifting, parts, axis)


@rule("QLinearSoftmax")
def refuse_qlinear_softmax(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused: it rounds through a table of its own."""
    lifting.frame(op.input(0))
    raise lifting.fail(
        "rounds its probabilities in a way of its own; leave Softmax out of quantization "
        "(quantize_static: nodes_to_exclude), or quantize in QDQ format"
    )


def _dequantized(lifting: Lifting, op: onnx.OnnxOp, index: int) -> SSAValue:
    """`(x − zero) · scale` of an activation; scale and zero point are the inputs behind it."""
    scale = parameter(lifting, op, index + 1, "the scale of an activation")
    return lifting.ewise("mul", _centred(lifting, op, index), scale)


def _centred(lifting: Lifting, op: onnx.OnnxOp, index: int) -> SSAValue:
    """An integer activation less its zero point, as f32."""
    value = as_floats(lifting, op.input(index))
    zero = parameter(lifting, op, index + 2, "the zero point of an activation")
    return lifting.ewise("sub", value, zero) if zero.any() else value


def _quantized(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue, index: int) -> SSAValue:
    """`saturate(round_half_even(value / scale) + zero)`, by the inputs `index` and the next."""
    scale = parameter(lifting, op, index, "the scale of the result")
    zero = parameter(lifting, op, index + 1, "the zero point of the result")
    return saturated(lifting, lifting.ewise("div", value, scale), zero, *_range(op))


def _range(op: onnx.OnnxOp) -> tuple[int, int]:
    return element_range(element_type_of(op.results[0]))


def _ratio(lifting: Lifting, scale: Array, other: Array) -> Array:
    with np.errstate(all="ignore"):
        ratio = scale / other
    if not bool(np.isfinite(ratio) & (ratio > 0)):
        raise lifting.fail("the scales must be positive, and their quotient finite")
    return ratio


def _check_channels_first(lifting: Lifting, op: onnx.OnnxOp) -> None:
    if op.int_attr("channels_last", 0):
        raise lifting.fail(
            "channels_last = 1, which ONNX Runtime's optimizer writes; give irc "
            "the model before it was optimized"
        )
