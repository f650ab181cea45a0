"""Which integers can occur where branches meet, part or change size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irc.dialects import bnn
from irc.passes.analysis.reachable import Reachable


def weighted_sum(op: bnn.AddOp, lhs: Reachable, rhs: Reachable) -> Reachable:
    """The progressions of `p[c]·a + q[c]·b`, of any a with any b."""
    factors = np.ones((2, 1), np.int64) if op.multipliers is None else op.multipliers.numpy()
    p, q = factors.astype(np.int64)
    return lhs.multiplied(p).plus(rhs.multiplied(q))


def add_range(op: bnn.AddOp, lhs: Reachable, rhs: Reachable) -> Reachable:
    """What a sum can give; that of a value with itself is `(p[c] + q[c])·a`."""
    if op.lhs is not op.rhs:
        return weighted_sum(op, lhs, rhs).compact()
    factors = np.ones((2, 1), np.int64) if op.multipliers is None else op.multipliers.numpy()
    return lhs.multiplied(factors.astype(np.int64).sum(axis=0)).compact()


def concat_range(op: bnn.ConcatOp, sources: Sequence[Reachable]) -> Reachable:
    """Those of the operands: one after another along the channels, else united."""
    if op.axis_index == len(op.output.type.get_shape()) - 1:
        full = [
            source.expanded(bnn.frame_type(value).get_shape()[-1])
            for source, value in zip(sources, op.inputs, strict=True)
        ]
        arrays = ([f.low for f in full], [f.high for f in full], [f.step for f in full])
        return Reachable(*(np.concatenate(a) for a in arrays)).compact()
    found = sources[0]
    for other in sources[1:]:
        found = found.united(other)
    return found


def slice_range(op: bnn.SliceOp, source: Reachable) -> Reachable:
    """Those of the channels that are kept."""
    if source.channels == 1:
        return source
    first, count, stride = op.offsets[-1], op.sizes[-1], op.strides[-1]
    kept = slice(first, first + (count - 1) * stride + 1, stride)
    return Reachable(*(a[kept] for a in (source.low, source.high, source.step))).compact()


def upsample_range(op: bnn.UpsampleOp, source: Reachable) -> Reachable:
    """Those of the channels, each as often as it is repeated."""
    if source.channels == 1:
        return source
    arrays = (source.low, source.high, source.step)
    return Reachable(*(np.repeat(a, op.factors[-1]) for a in arrays))
