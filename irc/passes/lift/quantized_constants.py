"""Constants that a model writes as quantized floats, seen as integers and scales again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.dialects.onnx_types import static_shape
from irc.errors import UnsupportedError
from irc.interp.ewise import quantize
from irc.passes.lift.linear_quantization import (
    clip_bounds,
    dequantize_linear,
    holds_integers,
    quantize_linear,
)

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

MAX_BITS = 32
"""Widest constant that is quantized; biases have so many bits."""


@dataclass(frozen=True)
class QuantizedConstant:
    """`scales · integers` in float32; `scales` broadcasts to `integers`."""

    integers: Array
    scales: Array

    @property
    def floats(self) -> Array:
        """The values as the model sees them."""
        return (self.integers.astype(np.float32) * self.scales).astype(np.float32)

    def map(self, move: Callable[[Array], Array]) -> QuantizedConstant:
        """The same after `move`, which gives the elements other places."""
        scales = self.scales if self.scales.size == 1 else move(self.spread_scales)
        return QuantizedConstant(move(self.integers), scales)

    @property
    def spread_scales(self) -> Array:
        """The scales with the shape of the integers (a view)."""
        return np.broadcast_to(self.scales, self.integers.shape)


def quant_bounds(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer of a QONNX `Quant`."""
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


class QuantizedConstants:
    """Finds the integers and scales behind constants that pass through quantizers, once each."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, QuantizedConstant | None] = {}

    def of(self, value: SSAValue | None) -> QuantizedConstant | None:
        """The constant behind a quantizer, also where it is transposed or reshaped afterwards;
        `None` for anything else.

        Raises `UnsupportedError` for NaN and infinity, and for a quantizer that is no such thing.
        """
        if value is None:
            return None
        # Upwards to what is known, then down again: long chains of reshapes are no recursion.
        pending = [value]
        while pending[-1] not in self._known and isinstance(pending[-1].owner, _FOLLOWED):
            pending.append(pending[-1].owner.operands[0])
        for waiting in reversed(pending):
            if waiting not in self._known:
                self._known[waiting] = self._compute(waiting)
        return self._known[value]

    def _compute(self, value: SSAValue) -> QuantizedConstant | None:
        op = value.owner
        if isinstance(op, _SHAPES):
            inner = self._known[op.operands[0]]
            return None if inner is None else _moved(op, inner)
        if isinstance(op, _LINEAR):
            return self._linear(op)
        if not isinstance(op, onnx.BipolarQuantOp | onnx.QuantOp):
            return None
        inputs = [onnx.constant_value(operand) for operand in op.operands]
        if any(array is None for array in inputs):
            return None
        if any(array is not None and array.dtype.kind in "cSUO" for array in inputs):
            raise UnsupportedError("a constant of complex numbers or of text", op.location)
        arrays = [array.astype(np.float32) for array in inputs if array is not None]
        if not all(np.isfinite(array).all() for array in arrays):
            raise UnsupportedError("a constant holds NaN or infinity", op.location)
        if isinstance(op, onnx.BipolarQuantOp):
            x, scale = arrays
            return QuantizedConstant(np.where(x >= 0, 1, -1).astype(np.int8), _scalar(scale))
        return _quant(op, arrays)

    def _linear(self, op: onnx.OnnxOp) -> QuantizedConstant | None:
        """What ONNX's own quantization makes of a constant."""
        inner = self._known[op.operands[0]]
        if inner is None:
            constant = onnx.constant_value(op.operands[0])
            if constant is None:
                return None
            inner = QuantizedConstant(constant, np.ones((), np.float32))
        return _linear(op, inner)


_SHAPES = (
    onnx.TransposeOp,
    onnx.ReshapeOp,
    onnx.FlattenOp,
    onnx.SqueezeOp,
    onnx.UnsqueezeOp,
    onnx.IdentityOp,
)
"""Operators that leave the elements of their first operand as they are."""

_LINEAR = (onnx.QuantizeLinearOp, onnx.ClipOp, onnx.DequantizeLinearOp)
"""ONNX's own quantization; `Clip` counts where its operand is of integers."""

_FOLLOWED = (*_SHAPES, *_LINEAR)
"""Operators that are seen through, by their first operand."""


def _scalar(values: Array) -> Array:
    return values.reshape(()) if values.size == 1 else values


def _quant(op: onnx.OnnxOp, arrays: list[Array]) -> QuantizedConstant | None:
    x, scale, zero_point, bits = arrays
    signed, width = bool(op.int_attr("signed", 1)), check_bits(bits, MAX_BITS, op)
    mode = op.str_attr("rounding_mode", "ROUND").upper()
    if mode not in ROUNDING_MODES:
        raise UnsupportedError(
            f"rounding mode {mode!r}; known are {', '.join(ROUNDING_MODES)}", op.location
        )
    if not scale.all():
        raise UnsupportedError("a scale of 0", op.location)
    with np.errstate(all="ignore"):
        scaled = (x / scale + zero_point).astype(np.float32)
    if signed and width == 1:
        integers = np.where(scaled >= 0, 1, -1)
    else:
        low, high = quant_bounds(width, signed, bool(op.int_attr("narrow", 1)))
        integers = quantize(ROUNDING_MODES[mode], scaled, low, high)
    if zero_point.any():
        shifted = integers - zero_point.astype(np.float64)
        if not np.array_equal(shifted, np.rint(shifted)):
            raise UnsupportedError("a zero point that is no integer", op.location)
        integers = shifted.astype(np.int64)
    low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
    return QuantizedConstant(integers.astype(smallest_dtype(low, high)), _scalar(scale))


def check_bits(bits: Array, most: int, op: onnx.OnnxOp) -> int:
    """The bit width of a quantizer; raises `UnsupportedError` if it is not one integer."""
    width = bits.reshape(-1)[0] if bits.size == 1 else 0
    if width != int(width) or not 1 <= width <= most:
        raise UnsupportedError(
            f"bit width {bits.tolist()}; expected one integer from 1 to {most}", op.location
        )
    return int(width)


def smallest_dtype(low: int, high: int) -> type[np.signedinteger[Any]]:
    """The smallest signed NumPy type that holds `low` to `high`."""
    kinds = (np.int8, np.int16, np.int32)
    return next((k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max), np.int64)


def _moved(op: onnx.OnnxOp, inner: QuantizedConstant) -> QuantizedConstant | None:
    """The constant after an operator that only moves its elements."""
    if isinstance(op, onnx.TransposeOp):
        perm = op.ints_attr("perm", list(range(inner.integers.ndim))[::-1])
        return inner.map(lambda array: array.transpose(perm))
    if isinstance(op, onnx.IdentityOp):
        return inner
    shape = static_shape(op.results[0].type)
    return None if shape is None else inner.map(lambda array: array.reshape(shape))


def _linear(op: onnx.OnnxOp, inner: QuantizedConstant) -> QuantizedConstant | None:
    """The constant after `QuantizeLinear`, after `Clip` of integers, or after
    `DequantizeLinear`; `None` for what the model leaves to the run time."""
    if isinstance(op, onnx.QuantizeLinearOp):
        floats = inner.floats
        if not np.isfinite(floats).all():
            raise UnsupportedError("a constant holds NaN or infinity", op.location)
        integers = quantize_linear(op, floats)
        return None if integers is None else _of_integers(integers)
    if (inner.scales != 1).any() or inner.integers.dtype.kind == "f":
        return None
    if isinstance(op, onnx.ClipOp):
        if not holds_integers(op.results[0]):
            return None
        low, high, known = clip_bounds(op)
        clipped = inner.integers.astype(np.int64)
        if low is not None:
            clipped = np.maximum(clipped, low.astype(np.int64))
        if high is not None:
            clipped = np.minimum(clipped, high.astype(np.int64))
        return _of_integers(clipped) if known else None
    found = dequantize_linear(op, inner.integers)
    if found is None:
        return None
    return QuantizedConstant(_of_integers(found[0]).integers, found[1])


def _of_integers(integers: Array) -> QuantizedConstant:
    low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
    narrow = integers.astype(smallest_dtype(low, high))
    return QuantizedConstant(narrow, np.ones((), np.float32))
