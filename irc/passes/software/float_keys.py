"""Where a quantizer of floats changes its code: bit patterns, which integers compare.

The bits of a float32 ascend with it once those of negative numbers are turned round: a number's
key is `bits ^ 0x80000000`, or `~bits` if it is negative (Herf, "Radix Tricks", 2001). A chain of
functions none of which descends, and a rounding, give a code that never descends either; where it
reaches each value is found by halving the range of keys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type

from irc.dialects import packed
from irc.dialects.dense import BipolarType, DenseAttr, uint
from irc.interp.ewise import apply_ewise, quantize

Array = npt.NDArray[Any]

MOST_LEVELS = 15
"""Codes of more than 4 bits are computed."""
_ASCENDING = ("add", "sub", "max", "min", "relu", "floor", "ceil", "round", "sign")
_ASCENDING_BY_POSITIVE = ("mul", "div")
_INFINITY = 0xFF800000
"""The key of the largest float; behind it, and before that of the least, nothing is a number."""
_LEAST = 0x007FFFFF


def code_keys(op: packed.FloatQuantizeOp) -> DenseAttr | None:
    """The key of the least float of each code but the lowest; `None` if codes are not so few.

    A code that no float reaches gets the key behind infinity.
    """
    low, high = op.bounds
    is_bipolar = isinstance(packed.buffer_type(op.output).element_type, BipolarType)
    source = packed.array_type(op.input).element_type
    levels = high - low
    if is_bipolar and (low, high) == (-1, 1):
        levels = 1
    if not isinstance(source, Float32Type) or not 1 <= levels <= MOST_LEVELS or not _ascends(op):
        return None
    wanted = np.arange(high - levels + 1, high + 1)
    least = np.full(levels, _LEAST, np.uint64)
    beyond = np.full(levels, _INFINITY + 1, np.uint64)
    while np.any(least < beyond):
        middle = (least + beyond) // 2
        reached = _codes(op, middle) >= wanted
        beyond = np.where(reached, middle, beyond)
        least = np.where(reached, least, middle + 1)
    return DenseAttr.from_numpy(least.astype(np.uint32), uint(32))


def _ascends(op: packed.FloatQuantizeOp) -> bool:
    """Whether no function of the chain, which takes one constant each, ever descends."""
    for fn, constant in op.steps:
        if constant is not None:
            number = float(constant.numpy().reshape(-1)[0])
            if constant.size != 1 or not np.isfinite(number):
                return False
            if fn in _ASCENDING_BY_POSITIVE and number > 0:
                continue
        if fn not in _ASCENDING:
            return False
    return True


def _codes(op: packed.FloatQuantizeOp, keys: Array) -> Array:
    """What the op gives for the floats of these keys, beyond infinity as at infinity."""
    bits = np.minimum(keys, _INFINITY).astype(np.uint32)
    bits = np.where(bits >> 31 == 1, bits ^ np.uint32(0x80000000), ~bits)
    x = bits.view(np.float32)
    for fn, constant in op.steps:
        x = apply_ewise(fn, x, None if constant is None else constant.numpy())
    return quantize(op.rounding.data, x, *op.bounds)


__all__ = ["code_keys"]
