"""Bounds of lifted values: what the functions, weights and exact values before them allow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.passes.streamline.recognize_quantizers import Interval, interval_after

ANYTHING = Interval(-math.inf, math.inf)


def bounds_of(value: SSAValue) -> tuple[float, float]:
    """Bounds of a value, from the functions, weights and exact values that lead to it."""
    known: dict[SSAValue, Interval] = {}
    # What a value follows from comes first; a recursion would be as deep as the network.
    pending = [value]
    while pending:
        missing = [source for source in _sources(pending[-1]) if source not in known]
        if missing:
            pending += missing
            continue
        waiting = pending.pop()
        known[waiting] = _interval(waiting, [known[source] for source in _sources(waiting)])
    found = known[value]
    return found.low, found.high


def _sources(value: SSAValue) -> Sequence[SSAValue]:
    """The values from whose bounds those of a float follow; an exact one begins anew."""
    is_start = is_exact(bnn.frame_type(value).element_type)
    return value.owner.operands if not is_start and isinstance(value.owner, Operation) else ()


def _interval(value: SSAValue, sources: Sequence[Interval]) -> Interval:
    element_type = bnn.frame_type(value).element_type
    match value.owner:
        case bnn.QuantizeOp() as op:
            return Interval(*op.bounds)
        case _ if is_exact(element_type):
            return Interval(*element_range(element_type))
        case bnn.EwiseOp() as op:
            return interval_after(op, sources[0])
        case bnn.LinearOp() | bnn.ConvOp() as op:
            return _products(op, sources[0])
        case bnn.SumPoolOp() as op:
            return Interval(sources[0].low * op.window_size, sources[0].high * op.window_size)
        case bnn.PadOp() as op:
            return Interval(min(sources[0].low, op.pad_value), max(sources[0].high, op.pad_value))
        case bnn.AddOp():
            lhs, rhs = sources
            return Interval(lhs.low + rhs.low, lhs.high + rhs.high)
        case bnn.ConcatOp():
            return Interval(min(s.low for s in sources), max(s.high for s in sources))
        case (
            bnn.CastOp()
            | bnn.MaxPoolOp()
            | bnn.ReshapeOp()
            | bnn.TransposeOp()
            | bnn.SliceOp()
            | bnn.UpsampleOp()
        ):
            return sources[0]
        case _:
            return ANYTHING


def _products(op: bnn.LinearOp | bnn.ConvOp, x: Interval) -> Interval:
    weights = op.weights.numpy().astype(np.float64)
    largest = max(abs(x.low), abs(x.high)) * np.abs(weights).reshape(len(weights), -1).sum(axis=1)
    if op.scales is not None:
        largest = largest * np.abs(op.scales.numpy())
    if op.offsets is not None:
        largest = largest + np.abs(op.offsets.numpy())
    bound = float(largest.max(initial=0))
    return Interval(-bound, bound)
