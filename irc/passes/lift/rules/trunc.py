"""QONNX's `Trunc`, both versions: it drops the lowest bits of a quantized value."""

from __future__ import annotations

import math

import numpy as np
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.quantized_constants import ROUNDING_MODES, check_bits, quant_bounds
from irc.passes.lift.rules.quantizers import MAX_BITS, parameter
from irc.passes.lift.value_bounds import bounds_of


@rule("Trunc")
def lift_trunc(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`(f(round(x / scale + zero) / step) − zero') · scale'`, f the rounding mode.

    Version 1: `step = 2^(in_bits − out_bits)`, zero and scale as before, nothing clipped.
    Version 2 (six inputs): step is the power of two next to `out_scale / scale`, the result is
    clipped to `out_bits`, `zero' = zero / step` and `scale' = out_scale`.
    """
    mode = op.str_attr("rounding_mode", "FLOOR")
    if mode.upper() not in ROUNDING_MODES:
        raise lifting.fail(f"rounding mode {mode!r}; known are {', '.join(ROUNDING_MODES)}")
    rounding = ROUNDING_MODES[mode.upper()]
    value = lifting.floats(op.input(0))
    scale = parameter(lifting, op, 1, "the scale")
    zero = parameter(lifting, op, 2, "the zero point")
    if (scale <= 0).any():
        raise lifting.fail("a scale must be positive")
    if (scale != 1).any():
        value = lifting.ewise("div", value, scale)
    if zero.any():
        value = lifting.ewise("add", value, zero)
    value = lifting.ewise("round", value)
    if len(op.operands) == 6:
        out_scale = parameter(lifting, op, 4, "the scale of the result")
        if (out_scale <= 0).any():
            raise lifting.fail("a scale must be positive")
        step = np.exp2(np.round(np.log2(out_scale / scale))).astype(np.float32)
        width = _bits(lifting, op, 5)
        signed = bool(op.int_attr("signed", 1))
        low, high = quant_bounds(width, signed, bool(op.int_attr("narrow", 0)))
    else:
        step = np.exp2(np.float32(_bits(lifting, op, 3) - _bits(lifting, op, 4)))
        out_scale = scale
        low = high = None
    if (step != 1).any():
        value = lifting.ewise("div", value, step)
    if low is None or high is None:
        low, high = _proven_bounds(lifting, value)
        step = np.ones((), np.float32)
    kind = bnn.smallest_int(low, high)
    value = lifting.emit(bnn.QuantizeOp(rounding, value, kind, low, high))
    value = lifting.emit(bnn.CastOp(value))
    if zero.any():
        value = lifting.ewise("sub", value, zero / step)
    return lifting.ewise("mul", value, out_scale) if (out_scale != 1).any() else value


def _bits(lifting: Lifting, op: onnx.OnnxOp, index: int) -> int:
    bits = lifting.required_constant(op.input(index), "a bit width")
    return check_bits(bits, 2 * MAX_BITS, op)


def _proven_bounds(lifting: Lifting, value: SSAValue) -> tuple[int, int]:
    """Integers that the rounded value cannot leave: version 1 clips nothing, and nor do we."""
    low, high = bounds_of(value)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise lifting.fail(
            "nothing bounds the value that is truncated, and this version of Trunc does not clip; "
            "quantize it before, or export the newer version with six inputs"
        )
    return math.floor(low), math.ceil(high)
