"""Constants that a model writes as quantized floats, seen as integers and scales again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.interp.ewise import quantize

Array = npt.NDArray[Any]

ROUNDING_MODES = {
    "ROUND": "half_even",
    "HALF_EVEN": "half_even",
    "CEIL": "ceil",
    "FLOOR": "floor",
    "UP": "up",
    "DOWN": "down",
    "HALF_UP": "half_up",
    "HALF_DOWN": "half_down",
}
"""QONNX rounding modes and what `bnn.quantize` calls them."""


@dataclass(frozen=True)
class QuantizedConstant:
    """`scales · integers` in float32; `scales` broadcasts to `integers`."""

    integers: Array
    scales: Array

    @property
    def floats(self) -> Array:
        """The values as the model sees them."""
        return (self.integers.astype(np.float32) * self.scales).astype(np.float32)

    @property
    def spread_scales(self) -> Array:
        """The scales with the shape of the integers (a view)."""
        return np.broadcast_to(self.scales, self.integers.shape)


def quant_bounds(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer of a QONNX `Quant`."""
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def quantized_constant(value: SSAValue | None) -> QuantizedConstant | None:
    """The integers and scales behind a constant that passes through a quantizer, also when it is
    transposed or reshaped afterwards; `None` for anything else."""
    if value is None:
        return None
    match value.owner:
        case onnx.BipolarQuantOp() as op:
            x, scale = (onnx.constant_value(v) for v in op.operands[:2])
            if x is None or scale is None:
                return None
            return QuantizedConstant(np.where(x >= 0, 1, -1).astype(np.int8), _f32(scale))
        case onnx.QuantOp() | onnx.IntQuantOp() as op:
            return _quant(op)
        case onnx.TransposeOp() as op:
            inner = quantized_constant(op.operands[0])
            if inner is None:
                return None
            perm = op.ints_attr("perm", list(range(inner.integers.ndim))[::-1])
            scales = inner.scales if inner.scales.size == 1 else inner.spread_scales.transpose(perm)
            return QuantizedConstant(inner.integers.transpose(perm), _scalar(scales))
        case onnx.ReshapeOp() | onnx.FlattenOp() | onnx.SqueezeOp() | onnx.UnsqueezeOp():
            return _reshaped(value)
        case onnx.IdentityOp() as op:
            return quantized_constant(op.operands[0])
        case _:
            return None


def _f32(values: Array) -> Array:
    return _scalar(values.astype(np.float32))


def _scalar(values: Array) -> Array:
    return values.reshape(()) if values.size == 1 else values


def _quant(op: onnx.OnnxOp) -> QuantizedConstant | None:
    x, scale, zero_point, bits = (onnx.constant_value(v) for v in op.operands[:4])
    if x is None or scale is None or zero_point is None or bits is None or bits.size != 1:
        return None
    x, scale, zero_point = (v.astype(np.float32) for v in (x, scale, zero_point))
    signed, width = bool(op.int_attr("signed", 1)), int(bits.reshape(()))
    scaled = (x / scale + zero_point).astype(np.float32)
    if signed and width == 1:
        integers = np.where(scaled >= 0, 1, -1)
    else:
        low, high = quant_bounds(width, signed, bool(op.int_attr("narrow", 1)))
        mode = ROUNDING_MODES[op.str_attr("rounding_mode", "ROUND").upper()]
        integers = quantize(mode, np.clip(scaled, low, high), low, high)
    shifted = integers - zero_point
    if not np.array_equal(shifted, np.rint(shifted)):
        return None
    return QuantizedConstant(shifted.astype(np.int64), _f32(scale))


def _reshaped(value: SSAValue) -> QuantizedConstant | None:
    op = value.owner
    assert isinstance(op, onnx.OnnxOp)
    inner = quantized_constant(op.operands[0])
    shape = getattr(value.type, "get_shape", lambda: None)()
    if inner is None or shape is None or -1 in shape:
        return None
    scales = inner.scales if inner.scales.size == 1 else inner.spread_scales.reshape(shape)
    return QuantizedConstant(inner.integers.reshape(shape), _scalar(scales))
