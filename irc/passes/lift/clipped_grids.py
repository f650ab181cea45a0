"""A clip behind the scale of rounded values, as one of the rounded values themselves."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.interp.ewise import apply_ewise
from irc.passes.lift.lifting import Lifting

_ROUNDINGS = ("round", "floor", "ceil")
_AFFINE = ("add", "sub", "mul", "div")

LARGEST_LEVEL = 1 << 16
"""Bounds of more levels than that are no quantizer's."""


def clipped_before_scale(
    lifting: Lifting, value: SSAValue, low: float, high: float
) -> SSAValue | None:
    """`clip(g(round(y)), g(A), g(B)) = g(clip(round(y), A, B))`, g a rising scale and offset.

    float32 arithmetic keeps the order of the levels, so that what lies beyond A or B is clipped
    either way. A falling g exchanges the bounds. `None` where this is not the form, or where a
    bound lies between two levels.
    """
    chain: list[bnn.EwiseOp] = []
    while isinstance(value.owner, bnn.EwiseOp) and value.owner.fn.data in _AFFINE:
        op = value.owner
        if op.constant is None or op.constant.size != 1:
            return None
        chain.insert(0, op)
        value = op.input
    rounding = value.owner
    if not chain or not isinstance(rounding, bnn.EwiseOp) or rounding.fn.data not in _ROUNDINGS:
        return None
    bounds = [_level(chain, bound) for bound in (low, high)]
    if bounds[0] is None or bounds[1] is None:
        return None
    first, last = sorted((bounds[0], bounds[1]))
    value = lifting.ewise("max", value, float(first))
    value = lifting.ewise("min", value, float(last))
    for op in chain:
        assert op.constant is not None
        error = None if op.constant_error is None else op.constant_error.numpy()
        value = lifting.ewise(op.fn.data, value, op.constant.numpy(), error)
    return value


def _level(chain: list[bnn.EwiseOp], bound: float) -> int | None:
    """The integer that the chain takes to `bound` exactly."""
    start, step = _levels(chain, np.array([0, 1]))
    slope = float(step) - float(start)
    if slope == 0 or not np.isfinite(slope):
        return None
    level = round((bound - float(start)) / slope)
    if abs(level) > LARGEST_LEVEL or _levels(chain, np.array([level]))[0] != np.float32(bound):
        return None
    return level


def _levels(chain: list[bnn.EwiseOp], integers: np.ndarray) -> np.ndarray:
    values = integers.astype(np.float32)
    for op in chain:
        constant = None if op.constant is None else op.constant.numpy().reshape(-1)
        values = apply_ewise(op.fn.data, values, constant)
    return values
