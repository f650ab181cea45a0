"""The meaning of QONNX's operators, on NumPy, in the precision of their operands.

Follows the reference functions of the `qonnx` package, operation by operation, so that float32
results are the same bits; the specification is
https://github.com/fastmachinelearning/qonnx/tree/main/docs/qonnx-custom-ops
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.errors import UnsupportedError

Array = npt.NDArray[Any]


def _away_from_zero(x: Array) -> Array:
    return np.sign(x) * np.ceil(np.abs(x))


def _half_away_from_zero(x: Array) -> Array:
    return np.sign(x) * np.floor(np.abs(x) + x.dtype.type(0.5))


def _half_towards_zero(x: Array) -> Array:
    return np.sign(x) * np.ceil(np.abs(x) - x.dtype.type(0.5))


ROUNDING: dict[str, Callable[[Array], Array]] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": _away_from_zero,
    "DOWN": np.trunc,
    "HALF_UP": _half_away_from_zero,
    "HALF_DOWN": _half_towards_zero,
}
"""Rounding modes: ROUND is half to even; UP and DOWN are away from and towards zero."""


def rounding(mode: str) -> Callable[[Array], Array]:
    """The function of a rounding mode, in any case; `UnsupportedError` for an unknown one."""
    try:
        return ROUNDING[mode.upper()]
    except KeyError:
        raise UnsupportedError(
            f"rounding mode {mode!r} is unknown; known: {', '.join(ROUNDING)}"
        ) from None


def quant_range(signed: bool, narrow: bool, bitwidth: Array) -> tuple[Array, Array]:
    """Smallest and largest integer of a format, in the float type of `bitwidth`.

    Signed: −2^(b−1) (+1 if narrow) to 2^(b−1) − 1. Unsigned: 0 to 2^b − 1 (−1 if narrow).
    """
    two, one = bitwidth.dtype.type(2), bitwidth.dtype.type(1)
    if signed:
        half = np.power(two, bitwidth - one)
        return (one if narrow else one - one) - half, half - one
    return bitwidth * (one - one), np.power(two, bitwidth) - (two if narrow else one)


def quant(
    x: Array,
    scale: Array,
    zeropt: Array,
    bitwidth: Array,
    *,
    signed: bool,
    narrow: bool,
    rounding_mode: str,
) -> Array:
    """`(round(clip(x / scale + zeropt)) − zeropt) · scale`; signed one-bit formats binarize.

    `scale`, `zeropt` and `bitwidth` broadcast against `x`.
    """
    scaled: Array = x / scale + zeropt
    low, high = quant_range(signed, narrow, bitwidth)
    rounded = rounding(rounding_mode)(_clamped(scaled, low, high))
    one_bit: Array = np.logical_and(bitwidth == 1, signed)
    y: Array = np.where(one_bit, _binarized(scaled), rounded)
    return (y - zeropt) * scale


def _clamped(y: Array, low: Array, high: Array) -> Array:
    """`clip` that lets NaN pass."""
    y = np.where(y > high, high.astype(y.dtype), y)
    return np.where(y < low, low.astype(y.dtype), y)


def _binarized(x: Array) -> Array:
    return np.where(x >= 0, np.ones((), x.dtype), -np.ones((), x.dtype))


def bipolar_quant(x: Array, scale: Array) -> Array:
    """`scale` where `x >= 0` (zero included), `−scale` elsewhere (NaN included)."""
    return _binarized(x) * scale


def trunc_v1(
    x: Array, scale: Array, zeropt: Array, in_bits: Array, out_bits: Array, *, rounding_mode: str
) -> Array:
    """Drop the lowest `in_bits − out_bits` bits: `(f(q / 2^(in−out)) − zeropt) · scale`, where
    `q = round(x / scale + zeropt)` and `f` is the rounding mode (floor by default)."""
    y = np.round(x / scale + zeropt)
    step = np.exp2(in_bits - out_bits)
    return (rounding(rounding_mode)(y / step) - zeropt) * scale


def trunc_v2(
    x: Array,
    scale: Array,
    zeropt: Array,
    in_bits: Array,
    out_scale: Array,
    out_bits: Array,
    *,
    signed: bool,
    narrow: bool,
    rounding_mode: str,
) -> Array:
    """As version 1, with a power of two from the ratio of scales, and clipped to `out_bits`."""
    y = np.round(x / scale + zeropt)
    step: Array = np.exp2(np.round(np.log2(out_scale / scale)))
    y = y / step
    low, high = quant_range(signed, narrow, out_bits)
    y = rounding(rounding_mode)(_clamped(y, low, high))
    return (y - zeropt / step) * out_scale


def channel_axis(data_layout: str, rank: int) -> int:
    """Position of the channels of a `MultiThreshold` operand.

    Without a layout QONNX guesses: NC, NWC (channels last!) and NCHW for ranks 2, 3 and 4, and
    axis 1 for all others.
    """
    layout = data_layout or {2: "NC", 3: "NWC", 4: "NCHW"}.get(rank, "")
    return layout.index("C") if "C" in layout else 1


def multithreshold(
    x: Array, thresholds: Array, *, out_scale: float, out_bias: float, data_layout: str
) -> Array:
    """`out_scale · #{t : x >= t} + out_bias`, thresholds `[C or 1, T]` along the channels."""
    axis = channel_axis(data_layout, x.ndim)
    # QONNX swaps the two axes, and so leaves the order of all others alone.
    moved = np.moveaxis(x.swapaxes(axis, 1), 1, -1)
    count = np.zeros(moved.shape, x.dtype)
    for column in np.moveaxis(thresholds, 1, 0):
        count += moved >= column
    kind = x.dtype.type
    result = np.moveaxis(kind(out_scale) * count + kind(out_bias), -1, 1)
    return result.swapaxes(axis, 1)


def apply(op_type: str, inputs: Sequence[Array], attributes: Mapping[str, Any]) -> Array:
    """The result of a QONNX operator on its inputs, attributes by their ONNX names.

    Raises `UnsupportedError` for an unknown operator and a wrong number of inputs.
    """
    signed = bool(attributes.get("signed", 1))
    match op_type, len(inputs):
        case "Quant" | "IntQuant", 4:
            mode = attributes.get("rounding_mode", "ROUND")
            narrow = bool(attributes.get("narrow", 1))
            return quant(*inputs, signed=signed, narrow=narrow, rounding_mode=mode)
        case "BipolarQuant", 2:
            return bipolar_quant(*inputs)
        case "Trunc", 5:
            return trunc_v1(*inputs, rounding_mode=attributes.get("rounding_mode", "FLOOR"))
        case "Trunc", 6:
            mode = attributes.get("rounding_mode", "FLOOR")
            narrow = bool(attributes.get("narrow", 0))
            return trunc_v2(*inputs, signed=signed, narrow=narrow, rounding_mode=mode)
        case "MultiThreshold", 2:
            return multithreshold(
                *inputs,
                out_scale=attributes.get("out_scale", 1.0),
                out_bias=attributes.get("out_bias", 0.0),
                data_layout=attributes.get("data_layout", ""),
            )
        case _, count:
            raise UnsupportedError(f"QONNX has no {op_type} with {count} inputs")
