"""Element-wise float functions, in float32 and operation by operation, as the ONNX model runs.

The interpreter, the constant evaluator and the threshold search share these, so that they agree
with each other to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "rsub": lambda x, c: c - x,
    "mul": np.multiply,
    "div": np.divide,
    "rdiv": lambda x, c: c / x,
    "max": np.maximum,
    "min": np.minimum,
    # As ONNX Runtime does, for whom a square is a product and exact where that is.
    "pow": lambda x, c: x * x if bool((c == 2).all()) else np.power(x, c),
    "prelu": lambda x, c: np.where(x < 0, x * c, x),
}


def _sigmoid(x: Array) -> Array:
    # Written for each sign so that exp never overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


_UNARY: dict[str, Callable[[Array], Array]] = {
    "neg": np.negative,
    "relu": lambda x: np.maximum(x, np.zeros((), x.dtype)),
    "abs": np.abs,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "sign": np.sign,
    "erf": _erf,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "reciprocal": lambda x: np.ones((), x.dtype) / x,
}


def apply_ewise(fn: str, x: Array, constant: Array | None = None) -> Array:
    """`fn` of `x` (and a constant that broadcasts to it), in the precision of `x`.

    Overflow and invalid operations give infinity and NaN silently, as ONNX Runtime does; whoever
    needs finite numbers checks the result.
    """
    with np.errstate(all="ignore"):
        if constant is None:
            result = _UNARY[fn](x)
        else:
            result = _BINARY[fn](x, constant.astype(x.dtype, copy=False))
    return result.astype(x.dtype, copy=False)


_ROUNDING: dict[str, Callable[[Array], Array]] = {
    "half_even": np.rint,
    # The next two are written as the QONNX reference writes them, roundings of ±0.5 included.
    "half_up": lambda x: np.sign(x) * np.floor(np.abs(x) + np.asarray(0.5, x.dtype)),
    "half_down": lambda x: np.sign(x) * np.ceil(np.abs(x) - np.asarray(0.5, x.dtype)),
    "floor": np.floor,
    "ceil": np.ceil,
    "up": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "down": np.trunc,
    "sign": np.sign,
    "bipolar": lambda x: np.where(x >= 0, 1, -1),
    "positive": lambda x: np.where(x > 0, 1, -1),
}


def count_thresholds(x: Array, thresholds: Array) -> Array:
    """How many of the float `thresholds` [C, T] or [1, T] each of `x` [C, n] has reached."""
    count = np.zeros(x.shape, np.int64)
    for column in thresholds.T:
        count += x >= column[:, None]
    return count


def quantize(rounding: str, x: Array, qmin: int, qmax: int) -> Array:
    """`clip(round(x), qmin, qmax)` as int64; NaN is the caller's to refuse."""
    with np.errstate(all="ignore"):
        return np.clip(_ROUNDING[rounding](x), qmin, qmax).astype(np.int64)
