"""What a pass changed, by lines: Bram Cohen's patience diff.

Lines that occur once in either text, in the longest order that both have, are the same lines; what
lies between two of these is compared line by line where that is not too much.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

MOST_COMPARED = 1_000_000
"""Pairs of lines that are compared; longer stretches without a line of their own in common count
as replaced."""

Hunk = tuple[int, int, int, int]
"""Lines `first` to `last` of the text before become lines `first` to `last` of the one after."""


def changes(before: Sequence[int], after: Sequence[int]) -> list[Hunk]:
    """Where two texts differ, in order; lines are numbers that are equal where the lines are."""
    found: list[Hunk] = []
    # A stretch is divided by lines that stay, and its parts are looked at in order.
    pending: list[Hunk] = [(0, len(before), 0, len(after))]
    while pending:
        i1, i2, j1, j2 = _trimmed(before, after, pending.pop())
        if i1 == i2 and j1 == j2:
            continue
        kept = _kept(before[i1:i2], after[j1:j2])
        if kept:
            ends = [(i1 + i, j1 + j) for i, j in kept]
            starts = [(i1, j1), *((i + 1, j + 1) for i, j in ends)]
            parts = [(a, c, b, d) for (a, b), (c, d) in zip(starts, [*ends, (i2, j2)], strict=True)]
            pending += reversed(parts)
        else:
            found += _compared(before, after, (i1, i2, j1, j2))
    return _joined(found)


def _trimmed(before: Sequence[int], after: Sequence[int], hunk: Hunk) -> Hunk:
    """Without the lines that are the same at both ends."""
    i1, i2, j1, j2 = hunk
    while i1 < i2 and j1 < j2 and before[i1] == after[j1]:
        i1, j1 = i1 + 1, j1 + 1
    while i1 < i2 and j1 < j2 and before[i2 - 1] == after[j2 - 1]:
        i2, j2 = i2 - 1, j2 - 1
    return i1, i2, j1, j2


def _kept(left: Sequence[int], right: Sequence[int]) -> list[tuple[int, int]]:
    """Places in both of lines that occur once in each, as many as are in the same order."""
    counts, others = Counter(left), Counter(right)
    places = {line: j for j, line in enumerate(right) if others[line] == 1}
    pairs = [
        (i, places[line]) for i, line in enumerate(left) if counts[line] == 1 and line in places
    ]
    # The longest rising sequence of places on the right, by patience sorting.
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [j]
        ends[pile : pile + 1] = [number]
    found: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _compared(before: Sequence[int], after: Sequence[int], hunk: Hunk) -> list[Hunk]:
    i1, i2, j1, j2 = hunk
    left, right = before[i1:i2], after[j1:j2]
    if len(left) * len(right) > MOST_COMPARED:
        return [hunk]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [
        (i1 + a, i1 + b, j1 + c, j1 + d)
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]


def _joined(hunks: list[Hunk]) -> list[Hunk]:
    """Neighbours with nothing between them as one."""
    found: list[Hunk] = []
    for hunk in hunks:
        if found and found[-1][1] == hunk[0] and found[-1][3] == hunk[2]:
            found[-1] = (found[-1][0], hunk[1], found[-1][2], hunk[3])
        else:
            found.append(hunk)
    return found
