"""The meaning of the `bnn` operations where branches meet, part or change size, on NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import bnn

Array = npt.NDArray[Any]


def add(a: Array, b: Array, multipliers: Array | None = None) -> Array:
    """`p[c] · a + q[c] · b` of integers as int64, for multipliers [2, C] or [2, 1]; without
    multipliers `a + b`, of floats one addition in float32."""
    if a.dtype.kind == "f":
        # Overflow gives infinity silently, as ONNX Runtime does.
        with np.errstate(all="ignore"):
            return a.astype(np.float32) + b.astype(np.float32)
    a, b = a.astype(np.int64), b.astype(np.int64)
    if multipliers is None:
        return a + b
    p, q = multipliers.astype(np.int64)
    if a.ndim == 1:
        p, q = p[0], q[0]
    return p * a + q * b


def take_slice(
    x: Array, offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
) -> Array:
    """`sizes` elements from `offsets` on, `strides` apart, along the axes behind the first."""
    moves = (
        slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(offsets, sizes, strides, strict=True)
    )
    return x[(slice(None), *moves)]


def upsample(x: Array, factors: Sequence[int]) -> Array:
    """Every element repeated `factors[i]` times along axis i, behind the first."""
    for axis, factor in enumerate(factors, 1):
        x = np.repeat(x, factor, axis=axis) if factor > 1 else x
    return x


@register_impls
class BnnBranchFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(bnn.AddOp)
    def run_add(self, interpreter: Interpreter, op: bnn.AddOp, args: PythonValues) -> Any:
        multipliers = None if op.multipliers is None else op.multipliers.numpy()
        return (add(args[0], args[1], multipliers),)

    @impl(bnn.ConcatOp)
    def run_concat(self, interpreter: Interpreter, op: bnn.ConcatOp, args: PythonValues) -> Any:
        return (np.concatenate(args, axis=op.axis_index + 1),)

    @impl(bnn.SliceOp)
    def run_slice(self, interpreter: Interpreter, op: bnn.SliceOp, args: PythonValues) -> Any:
        return (take_slice(args[0], op.offsets, op.sizes, op.strides),)

    @impl(bnn.UpsampleOp)
    def run_upsample(self, interpreter: Interpreter, op: bnn.UpsampleOp, args: PythonValues) -> Any:
        return (upsample(args[0], op.factors),)
