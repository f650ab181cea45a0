"""ONNX's own quantization of constants: `QuantizeLinear`, `Clip` and `DequantizeLinear`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from irc.dialects import onnx
from irc.dialects.dense import element_range, element_width, is_exact
from irc.errors import UnsupportedError
from irc.interp.ewise import quantize

Array = npt.NDArray[Any]

MAX_BITS = 16
"""Widest integers that `QuantizeLinear` gives here, as in ONNX Runtime."""


def quantized_range(op: onnx.OnnxOp) -> tuple[int, int]:
    """Smallest and largest integer of what a `QuantizeLinear` gives."""
    element = _element_type(op.results[0])
    if not is_exact(element) or element_width(element) > MAX_BITS:
        raise UnsupportedError(
            f"quantizes to {element}; integers of at most {MAX_BITS} bits are supported",
            op.location,
        )
    return element_range(element)


def holds_integers(value: SSAValue) -> bool:
    """Whether an ONNX value is a tensor of integers, booleans apart."""
    element = _element_type(value)
    return is_exact(element) and element_width(element) > 1


def _element_type(value: SSAValue) -> Attribute:
    """The element type of a tensor, and of any other value its type."""
    return value.type.element_type if TensorType.constr().verifies(value.type) else value.type


def quantize_linear(op: onnx.OnnxOp, x: Array) -> Array | None:
    """`saturate(round_half_even(x / scale) + zero point)` as int64; `None` without constants."""
    scale, zero = scale_and_zero(op, x.ndim)
    if scale is None or zero is None:
        return None
    low, high = quantized_range(op)
    with np.errstate(all="ignore"):
        rounded = np.rint(x.astype(np.float32) / scale)
    return quantize("half_even", rounded + zero.astype(np.float32), low, high)


def dequantize_linear(op: onnx.OnnxOp, integers: Array) -> tuple[Array, Array] | None:
    """The integers less their zero point, and the scales that multiply them.

    `None` where scale or zero point is computed at run time.
    """
    scale, zero = scale_and_zero(op, integers.ndim)
    if scale is None or zero is None:
        return None
    return integers.astype(np.int64) - zero, scale


def scale_and_zero(op: onnx.OnnxOp, rank: int) -> tuple[Array | None, Array | None]:
    """Scale, float32, and zero point, int64, to broadcast against a tensor of `rank` axes.

    `None` for one that is computed at run time. Raises `UnsupportedError` for scales that are no
    positive numbers, and for one scale a block.
    """
    if op.int_attr("block_size", 0):
        raise UnsupportedError(
            "one scale a block; export with one a tensor or a channel", op.location
        )
    scale, zero = onnx.constant_value(op.input(1)), onnx.constant_value(op.input(2))
    if op.input(2) is None:
        zero = np.zeros((), np.int64)
    if scale is not None and (scale.dtype != np.float32 or not _is_positive(scale)):
        raise UnsupportedError(
            f"a scale must be positive float32 numbers, not {_shown(scale)}", op.location
        )
    axis = op.int_attr("axis", 1)
    return _along(op, scale, axis, rank), _along(op, zero, axis, rank, np.int64)


def _is_positive(scale: Array) -> bool:
    return bool((np.isfinite(scale) & (scale > 0)).all())


def _shown(values: Array) -> str:
    wrong = values.reshape(-1)[:1] if values.dtype != np.float32 else values[~(values > 0)]
    return f"{wrong.reshape(-1)[:3].tolist()} ({values.dtype})"


def _along(
    op: onnx.OnnxOp,
    values: Array | None,
    axis: int,
    rank: int,
    dtype: npt.DTypeLike = np.float32,
) -> Array | None:
    """A scalar, or a vector along `axis` of a tensor of `rank` axes."""
    if values is None:
        return None
    if values.size == 1:
        return values.astype(dtype).reshape(())
    if values.ndim != 1 or not -rank <= axis < rank:
        raise UnsupportedError(
            f"a scale or zero point of shape {list(values.shape)} along axis {axis} of {rank}",
            op.location,
        )
    axis %= rank
    return values.astype(dtype).reshape([-1 if a == axis else 1 for a in range(rank)])


def clip_bounds(op: onnx.OnnxOp) -> tuple[Array | None, Array | None, bool]:
    """The constant bounds of a `Clip`, and whether none of them is computed at run time.

    They are attributes up to opset 10 and inputs after; a missing one is `None`.
    """
    bounds: list[Array | None] = []
    known = True
    for index, name in ((1, "min"), (2, "max")):
        value: SSAValue | None = op.input(index)
        if value is not None:
            bounds.append(onnx.constant_value(value))
            known = known and bounds[-1] is not None
        elif op.has_attr(name):
            bounds.append(np.asarray(op.float_attr(name, 0.0), np.float32))
        else:
            bounds.append(None)
    return bounds[0], bounds[1], known
