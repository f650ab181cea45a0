"""Exact thresholds for a quantized sum of two branches: on `p·a + q·b` of the branches' integers.

For a fixed b the code is a monotone function of a, whatever the roundings. Where it changes is
found for all b at once, by bisection; p and q are what tells the pairs on one side of a change
from those on the other. Nothing is assumed of the scales: that p/q is near their ratio follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.passes.analysis.branch import SumChain
from irc.passes.analysis.margin import Ambiguity
from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.separation import (
    MAX_MULTIPLIER,
    NEVER,
    Borders,
    closest_ratio,
    find_ratio,
)
from irc.passes.analysis.threshold_search import Levels, bisected

Array = npt.NDArray[Any]

MAX_PAIRS = 1 << 25
"""Most combinations of a channel, a value of the shorter branch and a level."""

MAX_PAIRS_A_CHANNEL = 1 << 21
"""The same in one channel: values of 13 bits beside codes of 8. Some steps look at all of them at
once, with about 100 bytes for each."""

PAIRS_AT_ONCE = 1 << 20
"""Of these, how many are searched for at a time: their floats must not fill the memory."""


class NoThresholdsError(Exception):
    """Why no thresholds on a sum of integers do what the float sum does, as half a sentence."""


@dataclass(frozen=True)
class Search:
    """What is known of a quantized sum before p and q are chosen.

    `borders` are those of the float32 evaluation; `doubtful` are the a between which another order
    of evaluation may change the code: first and last [C, I, L], none where first > last.
    """

    falls: Array
    bottom: int
    borders: Borders
    doubtful: tuple[Array, Array] | None = None

    def levels(self, p: Array, q: Array, full: Reachable) -> Levels:
        """The thresholds on `p[c]·a + q[c]·b`, of which `full` says what is reachable."""
        found = [
            self.borders.channel(c).thresholds(int(p[c]), int(q[c]))[0]
            for c in range(len(self.falls))
        ]
        at = np.array(found).reshape(len(self.falls), self.borders.at.shape[2])
        return Levels(
            np.where(at == NEVER, (full.high + full.step)[:, None], at), self.falls, self.bottom
        )

    def ambiguous(self, p: Array, q: Array) -> list[Ambiguity]:
        """The sums at which another order of evaluation could change the code."""
        found: list[Ambiguity] = []
        for c in range(len(self.falls)):
            right, left = self.borders.channel(c).overlap(int(p[c]), int(q[c]))
            found += _joined(c, right[right <= left], left[right <= left])
        if self.doubtful is None:
            return found
        for c in range(len(self.falls)):
            first, last = (end[c] for end in self.doubtful)
            where = first <= last
            of_b = int(q[c]) * np.broadcast_to(self.borders.b[c, :, None], where.shape)[where]
            sums = [
                int(p[c]) * self.borders.placed(end[where], np.array(c)) + of_b
                for end in (first, last)
            ]
            found += _joined(c, np.minimum(*sums), np.maximum(*sums))
        return found


def _joined(channel: int, low: Array, high: Array) -> list[Ambiguity]:
    """Intervals in order, those joined that overlap or follow each other."""
    if not low.size:
        return []
    order = np.argsort(low, kind="stable")
    low, high = low[order], np.maximum.accumulate(high[order])
    begins = np.flatnonzero(np.concatenate([[True], low[1:] > high[:-1] + 1]))
    ends = np.append(begins[1:], len(low)) - 1
    return [
        Ambiguity(channel, int(low[i]), int(high[j])) for i, j in zip(begins, ends, strict=True)
    ]


def oriented(chains: Sequence[SumChain]) -> list[SumChain]:
    """Chains of the same branches, the branch first whose changes are bisected: it is monotone,
    and the longer one if both are.

    Raises `NoThresholdsError` where neither is monotone.
    """
    ways = [list(chains), [chain.swapped() for chain in chains]]
    ways = [way for way in ways if all(chain.falls() is not None for chain in way)]
    if not ways:
        raise NoThresholdsError(
            "neither branch is a function that always rises or always falls in every channel"
        )
    return min(ways, key=lambda way: int(_count(way[0].rhs.reachable).max()))


def _count(reachable: Reachable) -> Array:
    return (reachable.high - reachable.low) // reachable.step + 1


def search(chain: SumChain, channels: int) -> Search:
    """Where the code of an oriented chain changes in each of `channels` channels, or in the first
    for all.

    Raises `NoThresholdsError` where that is too much to look at.
    """
    falls = chain.falls()
    assert falls is not None
    falls = np.broadcast_to(falls, (channels,))
    full = chain.lhs.reachable.expanded(channels)
    if (values := chain.rhs.values()) > MAX_PAIRS_A_CHANNEL:
        raise NoThresholdsError(
            f"the {values} values of the shorter branch are too many to search among"
        )
    b = chain.rhs.integers(channels)
    bottom, top = _code_range(chain, full, b)
    levels = np.arange(bottom + 1, top + 1)
    pairs = b.size * len(levels)
    if pairs > MAX_PAIRS or b.shape[1] * len(levels) > MAX_PAIRS_A_CHANNEL:
        raise NoThresholdsError(
            f"{b.shape[1]} values of the shorter branch, {len(levels)} thresholds and {channels} "
            "channels are too many combinations to search"
        )
    block = max(1, PAIRS_AT_ONCE // max(1, b.shape[1] * len(levels)))
    found: list[tuple[Array, Array | None, Array | None]] = []
    for start in range(0, channels, block):
        part = slice(start, start + block)
        some = Reachable(full.low[part], full.high[part], full.step[part])
        one = chain.part(start, start + block)
        found.append(_block(one, some, falls[part], b[part], levels))
    at, first, last = zip(*found, strict=True)
    borders = Borders(b, np.concatenate(at), full.low, full.high, full.step)
    doubtful = None
    if not chain.is_reproducible:
        doubtful = np.concatenate(first), np.concatenate(last)
    return Search(falls, bottom, borders, doubtful)


def _code_range(chain: SumChain, full: Reachable, b: Array) -> tuple[int, int]:
    """The smallest and largest code of any pair, in any order of evaluation."""
    seen: list[Array] = []
    for end in (full.low, full.high):
        a = np.broadcast_to(end[:, None], b.shape)
        seen += [chain.codes(a, b), *([] if chain.is_reproducible else chain.code_bounds(a, b))]
    return min(int(codes.min()) for codes in seen), max(int(codes.max()) for codes in seen)


def _block(
    chain: SumChain, full: Reachable, falls: Array, b: Array, levels: Array
) -> tuple[Array, Array | None, Array | None]:
    """For some channels: where the code changes, and between which a it may do so: [C, I, L]."""
    shape = (*b.shape, len(levels))
    columns = np.repeat(b, len(levels), axis=1)
    repeated = np.tile(levels, b.shape[1])

    def at(codes: Callable[[Array, Array], Array], near: Array | None = None) -> Array:
        return bisected(lambda a: codes(a, columns), full, falls, repeated, near)

    found = at(chain.codes)
    changes = _narrow(found.reshape(shape))
    if chain.is_reproducible:
        return changes, None, None
    # Other orders of evaluation change the code close by.
    ends = [
        at(lambda a, c, end=end: chain.code_bounds(a, c)[end], found).reshape(shape)
        for end in (0, 1)
    ]
    # A bound from above passes a level first where the code rises, one from below where it falls.
    last = np.maximum(*ends) - full.step[:, None, None]
    return changes, _narrow(np.minimum(*ends)), _narrow(last)


def _narrow(integers: Array) -> Array:
    """In 32 bits where they fit: there are many."""
    fits = np.abs(integers).max(initial=0) < np.iinfo(np.int32).max
    return integers.astype(np.int32) if fits else integers


def common_ratio(searches: Sequence[Search]) -> tuple[Array, Array]:
    """p and q [C] that separate what all searches say, of which every one is of the same chain.

    One pair for all channels if possible, else one a channel. Raises `NoThresholdsError` where a
    channel has none.
    """
    borders = _stacked([s.borders for s in searches])
    channels = len(borders.low)
    shared = find_ratio(borders)
    if shared is not None:
        return np.full(channels, shared[0]), np.full(channels, shared[1])

    def exact(channel: int) -> tuple[int, int] | None:
        one = borders.channel(channel)
        return find_ratio(one) or next((pq for pq in ONLY_RHS if one.separates(*pq)), None)

    return _by_channel(channels, exact, "small multipliers p and q")


def _by_channel(
    channels: int, choose: Callable[[int], tuple[int, int] | None], what: str
) -> tuple[Array, Array]:
    """p and q [C] as chosen channel by channel; `NoThresholdsError` where one has none."""
    found: list[tuple[int, int]] = []
    for channel in range(channels):
        one = choose(channel)
        if one is None:
            raise NoThresholdsError(
                f"in channel {channel} no {what} make p·a + q·b of the "
                "branches' integers rise as the sum of their floats does"
            )
        found.append(one)
    p, q = np.array(found).T
    return p, q


def nearest_ratio(searches: Sequence[Search], chain: SumChain) -> tuple[Array, Array]:
    """p and q [C] that separate all pairs but those that float32 rounding decides.

    At these the float sum is so near to a change of code that its own roundings, and those of its
    operands, may carry it to the other side. They are in the margin. Raises `NoThresholdsError`
    where multipliers for that would give too wide sums, or where there are none.
    """
    borders = _stacked([s.borders for s in searches])
    largest = max(chain.lhs.reachable.largest, 1) + max(chain.rhs.reachable.largest, 1)
    limit = max(1, min(MAX_MULTIPLIER, MAX_SUM // largest))

    def near(channel: int) -> tuple[int, int] | None:
        one, part = borders.channel(channel), chain.part(channel, channel + 1)
        ratios = (closest_ratio(one, limit), *ONLY_RHS)
        return next((pq for pq in ratios if _is_decided_by_rounding(part, one, *pq)), None)

    return _by_channel(len(borders.low), near, f"multipliers p and q of up to {limit}")


def _is_decided_by_rounding(chain: SumChain, one: Borders, p: int, q: int) -> bool:
    """Whether the float sums of all pairs that `p·a + q·b`, p >= 0, does not tell apart are alike
    but for roundings. The chain and its borders are of one channel."""
    right, left = (end[0] for end in one.overlap(p, q))
    low, high, step = (int(a[0]) for a in (one.low, one.high, one.step))
    of_b = q * one.b[0][:, None]
    # Among the sums from `right` to `left`, the a that are furthest on the wrong side.
    if p:
        first = low - (p * low + of_b - right) // (p * step) * step
        last = low + (left - of_b - p * low) // (p * step) * step
    else:
        first = np.where(of_b >= right, low, high + step)
        last = np.where(of_b <= left, high, low - step)
    first, last = np.maximum(first, low), np.minimum(last, high)
    ends = [(first, first < one.at[0]), (last, last >= one.at[0])]
    most, least = np.full(left.shape, -np.inf), np.full(left.shape, np.inf)
    for a, where in ends:
        i, level = np.nonzero(where)
        sums = chain.lhs.floats(a[where][None, :]).astype(np.float64)
        sums = (sums + chain.rhs.floats(one.b[:, i]))[0]
        np.maximum.at(most, level, sums)
        np.minimum.at(least, level, sums)
    of_ends = chain.lhs.floats(np.array([[low, high]])).astype(np.float64)
    of_rhs = chain.rhs.floats(one.b).astype(np.float64)
    magnitude = float(np.abs(of_ends).max() + np.abs(of_rhs).max())
    # Four roundings of operands to half a unit in the last place, and as much of the sums.
    return bool((most - least <= 4 * 2.0**-23 * magnitude).all())


ONLY_RHS = ((0, 1), (0, -1))
"""Multipliers for a channel in which the first branch changes nothing."""

MAX_SUM = 1 << 30
"""Largest magnitude of a sum for which multipliers are made as large as rounding asks for."""


def _stacked(borders: Sequence[Borders]) -> Borders:
    """The levels of all, one after another."""
    first = borders[0]
    at = np.concatenate([one.at for one in borders], axis=2)
    return Borders(first.b, at, first.low, first.high, first.step)
