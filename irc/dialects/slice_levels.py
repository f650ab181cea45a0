"""Which beats of a stream a slice keeps, as nested counters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """Of `count` items, `size` are kept, from `first` on and `stride` apart.

    An item is everything that the next level inside counts; in the last level it is one element
    or one beat.
    """

    count: int
    first: int
    size: int
    stride: int

    @property
    def is_full(self) -> bool:
        """Whether every item is kept."""
        return self.size == self.count

    @property
    def last(self) -> int:
        """The last item that is kept."""
        return self.first + (self.size - 1) * self.stride

    def keeps(self) -> list[bool]:
        """For each item whether it is kept."""
        kept = range(self.first, self.last + 1, self.stride)
        return [item in kept for item in range(self.count)]


def slice_levels(
    shape: Sequence[int], offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
) -> list[Level]:
    """As few levels as tell the kept elements of a frame from the others, the outermost first.

    There is at least one; the whole stream is kept or dropped in periods of the outermost.
    """
    levels: list[Level] = []
    for axis in zip(shape, offsets, sizes, strides, strict=True):
        inner = Level(*axis)
        if not levels:
            levels.append(inner)
            continue
        outer, count = levels.pop(), inner.count
        first = outer.first * count + inner.first
        if outer.size == 1:
            levels.append(Level(outer.count * count, first, inner.size, inner.stride))
        elif inner.is_full and outer.stride == 1:
            levels.append(Level(outer.count * count, first, outer.size * count, 1))
        elif outer.is_full and not levels:
            levels.append(inner)
        else:
            levels += [outer, inner]
    return levels or [Level(1, 0, 1, 1)]


def levels_in_beats(levels: Sequence[Level], lanes: int) -> list[Level] | None:
    """The same counted in beats of `lanes` elements; None where lanes do not divide what is kept
    and what is dropped."""
    *outer, inner = levels
    contiguous = inner.stride == 1 or inner.size == 1
    whole = inner.count % lanes == inner.first % lanes == inner.size % lanes == 0
    if lanes == 1:
        return list(levels)
    if not (contiguous and whole):
        return None
    return [*outer, Level(inner.count // lanes, inner.first // lanes, inner.size // lanes, 1)]


def kept_items(levels: Iterable[Level]) -> list[bool]:
    """For each element or beat of one period whether it is kept."""
    kept = [True]
    for level in levels:
        items = level.keeps()
        kept = [outside and item for outside in kept for item in items]
    return kept
