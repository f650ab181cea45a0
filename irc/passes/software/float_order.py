"""Which integers a float tail orders as they are: their largest is then found without floats."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact
from irc.interp.ewise import apply_ewise

MOST_INTEGERS = 1 << 20
"""Of types with more values, not all are tried."""


def integers_in_order(value: SSAValue) -> SSAValue:
    """The integers behind `value`, if float functions keep their order; else `value` itself.

    A chain of element-wise functions with the same constant for all elements is one function
    from an integer to a float32. It is evaluated on every integer of the type: only where each
    result is larger than the one before are the places of largest values, and of equal ones, the
    same before and behind it.
    """
    chain: list[tuple[str, DenseAttr | None]] = []
    source = value
    while isinstance(owner := source.owner, bnn.EwiseOp | bnn.CastOp | bnn.ReshapeOp):
        if isinstance(owner, bnn.ReshapeOp):
            break
        if isinstance(owner, bnn.EwiseOp):
            if owner.constant is not None and owner.constant.size != 1:
                return value
            chain.append((owner.fn.data, owner.constant))
        source = owner.input
    kind = bnn.frame_type(source).element_type
    if not is_exact(kind) or not isinstance(bnn.frame_type(value).element_type, Float32Type):
        return value
    low, high = element_range(kind)
    if high - low >= MOST_INTEGERS or isinstance(kind, BipolarType):
        return value
    results = np.arange(low, high + 1).astype(np.float32)
    for fn, constant in reversed(chain):
        results = apply_ewise(fn, results, None if constant is None else constant.numpy().ravel())
    with np.errstate(all="ignore"):
        grows = bool((np.diff(results) > 0).all())
    return source if grows and bool(np.isfinite(results).all()) else value


__all__ = ["integers_in_order"]
