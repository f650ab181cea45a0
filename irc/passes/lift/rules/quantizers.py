"""Quantizers: a float function, an exact value, and the way back to floats."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.quantized_constants import ROUNDING_MODES, check_bits, quant_bounds

MAX_BITS = 16
"""Widest activation that is quantized; QONNX writes larger numbers for 'not quantized'."""


@rule("Sign")
def lift_sign(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Ternary, for ONNX maps 0 to 0; where 0 cannot occur the thresholds make it bipolar."""
    value = lifting.floats(op.input(0))
    signs = lifting.emit(bnn.QuantizeOp("sign", value, bnn.sint(2), -1, 1))
    return lifting.emit(bnn.CastOp(signs))


@rule("BipolarQuant")
def lift_bipolar_quant(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`scale` where x >= 0, `−scale` elsewhere."""
    value = lifting.floats(op.input(0))
    scale = parameter(lifting, op, 1, "the scale")
    signs = lifting.emit(bnn.QuantizeOp("bipolar", value, bnn.bipolar))
    return _scaled(lifting, lifting.emit(bnn.CastOp(signs)), scale)


@rule("Quant", "IntQuant")
def lift_quant(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`(clip(round(x / scale + zero)) − zero) · scale`."""
    value = lifting.floats(op.input(0))
    scale = parameter(lifting, op, 1, "the scale")
    zero = parameter(lifting, op, 2, "the zero point")
    width = check_bits(lifting.required_constant(op.input(3), "the bit width"), MAX_BITS, op)
    signed = bool(op.int_attr("signed", 1))
    mode = op.str_attr("rounding_mode", "ROUND")
    if mode.upper() not in ROUNDING_MODES:
        raise lifting.fail(f"rounding mode {mode!r}; known are {', '.join(ROUNDING_MODES)}")
    if (scale <= 0).any():
        raise lifting.fail("a scale must be positive")
    if (scale != 1).any():
        value = lifting.ewise("div", value, scale)
    if zero.any():
        value = lifting.ewise("add", value, zero)
    if signed and width == 1:
        codes = lifting.emit(bnn.QuantizeOp("bipolar", value, bnn.bipolar))
    else:
        low, high = quant_bounds(width, signed, bool(op.int_attr("narrow", 1)))
        kind = bnn.sint(width) if signed else bnn.uint(width)
        rounding = ROUNDING_MODES[mode.upper()]
        codes = lifting.emit(bnn.QuantizeOp(rounding, value, kind, low, high))
    value = lifting.emit(bnn.CastOp(codes))
    if zero.any():
        value = lifting.ewise("sub", value, zero)
    return _scaled(lifting, value, scale)


def parameter(lifting: Lifting, op: onnx.OnnxOp, index: int, what: str) -> np.ndarray:
    """A constant operand of a quantizer, as float32 that broadcasts to a frame."""
    constant = lifting.required_constant(op.input(index), what)
    shape = lifting.shape(op.operands[0])
    try:
        enlarged = np.broadcast_shapes(constant.shape, shape) != shape
    except ValueError:
        enlarged = True
    if enlarged:
        raise lifting.fail(f"{what} of shape {list(constant.shape)} for a tensor {list(shape)}")
    return lifting.frame_constant(constant, len(shape))


def _scaled(lifting: Lifting, value: SSAValue, scale: np.ndarray) -> SSAValue:
    return value if (scale == 1).all() else lifting.ewise("mul", value, scale)
