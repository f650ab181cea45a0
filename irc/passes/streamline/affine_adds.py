"""Add branches as integers, where their scales are in the ratio of small integers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.passes.analysis.affine import (
    FLOAT32_BITS,
    SMALLEST_FLOAT32,
    UNIT_ROUNDOFF,
    Affine,
    as_affine,
    granule,
)
from irc.passes.analysis.ranges import RangeAnalysis, Reachable
from irc.passes.analysis.separation import simplest_between
from irc.passes.streamline.affine_ops import affine_ops, floats
from irc.passes.streamline.exact_sums import exact_sum, unwanted_width

Array = npt.NDArray[Any]

MAX_FACTOR = 1 << 12
"""Largest integer that a ratio of scales is made of."""

MAX_NEAR_FACTOR = 1 << 20
"""The same, where the ratio has to be no nearer than the float sum itself is rounded."""

RATIO_TOLERANCE = 2.0**-22
"""How far a ratio of scales may be from one of integers: as far as the rounding of the two scales
to float32, and of what they are products of, moves it."""


def affine_ratio(op: bnn.AddOp, analysis: RangeAnalysis) -> tuple[Array, Array] | None:
    """p and q, [C] or [1], that the scales of both operands are in the ratio of; if there are."""
    lhs = as_affine(op.lhs, analysis, by_channel=True)
    rhs = as_affine(op.rhs, analysis, by_channel=True)
    return None if lhs is None or rhs is None else _ratio(lhs.scale, rhs.scale)


def _ratio(lhs: Array, rhs: Array) -> tuple[Array, Array] | None:
    lhs, rhs = np.broadcast_arrays(lhs, rhs)
    found: list[tuple[int, int]] = []
    known: dict[tuple[float, float], tuple[int, int] | None] = {}
    for pair in zip(lhs.tolist(), rhs.tolist(), strict=True):
        if pair not in known:
            known[pair] = _fraction(*pair)
        if (one := known[pair]) is None:
            return None
        found.append(one)
    p, q = np.array(found, np.int64).T
    return p, q


def _fraction(lhs: float, rhs: float) -> tuple[int, int] | None:
    """Coprime p and q with `lhs / rhs = p / q`, p > 0 unless lhs is 0."""
    if lhs == 0 or rhs == 0:
        return int(lhs != 0), int(rhs != 0)
    exact = Fraction(rhs) / Fraction(lhs)
    near = exact.limit_denominator(MAX_FACTOR)
    if abs(near.numerator) > MAX_FACTOR or abs(near - exact) > RATIO_TOLERANCE * abs(exact):
        return None
    return near.denominator, near.numerator


def _near_ratio(lhs: Affine, rhs: Affine) -> tuple[Array, Array] | None:
    """p and q of which the scales miss the ratio by less than the sum's own roundings count.

    `|s₁ − s·p|·max|a| + |s₂ − s·q|·max|b| <= 2⁻²² (s₁·max|a| + s₂·max|b|)`, with s = s₁ / p.
    """
    columns = np.broadcast_arrays(
        *(lhs.scale, rhs.scale, _magnitude(lhs.reachable), _magnitude(rhs.reachable))
    )
    found: list[tuple[int, int]] = []
    for s1, s2, a, b in zip(*(column.tolist() for column in columns), strict=True):
        s1, s2 = (0.0 if a == 0 else s1), (0.0 if b == 0 else s2)
        if s1 == 0 or s2 == 0:
            found.append((int(s1 != 0), int(s2 != 0)))
            continue
        exact = Fraction(s2) / Fraction(s1)
        room = Fraction(RATIO_TOLERANCE) * (Fraction(a) / Fraction(b) + abs(exact))
        near = simplest_between(exact - room, exact + room)
        if max(near.denominator, abs(near.numerator)) > MAX_NEAR_FACTOR:
            return None
        found.append((near.denominator, near.numerator))
    p, q = np.array(found, np.int64).T
    return p, q


def _magnitude(reachable: Reachable) -> Array:
    return np.maximum(np.abs(reachable.low), np.abs(reachable.high))


def add_of_affine(op: bnn.AddOp, analysis: RangeAnalysis, near: bool = False) -> bool:
    """`(s·p·a + c) + (s·q·b + d) = s·(p·a + q·b) + (c + d)` for integers p and q, by channel.

    While everything is a whole multiple of a power of two and 24 bits hold it, that is so to the
    bit; else a bound on how far the reference may be is recorded for the margin report. Returns
    whether the float sum was replaced.
    """
    lhs = as_affine(op.lhs, analysis, by_channel=True)
    rhs = as_affine(op.rhs, analysis, by_channel=True)
    if lhs is None or rhs is None:
        return False
    ratio = _ratio(lhs.scale, rhs.scale)
    if ratio is None and near:
        ratio = _near_ratio(lhs, rhs)
    if ratio is None:
        return False
    p, q = ratio
    full = lhs.reachable.multiplied(p).plus(rhs.reachable.multiplied(q))
    if unwanted_width(full) is not None:
        return False
    total = exact_sum(lhs.source, rhs.source, p, q, full)
    # Where one scale is 0 the other is that of the sum.
    scale = np.where(p != 0, lhs.scale / np.where(p == 0, 1, p), rhs.scale)
    offset = lhs.offset + rhs.offset
    error = _rounding_error(lhs, rhs, scale, (p, q), offset, _magnitude(full))
    new_ops = [total, *affine_ops(total.output, scale, offset, error)]
    for new_op in new_ops:
        new_op.location = op.location
    Rewriter.replace_op(op, new_ops)
    return True


def _rounding_error(
    lhs: Affine,
    rhs: Affine,
    scale: Array,
    ratio: tuple[Array, Array],
    offset: Array,
    largest: Array,
) -> bnn.DenseAttr | None:
    """How far the float sum may be from ours, whose integers are up to `largest`.

    The reference rounds the operands and once more; we round the scale, the sum as a float, its
    product with the scale, the offset, and the result.
    """
    p, q = ratio
    missed = np.abs(lhs.scale - p * scale) * _magnitude(lhs.reachable)
    missed = missed + np.abs(rhs.scale - q * scale) * _magnitude(rhs.reachable)
    magnitude = lhs.largest + rhs.largest + np.abs(scale) * largest + np.abs(offset)
    unit = min(lhs.granule, rhs.granule, granule(scale), granule(offset))
    is_exact = unit >= SMALLEST_FLOAT32 and bool((magnitude < unit * 2.0**FLOAT32_BITS).all())
    if is_exact and not bool(np.any(missed)):
        return None
    rounding = 6 * (UNIT_ROUNDOFF * magnitude + SMALLEST_FLOAT32)
    return floats((lhs.error + rhs.error + missed + rounding) * (1 + 2.0**-10))
