"""Memory allocation over live ranges: buffers that are never needed at once share bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

EXHAUSTIVE_BUFFERS = 7
"""Up to this many buffers every order of placement is tried, which finds the optimum."""


@dataclass(frozen=True)
class LiveRange:
    """A buffer of `size` elements, written by op number `first` and last read by op `last`.

    An op reads its operands while it writes its result, so both ends count.
    """

    size: int
    first: int
    last: int

    def overlaps(self, other: LiveRange) -> bool:
        """Whether both are needed at some time."""
        return self.first <= other.last and other.first <= self.last


def lower_bound(ranges: Sequence[LiveRange]) -> int:
    """What no plan can undercut: the most elements that are alive at one time."""
    return max(
        (
            ranges[new].size + sum(ranges[old].size for old in alive)
            for new, alive in _births(ranges)
        ),
        default=0,
    )


def _births(ranges: Sequence[LiveRange]) -> Iterator[tuple[int, list[int]]]:
    """The buffers as they come to life, each with those born before it that are still alive."""
    alive: list[int] = []
    for new in sorted(range(len(ranges)), key=lambda i: ranges[i].first):
        alive = [old for old in alive if ranges[old].overlaps(ranges[new])]
        yield new, alive
        alive.append(new)


def _neighbours(ranges: Sequence[LiveRange]) -> list[list[int]]:
    """For each buffer those that are alive with it at some time."""
    found: list[list[int]] = [[] for _ in ranges]
    for new, alive in _births(ranges):
        found[new] += alive
        for old in alive:
            found[old].append(new)
    return found


def plan_offsets(ranges: Sequence[LiveRange]) -> list[int]:
    """An offset for each buffer such that those alive at once do not overlap.

    Buffers are placed one after another at the lowest offset that is free. Any plan, rebuilt in
    the order of its offsets in this way, puts no buffer higher than before; hence some order gives
    the least arena, and trying all of them finds it. For many buffers a few good orders are tried:
    largest first (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
    2020), longest-lived first, and in the order of the program.
    """
    least = lower_bound(ranges)
    neighbours = _neighbours(ranges)
    best, best_size = [0] * len(ranges), None
    for order in _orders(ranges):
        offsets = _place(ranges, neighbours, order)
        size = arena_size(ranges, offsets)
        if best_size is None or size < best_size:
            best, best_size = offsets, size
        if best_size == least:
            break
    return best


def arena_size(ranges: Sequence[LiveRange], offsets: Sequence[int]) -> int:
    """Elements up to the end of the highest buffer."""
    ends = (start + r.size for r, start in zip(ranges, offsets, strict=True))
    return max(ends, default=0)


def _orders(ranges: Sequence[LiveRange]) -> Iterator[Sequence[int]]:
    numbers = range(len(ranges))
    keys: list[Callable[[int], tuple[int, ...]]] = [
        lambda i: (-ranges[i].size, ranges[i].first),
        lambda i: (ranges[i].first - ranges[i].last, -ranges[i].size),
        lambda i: (ranges[i].first,),
    ]
    for key in keys:
        yield sorted(numbers, key=key)
    if len(ranges) <= EXHAUSTIVE_BUFFERS:
        yield from permutations(numbers)


def _place(
    ranges: Sequence[LiveRange], neighbours: Sequence[Sequence[int]], order: Sequence[int]
) -> list[int]:
    offsets = [0] * len(ranges)
    placed: set[int] = set()
    for index in order:
        taken = sorted(
            (offsets[other], offsets[other] + ranges[other].size)
            for other in neighbours[index]
            if other in placed
        )
        offset = 0
        for start, end in taken:
            if offset + ranges[index].size <= start:
                break
            offset = max(offset, end)
        offsets[index] = offset
        placed.add(index)
    return offsets
