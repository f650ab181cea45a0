"""The smallest integers p and q for which `p·a + q·b` tells two sets of pairs apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAX_MULTIPLIER = 1 << 16
"""Largest p or q that is tried."""

ENTRIES_AT_ONCE = 1 << 20
"""Combinations that are looked at together: their sums must not fill the memory."""

MAX_CUTS = 200
"""Most ratios that are tried; each is cut off by the pairs that it gets wrong."""


@dataclass(frozen=True)
class Borders:
    """For each channel c, level l and value `b[c, i]`, the integers a next to a change of code.

    The code of (a, b) is on one side of the level for every `a <= at − step`, and on the other for
    every `a >= at`; `at` is [C, I, L], `low`, `high` and `step`, between which and at whose
    distance a lies, are [C]; `at` is `high + step` where the code does not change. Where a is to
    be looked up, `table` [C, n] has what stands for each of its n values.
    """

    b: Array
    at: Array
    low: Array
    high: Array
    step: Array
    table: Array | None = None

    def part(self, start: int, stop: int) -> Borders:
        """The channels from `start` up to `stop` alone."""
        return self._some(slice(start, stop))

    def where(self, mask: Array) -> Borders:
        """The channels of a mask alone."""
        return self if bool(mask.all()) else self._some(mask)

    def _some(self, channels: slice | Array) -> Borders:
        arrays = (self.b, self.at, self.low, self.high, self.step)
        b, at, low, high, step = (a[channels] for a in arrays)
        table = None if self.table is None else self.table[channels]
        return Borders(b, at, low, high, step, table)

    def channel(self, index: int) -> Borders:
        """One channel alone."""
        return self.part(index, index + 1)

    def placed(self, a: Array, channel: Array) -> Array:
        """What stands for integers a of some channels, which are between `low` and `high`."""
        if self.table is None:
            return a.astype(np.int64)
        places = (a - self.low[channel]) // self.step[channel]
        return self.table[channel, np.clip(places, 0, self.table.shape[1] - 1)]

    def extremes(self, p: int, q: int) -> tuple[Array, Array, Array, Array]:
        """Per channel and level the largest `p·a + q·b` on the left, the smallest on the right,
        and the index i of each: [C, L]. Without such a pair, −2⁶² and 2⁶²."""
        channels, values, levels = self.at.shape
        block = max(1, ENTRIES_AT_ONCE // max(1, values * levels))
        found = [
            self.part(start, start + block)._extremes(p, q) for start in range(0, channels, block)
        ]
        left, right, at_left, at_right = (np.concatenate(each) for each in zip(*found, strict=True))
        return left, right, at_left, at_right

    def _extremes(self, p: int, q: int) -> tuple[Array, Array, Array, Array]:
        low, high, step = (a[:, None, None] for a in (self.low, self.high, self.step))
        rows = np.arange(len(self.at))[:, None, None]
        of_b = q * self.b[:, :, None]
        left = np.where(self.at > low, p * self.placed(self.at - step, rows) + of_b, -NEVER)
        right = np.where(self.at <= high, p * self.placed(self.at, rows) + of_b, NEVER)
        return left.max(axis=1), right.min(axis=1), left.argmax(axis=1), right.argmin(axis=1)

    def separates(self, p: int, q: int) -> bool:
        """Whether `p·a + q·b` is smaller left of every change than right of any at that level."""
        left, right, _, _ = self.extremes(p, q)
        return bool((left < right).all())

    def overlap(self, p: int, q: int) -> tuple[Array, Array]:
        """Per channel and level the smallest sum on the right and the largest on the left [C, L]:
        sums between them do not tell the sides apart."""
        left, right, _, _ = self.extremes(p, q)
        return right, left

    def thresholds(self, p: int, q: int) -> Array:
        """Per channel and level the smallest sum on the right [C, L]; see `NEVER`."""
        return self.extremes(p, q)[1]


NEVER = 1 << 62
"""Stands for the smallest sum where there is none."""


def find_ratio(borders: Borders) -> tuple[int, int] | None:
    """The simplest p > 0 and q that separate all channels at all levels; `None` if there are none.

    `p·a₁ + q·b₁ < p·a₂ + q·b₂` bounds q/p from one side, so that the right ratios are an interval:
    each wrong one is cut off by the pairs that show it wrong, and the simplest fraction of what is
    left is the next to be tried. What no ratio of the wider interval achieves, none of the
    narrower does, so that the first right one is the simplest of all.
    """
    ratio, separates = _search(borders, MAX_MULTIPLIER)
    return (ratio.denominator, ratio.numerator) if separates else None


def closest_ratio(borders: Borders, limit: int) -> tuple[int, int]:
    """p > 0 and q of at most `limit` that nearly separate: in the middle of what bounds them."""
    ratio, _ = _search(borders, limit)
    ratio = ratio.limit_denominator(limit)
    while abs(ratio.numerator) > limit:
        ratio = ratio.limit_denominator(max(1, ratio.denominator // 2))
        if ratio.denominator == 1:
            break
    return ratio.denominator, ratio.numerator


def _search(borders: Borders, limit: int) -> tuple[Fraction, bool]:
    """The last ratio q/p that was worth trying, and whether it separates."""
    below: Fraction | float = -math.inf
    above: Fraction | float = math.inf
    ratio = Fraction(1)
    for _ in range(MAX_CUTS):
        if not below < above:
            return (Fraction(below) + Fraction(above)) / 2, False
        ratio = simplest_between(below, above)
        p, q = ratio.denominator, ratio.numerator
        if max(p, abs(q)) > limit:
            return ratio, False
        left, right, at_left, at_right = borders.extremes(p, q)
        wrong = np.argwhere(left >= right)
        if not len(wrong):
            return ratio, True
        c, level = wrong.T
        i, j = at_left[c, level], at_right[c, level]
        # The difference of a on the two sides is what (q/p)·(b₁ − b₂) must stay below.
        before = borders.placed(borders.at[c, i, level] - borders.step[c], c)
        room = borders.placed(borders.at[c, j, level], c) - before
        run = borders.b[c, i] - borders.b[c, j]
        for cut, width in set(zip(room.tolist(), run.tolist(), strict=True)):
            if width == 0:
                return ratio, False
            bound = Fraction(cut, width)
            above = min(above, bound) if width > 0 else above
            below = max(below, bound) if width < 0 else below
    return ratio, False


def simplest_between(below: Fraction | float, above: Fraction | float) -> Fraction:
    """The fraction of smallest denominator and numerator between two, which it does not equal.

    1 and −1 come first: they need no multiplication. As in the tree of Stern and Brocot.
    """
    for simple in (Fraction(1), Fraction(-1), Fraction(0)):
        if below < simple < above:
            return simple
    if above <= 0:
        return -simplest_between(-above, -below)
    return _simplest_positive(below, above)


def _simplest_positive(below: Fraction | float, above: Fraction | float) -> Fraction:
    """The same for `below >= 0`, the smallest integer first."""
    whole = math.floor(below)
    if whole + 1 < above:
        return Fraction(whole + 1)
    rest_below, rest_above = below - whole, above - whole
    inner = _simplest_positive(1 / rest_above, math.inf if rest_below == 0 else 1 / rest_below)
    return whole + 1 / inner
