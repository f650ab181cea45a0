"""Adding up many bits with look-up tables: which bits meet in which of them, and in which cycle.

A *heap* is a number of bits of each power of two. A counter takes some of them, as many as a
look-up table has inputs, and gives their sum in binary: the well-known 6:3 counter is three
tables for six bits. What is at least a constant can be told without the sum: the lowest columns go
as soon as they fit a table, for only their carry matters, `x >= t` being
`floor((x + k) / 2^j) >= ceil(t / 2^j)` with `k = -t mod 2^j`.

The plan depends on the heights of the columns alone, so that all rows of a layer share one, and so
that the latency of a unit is known before its hardware is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

LUT_INPUTS = 6
"""Bits that a counter takes. Families of smaller tables build these of several."""

BEAM = 48
"""States that the search for the cheapest plan keeps at each step."""

SEARCHED_BITS = 40
"""Heaps of more bits are first made smaller by 6:3 counters, than which none does better."""

Heights = tuple[int, ...]


@dataclass(frozen=True)
class Counter:
    """`floor((Σ 2^exponents[i] · inputs[i] + k) / 2^dropped)` for a constant k below `2^dropped`.

    Bits are known by numbers. Exponents count from `column`; output i has the exponent
    `column + dropped + i` in the heap. `level` is how many tables lie before it.
    """

    column: int
    inputs: tuple[int, ...]
    exponents: tuple[int, ...]
    dropped: int
    outputs: tuple[int, ...]
    level: int


@dataclass(frozen=True)
class HeapPlan:
    """Counters in an order in which each comes after those that it reads; `left` are the bits that
    remain, as pairs of a number and an exponent, the last of which is there at `level`."""

    counters: tuple[Counter, ...]
    left: tuple[tuple[int, int], ...]
    level: int

    @property
    def luts(self) -> int:
        """Look-up tables of all counters."""
        return sum(len(counter.outputs) for counter in self.counters)


@dataclass(frozen=True)
class _Move:
    """A counter to be: how many bits it takes from `column` on, and how many columns it ends."""

    column: int
    takes: Heights
    dropped: int = 0

    @property
    def outputs(self) -> int:
        """Bits of its sum, whatever the constant."""
        largest = sum(count << place for place, count in enumerate(self.takes))
        return ((largest + (1 << self.dropped) - 1) >> self.dropped).bit_length()

    def apply(self, heights: Heights) -> Heights:
        """What it leaves of a heap."""
        first = self.column + self.dropped
        after = [*heights] + [0] * max(0, first + self.outputs - len(heights))
        for place, count in enumerate(self.takes):
            after[self.column + place] -= count
        for place in range(self.outputs):
            after[first + place] += 1
        return tuple(after)


@lru_cache(maxsize=256)
def comparison_plan(bits: tuple[tuple[int, int], ...]) -> HeapPlan:
    """How to make so few of `bits`, pairs of exponent and level, that one table compares what is
    left with a constant."""
    heights = _heights(bits)
    moves: list[_Move] = []
    while sum(heights) > SEARCHED_BITS and max(heights) >= LUT_INPUTS:
        for column, height in enumerate(heights):
            for _ in range(height // LUT_INPUTS):
                moves.append(_Move(column, (LUT_INPUTS,)))
                heights = moves[-1].apply(heights)
    return _bind(bits, [*moves, *_cheapest(heights)])


@lru_cache(maxsize=256)
def addition_plan(bits: tuple[tuple[int, int], ...]) -> HeapPlan:
    """How to make at most two bits of each exponent of `bits`, pairs of exponent and level: what an
    adder takes."""
    heights = _heights(bits)
    moves: list[_Move] = []
    while max(heights, default=0) > 2:
        before = heights
        for column, height in enumerate(before):
            left = height
            while left > 2:
                take = min(left, LUT_INPUTS) if left != 4 else 3
                moves.append(_Move(column, (take,)))
                heights = moves[-1].apply(heights)
                left -= take
    return _bind(bits, moves)


def _heights(bits: Sequence[tuple[int, int]]) -> Heights:
    heights = [0] * (max((exponent for exponent, _ in bits), default=0) + 1)
    for exponent, _ in bits:
        heights[exponent] += 1
    return tuple(heights)


def _cheapest(heights: Heights) -> list[_Move]:
    """The moves of fewest tables, as a beam search finds them, that leave one table of bits."""
    frontier: dict[Heights, tuple[int, tuple[_Move, ...]]] = {heights: (0, ())}
    best: tuple[int, tuple[_Move, ...]] | None = None
    while frontier:
        following: dict[Heights, tuple[int, tuple[_Move, ...]]] = {}
        for state, (cost, moves) in frontier.items():
            if sum(state) <= LUT_INPUTS:
                if best is None or cost < best[0]:
                    best = cost, moves
                continue
            for move in _moves(state):
                after, total = move.apply(state), cost + move.outputs
                if after not in following or total < following[after][0]:
                    following[after] = total, (*moves, move)
        if best is not None:
            following = {s: found for s, found in following.items() if found[0] < best[0]}
        ranked = sorted(following.items(), key=lambda item: (item[1][0] + sum(item[0]), item[0]))
        frontier = dict(ranked[:BEAM])
    assert best is not None
    return [*best[1]]


def _moves(heights: Heights) -> Iterator[_Move]:
    """Counters that are worth a try."""
    lowest = next(place for place, height in enumerate(heights) if height)
    for end in range(lowest + 1, len(heights) + 1):
        if sum(heights[lowest:end]) > LUT_INPUTS:
            break
        yield _Move(lowest, heights[lowest:end], end - lowest)
    for column, height in enumerate(heights):
        above = heights[column + 1] if column + 1 < len(heights) else 0
        for takes in ((6,), (5, 1), (5,), (3, 2), (3,)):
            if height >= takes[0] and (len(takes) == 1 or above >= takes[1]):
                yield _Move(column, takes)


def _bind(bits: Sequence[tuple[int, int]], moves: Sequence[_Move]) -> HeapPlan:
    """The plan in which each counter takes the bits that are there first."""
    columns: dict[int, list[tuple[int, int]]] = {}
    for number, (exponent, level) in enumerate(bits):
        columns.setdefault(exponent, []).append((level, number))
    count, counters = len(bits), list[Counter]()
    for move in moves:
        taken: list[tuple[int, int]] = []
        exponents: list[int] = []
        for place, wanted in enumerate(move.takes):
            column = sorted(columns.get(move.column + place, []))
            taken += column[:wanted]
            exponents += [place] * wanted
            columns[move.column + place] = column[wanted:]
        level = 1 + max(level for level, _ in taken)
        outputs = tuple(range(count, count + move.outputs))
        count += move.outputs
        for place, number in enumerate(outputs):
            column = columns.setdefault(move.column + move.dropped + place, [])
            column.append((level, number))
        inputs = tuple(number for _, number in taken)
        counters.append(
            Counter(move.column, inputs, tuple(exponents), move.dropped, outputs, level)
        )
    left = tuple(
        (number, exponent) for exponent in sorted(columns) for _, number in columns[exponent]
    )
    level = max((level for column in columns.values() for level, _ in column), default=0)
    return HeapPlan(tuple(counters), left, level)
