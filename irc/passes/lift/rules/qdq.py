"""ONNX's own quantizers, `QuantizeLinear` and `DequantizeLinear`, and clipped integers.

Exporters write low bit widths as `QuantizeLinear`, `Clip` of the eight-bit integers, and
`DequantizeLinear` (Brevitas calls it QCDQ): the `Clip` becomes the bounds of the quantizer.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import element_range
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.linear_quantization import clip_bounds, quantized_range, scale_and_zero


@rule("QuantizeLinear")
def lift_quantize_linear(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`saturate(round_half_even(x / scale) + zero point)`, as ONNX Runtime computes it.

    The zero point is added after rounding: adding an odd one before would decide ties otherwise.
    """
    value = as_floats(lifting, op.input(0))
    scale, zero = _parameters(lifting, op)
    low, high = quantized_range(op)
    if (scale != 1).any():
        value = lifting.ewise("div", value, scale)
    return saturated(lifting, value, zero, low, high)


@rule("DequantizeLinear")
def lift_dequantize_linear(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`(q − zero point) · scale`."""
    if not isinstance(element_type_of(op.results[0]), Float32Type):
        raise lifting.fail(f"gives {element_type_of(op.results[0])}; only float32 is supported")
    scale, zero = _parameters(lifting, op)
    value = as_floats(lifting, op.input(0))
    if zero.any():
        value = lifting.ewise("sub", value, zero)
    return lifting.ewise("mul", value, scale) if (scale != 1).any() else value


def saturated(
    lifting: Lifting, value: SSAValue, zero: npt.NDArray[np.float32], low: int, high: int
) -> SSAValue:
    """`saturate(round_half_even(value) + zero)` as an integer from `low` to `high`."""
    if zero.any():
        value = lifting.ewise("add", lifting.ewise("round", value), zero)
    return lifting.emit(bnn.QuantizeOp("half_even", value, bnn.smallest_int(low, high), low, high))


def as_floats(lifting: Lifting, value: SSAValue | None) -> SSAValue:
    """The lifted activation as f32, integers cast."""
    lifted = lifting.frame(value)
    if isinstance(element_type_of(lifted), Float32Type):
        return lifted
    return lifting.emit(bnn.CastOp(lifted))


def clip_integers(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue) -> SSAValue:
    """`Clip` of an integer tensor: narrower bounds of the quantizer that made it, if one did."""
    least, most, known = clip_bounds(op)
    if not known:
        raise lifting.fail("the bounds must be constants")
    low, high = element_range(element_type_of(value))
    quantizer = value.owner if isinstance(value.owner, bnn.QuantizeOp) else None
    if quantizer is not None:
        low, high = quantizer.bounds
    for bound in (least, most):
        if bound is not None and bound.size != 1:
            raise lifting.fail(f"a bound has shape {list(bound.shape)}; expected one number")
    # As ONNX does: the upper bound wins where the lower one is above it.
    first = low if least is None else int(np.clip(math.ceil(float(least.item())), low, high))
    last = high if most is None else int(np.clip(math.floor(float(most.item())), low, high))
    first = min(first, last)
    if (first, last) == (low, high):
        return value
    rounding, source = "half_even", None
    if quantizer is not None:
        rounding, source = quantizer.rounding.data, quantizer.input
    if source is None:
        source = lifting.emit(bnn.CastOp(value))
    kind = bnn.smallest_int(first, last)
    return lifting.emit(bnn.QuantizeOp(rounding, source, kind, first, last))


def _parameters(
    lifting: Lifting, op: onnx.OnnxOp
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Scale and zero point as float32 constants that broadcast to a frame."""
    rank = len(lifting.shape(op.operands[0]))
    scale, zero = scale_and_zero(op, rank)
    if scale is None or zero is None:
        what = "scale" if scale is None else "zero point"
        raise lifting.fail(
            f"the {what} is computed at run time; only static quantization is supported: export "
            "with calibrated, constant scales"
        )
    return lifting.frame_constant(scale, rank), lifting.frame_constant(zero, rank)
