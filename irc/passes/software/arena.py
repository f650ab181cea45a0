"""Memory allocation over live ranges: buffers that are never needed at once share bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from random import Random

EXHAUSTIVE_GROUPS = 7
"""Up to this many buffers every order of placement is tried, which finds the optimum."""
EXHAUSTIVE_SHARINGS = 64
"""Up to this many ways of computing in place are all tried; of more, all of it and none."""
SEARCHED_ORDERS = 1000
"""Orders that are tried for more buffers, unless one reaches the bound before."""
SEARCHED_PLACEMENTS = 200_000
"""Buffers that are placed on the way at most: long programs get fewer orders."""


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


Sharing = Mapping[int, Sequence[int]]
"""For the result of an op that may compute in place, the operands that it may lie on: at the same
offset, and read by nobody later."""


def lower_bound(ranges: Sequence[LiveRange]) -> int:
    """What no plan without sharing can undercut: the most elements that are alive at one time."""
    return _Groups(ranges, [[index] for index in range(len(ranges))]).bound


def plan_offsets(ranges: Sequence[LiveRange], sharing: Sharing | None = None) -> list[int]:
    """An offset for each buffer such that those alive at once do not overlap.

    Where `sharing` allows it, a result may take the place of an operand: both are a group with one
    offset. Groups are placed one after another at the lowest offset that is free. Any plan, rebuilt
    in the order of its offsets in this way, puts no group higher than before; hence some order
    gives the least arena, and trying all of them finds it. For many groups some good orders are
    tried: largest first (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
    Inference", 2020), longest-lived first, in the order of the program; and from the best of these
    on, orders in which two groups have changed places. Nothing is left to chance: the same buffers
    get the same plan.
    """
    best: list[int] = [0] * len(ranges)
    best_size: int | None = None
    for members in _groupings(len(ranges), sharing or {}):
        groups = _Groups(ranges, members)
        if best_size is not None and groups.bound >= best_size:
            continue
        for order in groups.orders():
            offsets = groups.place(order)
            size = groups.arena_size(offsets)
            groups.tell(order, size)
            if best_size is None or size < best_size:
                best, best_size = groups.spread(offsets), size
            if size == groups.bound:
                break
    return best


def arena_size(ranges: Sequence[LiveRange], offsets: Sequence[int]) -> int:
    """Elements up to the end of the highest buffer."""
    ends = (start + r.size for r, start in zip(ranges, offsets, strict=True))
    return max(ends, default=0)


def _groupings(buffers: int, sharing: Sharing) -> Iterator[list[list[int]]]:
    """The buffers in groups of one offset each: all in place that can be, then less and less."""
    results = sorted(sharing)
    options: list[list[int | None]] = [[*sharing[result], None] for result in results]
    ways = 1
    for choices in options:
        ways *= len(choices)
    chosen: Iterator[tuple[int | None, ...]] = product(*options)
    if ways > EXHAUSTIVE_SHARINGS:
        chosen = iter([tuple(choices[0] for choices in options), (None,) * len(options)])
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for operands in chosen:
        place = dict(zip(results, operands, strict=True))
        taken: dict[int, list[int]] = {}
        for buffer in range(buffers):
            operand = place.get(buffer)
            if operand is None or operand not in taken:
                taken[buffer] = [buffer]
                continue
            taken[operand].append(buffer)
            taken[buffer] = taken[operand]
        groups = list({id(group): group for group in taken.values()}.values())
        key = tuple(map(tuple, groups))
        if key not in seen:
            seen.add(key)
            yield groups


class _Groups:
    """Groups of buffers with one offset each, while orders of placing them are tried."""

    def __init__(self, ranges: Sequence[LiveRange], members: Sequence[Sequence[int]]) -> None:
        self.ranges = ranges
        self.members = members
        self.group_of = [0] * len(ranges)
        for group, buffers in enumerate(members):
            for buffer in buffers:
                self.group_of[buffer] = group
        self._neighbours: list[list[tuple[int, int, int]]] = [[] for _ in members]
        self.bound = self._find_neighbours()
        self._best: Sequence[int] = ()
        self._best_size: int | None = None

    def _find_neighbours(self) -> int:
        """Note which buffers of other groups live at the same time; the most that ever lives."""
        bound, alive = 0, list[int]()
        for new in sorted(range(len(self.ranges)), key=lambda i: self.ranges[i].first):
            alive = [old for old in alive if self.ranges[old].overlaps(self.ranges[new])]
            largest = {self.group_of[new]: self.ranges[new].size}
            for old in alive:
                own, other = self.group_of[new], self.group_of[old]
                largest[other] = max(largest.get(other, 0), self.ranges[old].size)
                if own != other:
                    mine, theirs = self.ranges[new].size, self.ranges[old].size
                    self._neighbours[own].append((other, mine, theirs))
                    self._neighbours[other].append((own, theirs, mine))
            bound = max(bound, sum(largest.values()))
            alive.append(new)
        return bound

    def place(self, order: Sequence[int]) -> list[int]:
        """Offsets of the groups, placed in this order, each at the lowest offset that is free."""
        offsets = [-1] * len(self.members)
        for group in order:
            # From where to where its offset must not lie: each buffer keeps clear of each other.
            barred = sorted(
                (offsets[other] - own + 1, offsets[other] + size)
                for other, own, size in self._neighbours[group]
                if offsets[other] >= 0
            )
            offset = 0
            for start, end in barred:
                if start > offset:
                    break
                offset = max(offset, end)
            offsets[group] = offset
        return offsets

    def arena_size(self, offsets: Sequence[int]) -> int:
        """Elements up to the end of the highest buffer."""
        return arena_size(self.ranges, self.spread(offsets))

    def spread(self, offsets: Sequence[int]) -> list[int]:
        """An offset for each buffer from those of the groups."""
        return [offsets[group] for group in self.group_of]

    def tell(self, order: Sequence[int], size: int) -> None:
        """How much an order took: the search goes on from the best, or one as good."""
        if self._best_size is None or size <= self._best_size:
            self._best, self._best_size = order, size

    def orders(self) -> Iterator[Sequence[int]]:
        """Orders worth trying; what `tell` hears decides how they go on."""
        sizes = [max(self.ranges[i].size for i in buffers) for buffers in self.members]
        firsts = [min(self.ranges[i].first for i in buffers) for buffers in self.members]
        lasts = [max(self.ranges[i].last for i in buffers) for buffers in self.members]
        numbers = range(len(self.members))
        keys: list[Callable[[int], tuple[int, ...]]] = [
            lambda i: (-sizes[i], firsts[i]),
            lambda i: (firsts[i] - lasts[i], -sizes[i]),
            lambda i: (firsts[i],),
        ]
        for key in keys:
            yield sorted(numbers, key=key)
        if len(numbers) <= EXHAUSTIVE_GROUPS:
            yield from permutations(numbers)
            return
        random = Random(len(numbers))
        for _ in range(min(SEARCHED_ORDERS, SEARCHED_PLACEMENTS // len(numbers))):
            changed = list(self._best)
            a, b = random.sample(numbers, 2)
            changed[a], changed[b] = changed[b], changed[a]
            yield changed


__all__ = ["LiveRange", "Sharing", "arena_size", "lower_bound", "plan_offsets"]
