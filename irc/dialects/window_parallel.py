"""Where windows lie in a frame when several of their elements, or several windows, leave at once.

A beat of the output holds `taps` neighbouring elements of the kernel for each of `mmv` neighbouring
windows; a beat of the input holds `pixels` neighbouring elements of the frame. Elements that leave
together must lie in different memories, so rows and columns are dealt out to banks: element (y, x)
to bank (y mod B, x mod B'). The innermost axis in space, along which windows and pixels are
neighbours, is the columns, or the rows of what counts as one column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from irc.dialects.bnn_spatial import window_counts
from irc.dialects.window_geometry import Pair, WindowGeometry


@dataclass(frozen=True)
class ParallelGeometry(WindowGeometry):
    """As `WindowGeometry`, counted in beats of `pixels` elements in space, or a part of one."""

    taps: Pair = (1, 1)
    mmv: int = 1
    pixels: int = 1

    @property
    def along(self) -> int:
        """The axis along which windows and pixels are neighbours."""
        return 0 if self.size[1] == 1 else 1

    @property
    def kernel_steps(self) -> Pair:
        return self.kernel[0] // self.taps[0], self.kernel[1] // self.taps[1]

    def together(self, axis: int) -> int:
        """Windows that leave at once, along an axis."""
        return self.mmv if axis == self.along else 1

    def arriving(self, axis: int) -> int:
        """Elements that come at once, along an axis."""
        return self.pixels if axis == self.along else 1

    @cached_property
    def counts(self) -> Pair:
        """Groups of windows that leave at once: rows of them, and how many in a row."""
        rows, columns = window_counts(self.size, self.kernel, self.strides, self.dilations)
        return rows // self.together(0), columns // self.together(1)

    def step(self, axis: int) -> int:
        """Elements from one group of windows to the next."""
        return self.strides[axis] * self.together(axis)

    def last_step(self, axis: int) -> int:
        """Elements from the last group of windows to the first of the next frame."""
        return self.size[axis] - self.step(axis) * (self.counts[axis] - 1)

    def positions(self, axis: int) -> list[list[list[int]]]:
        """Where the elements lie that leave at once, from the first of their group of windows: for
        each step along the kernel, for each of the windows, for each tap."""
        taps = self.taps[axis]
        return [
            [
                [
                    self.dilations[axis] * tap + self.strides[axis] * window
                    for tap in range(first, first + taps)
                ]
                for window in range(self.together(axis))
            ]
            for first in range(0, self.kernel[axis], taps)
        ]

    def banks(self, axis: int) -> int:
        """The fewest memories along an axis so that all that moves at once lies in different ones:
        as many residues as there are positions."""
        groups = [{p for ps in step for p in ps} for step in self.positions(axis)]
        count = self.arriving(axis)
        while any(len({p % count for p in group}) < len(group) for group in groups):
            count += self.arriving(axis)
        return count

    def extent_of(self, axis: int) -> int:
        """Elements that a group of windows spans."""
        return max(p for step in self.positions(axis) for ps in step for p in ps) + 1

    def beats_to(self, row: int, column: int) -> int:
        """Beats from the first of the frame to the first of the element at a position."""
        if self.along == 0:
            return row // self.pixels * self.chunks
        return row * self.row_beats + column // self.pixels * self.chunks

    @property
    def row_beats(self) -> int:
        return self.size[1] // self.arriving(1) * self.chunks

    @property
    def frame_beats(self) -> int:
        return self.size[0] * self.size[1] // self.pixels * self.chunks

    @property
    def next_window(self) -> int:
        return self.beats_to(0, self.step(1)) if self.along == 1 else 0

    @property
    def next_row(self) -> int:
        return self.beats_to(self.step(0), 0) - (self.counts[1] - 1) * self.next_window

    @property
    def next_frame(self) -> int:
        return self.beats_to(self.last_step(0), 0) - (self.counts[1] - 1) * self.next_window

    def row_offsets(self) -> list[int]:
        """Beats to the furthest row of each step along the rows of the kernel."""
        return [self.beats_to(max(map(max, step)), 0) for step in self.positions(0)]

    def column_offsets(self) -> list[int]:
        """Beats to the furthest column of each step along the columns of the kernel."""
        return [self.beats_to(0, max(map(max, step))) for step in self.positions(1)]

    @property
    def span(self) -> int:
        return max(self.offsets()) + 1

    @property
    def buffer_rows(self) -> int:
        """Rows that the banks hold, for the same reason as in `WindowGeometry.buffer_beats`; all
        rows of the next frame's first windows, for they are read early."""
        extent = self.extent_of(0)
        unused = self.last_step(0) - extent
        rows = extent + max(self.step(0), extent + unused)
        # Two words at least, so that there is an address.
        return max(2, -(-rows // self.banks(0))) * self.banks(0)

    @property
    def buffer_beats(self) -> int:
        return self.beats_to(self.buffer_rows, 0)

    @property
    def row_words(self) -> int:
        """Words of a bank that a row takes."""
        return -(-self.size[1] // self.banks(1)) * self.chunks

    @property
    def bank_words(self) -> int:
        """Words of a bank: of `buffer_rows`, those that are its own."""
        return self.buffer_rows // self.banks(0) * self.row_words

    def offsets(self) -> list[int]:
        """For each beat of a group of windows the furthest beat of the input that it needs."""
        return [
            row + column + group * self.group_chunks + chunk
            for group in range(self.groups)
            for row in self.row_offsets()
            for column in self.column_offsets()
            for chunk in range(self.group_chunks)
        ]


def tap_choices(kernel: Sequence[int]) -> list[tuple[int, ...]]:
    """Taps that can leave at once, ascending: part of a row of the kernel, or whole rows."""
    *outer, inner = kernel
    choices = [t for t in range(1, inner + 1) if inner % t == 0]
    if not outer:
        return [(t,) for t in choices]
    rows = [t for t in range(2, outer[0] + 1) if outer[0] % t == 0]
    return [(1, t) for t in choices] + [(t, inner) for t in rows]


def pixel_choices(extent: int, step: int) -> list[int]:
    """Pixels that can come at once where rows have `extent` of them and windows move by `step`."""
    largest = math.gcd(extent, step)
    return [pixels for pixels in range(1, largest + 1) if largest % pixels == 0]
