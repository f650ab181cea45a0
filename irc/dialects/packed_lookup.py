"""Tables of signed sums, in which bipolar weights are places.

K elements are taken in groups as even as they can be. Each has a table of the sums of its elements,
with every combination of signs: bit j of a place says that element j is added, not subtracted. A
place has 8 bits: tables lie one behind the other, and those within 256 entries are counted from one
base, their window.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_TAPS = 6
"""A group of more elements has a larger table than pays."""
WINDOW = 256
"""Entries that a place can point to."""


@dataclass(frozen=True)
class SumTable:
    """The table of one group of elements."""

    first: int
    """The first element."""
    taps: int
    """How many elements."""
    window: int
    """The entry, of all tables, that places are counted from."""
    place: int
    """The first entry, counted from there."""

    @property
    def entries(self) -> int:
        return 1 << self.taps


def sum_tables(columns: int, taps: int) -> list[SumTable]:
    """The tables for `columns` elements in groups of at most `taps`."""
    count = -(-columns // taps)
    size, larger = divmod(columns, count)
    tables: list[SumTable] = []
    first = window = place = 0
    for group in range(count):
        taken = size + (group < larger)
        if place + (1 << taken) > WINDOW:
            window, place = window + place, 0
        tables.append(SumTable(first, taken, window, place))
        first, place = first + taken, place + (1 << taken)
    return tables


__all__ = ["MOST_TAPS", "WINDOW", "SumTable", "sum_tables"]
