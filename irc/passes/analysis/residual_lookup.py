"""Integers to look up for branches whose functions are not scales and offsets of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.passes.analysis.branch import SumChain
from irc.passes.analysis.residual_search import NoThresholdsError, Search
from irc.passes.analysis.separation import Borders

Array = npt.NDArray[Any]

MAX_LOOKUPS = 1 << 8
"""Most values of a branch that are looked up."""

LOOKUP_BITS = (2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28)
"""Precisions that are tried."""


@dataclass(frozen=True)
class Tables:
    """`factor · a + table_b[b]`, or `factor · table_a[a] + table_b[b]`: `factors` are [C], tables
    [C, n], by the integers' order."""

    factors: Array
    lhs: Array | None
    rhs: Array


def looked_up(searches: Sequence[Search], chain: SumChain) -> Tables:
    """Integers in the place of those of the branches, the sum of which separates all pairs.

    `table[c, i] ≈ branch(i)/unit`: of the shorter branch in units of the scale of the longer one,
    whose integers stay and are multiplied (by 0 in channels where it is constant), else of both.
    For branches of few values whose functions are not scales and offsets. The float sum is a
    rounding of the exact sum of the two floats, and rounding never falls: some unit is small
    enough, if float32 is all that there is to rounding.

    Raises `NoThresholdsError` where none is, or a branch has too many values.
    """
    channels = len(searches[0].falls)
    full = chain.lhs.reachable.expanded(channels)
    if chain.rhs.values() > MAX_LOOKUPS:
        raise NoThresholdsError(
            "it is no scale and offset, and has too many values to be looked up"
        )
    b = chain.rhs.integers(channels)
    ends = (np.broadcast_to(end[:, None], (channels, 1)) for end in (full.low, full.high))
    first, last = (chain.lhs.floats(end)[:, 0].astype(np.float64) for end in ends)
    of_rhs = np.broadcast_to(chain.rhs.floats(b), b.shape).astype(np.float64)
    slope = (last - first) / np.maximum(full.high - full.low, 1)
    largest_rhs = np.abs(of_rhs).max(axis=1)
    for bits in LOOKUP_BITS:
        # Where the longer branch stands still, there is only the shorter one, in any unit.
        factors = np.where(slope != 0, 1 << (bits // 2), 0)
        still = np.where(largest_rhs == 0, 1, largest_rhs) / 2.0**bits
        unit = np.where(slope != 0, slope / np.maximum(factors, 1), still)
        table = _rounded(of_rhs / unit[:, None])
        if table is not None and _separate(searches, table, None, factors):
            return Tables(factors, None, table)
    if chain.lhs.values() > MAX_LOOKUPS:
        raise NoThresholdsError("the longer branch is no scale and offset of its integers")
    a = chain.lhs.integers(channels)
    of_lhs = np.broadcast_to(chain.lhs.floats(a), a.shape).astype(np.float64)
    largest = np.maximum(np.abs(of_lhs).max(axis=1), np.abs(of_rhs).max(axis=1))[:, None]
    factors = np.ones(channels, np.int64)
    for bits in LOOKUP_BITS:
        unit = np.where(largest == 0, 1, largest) / 2.0**bits
        lhs, rhs = _rounded(of_lhs / unit), _rounded(of_rhs / unit)
        if lhs is not None and rhs is not None and _separate(searches, rhs, lhs, factors):
            return Tables(factors, lhs, rhs)
    raise NoThresholdsError("float32 rounds the sum so that no sum of integers equals it")


def _rounded(values: Array) -> Array | None:
    if not bool((np.abs(values) < 2.0**30).all()):
        return None
    return np.rint(values).astype(np.int64)


def with_tables(found: Search, rhs: Array, lhs: Array | None) -> Search:
    """The same search, of what is looked up instead of the integers."""
    borders = found.borders
    placed = Borders(rhs, borders.at, borders.low, borders.high, borders.step, lhs)
    return Search(found.falls, found.bottom, placed, found.doubtful)


def _separate(searches: Sequence[Search], rhs: Array, lhs: Array | None, factors: Array) -> bool:
    return all(
        with_tables(found, rhs, lhs).borders.where(factors == factor).separates(factor, 1)
        for found in searches
        for factor in np.unique(factors).tolist()
    )
