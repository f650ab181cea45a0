"""Where windows lie in a frame, counted in the beats of its stream.

Units that work on windows see two axes in space, rows and columns. A sequence, or an image of one
row, counts as one column of many rows: buffers hold whole rows, which are then single elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from irc.dialects.bnn_spatial import window_counts

Pair = tuple[int, int]


@dataclass(frozen=True)
class WindowGeometry:
    """Windows of `kernel` elements over `size` (rows, columns), each element `chunks` beats.

    Of a window, the beats of one group of channels are read before those of the next.
    """

    size: Pair
    kernel: Pair
    strides: Pair
    dilations: Pair
    chunks: int
    groups: int = 1

    @staticmethod
    def of(
        space: Sequence[int],
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        chunks: int,
        groups: int = 1,
    ) -> WindowGeometry:
        """The geometry of windows over one or two axes."""
        return WindowGeometry(
            rows_and_columns(space, space),
            rows_and_columns(space, kernel),
            rows_and_columns(space, strides),
            rows_and_columns(space, dilations),
            chunks,
            groups,
        )

    @cached_property
    def counts(self) -> Pair:
        """How many windows there are: rows of windows, and windows in a row."""
        rows, columns = window_counts(self.size, self.kernel, self.strides, self.dilations)
        return rows, columns

    @property
    def kernel_steps(self) -> Pair:
        """Steps along the rows and columns of the kernel in which a window is read."""
        return self.kernel

    @property
    def extent(self) -> int:
        """Rows that a window spans."""
        return self.dilations[0] * (self.kernel[0] - 1) + 1

    @property
    def row_beats(self) -> int:
        """Beats of a row of the frame."""
        return self.size[1] * self.chunks

    @property
    def frame_beats(self) -> int:
        """Beats of a frame."""
        return self.size[0] * self.row_beats

    @property
    def window_beats(self) -> int:
        """Beats of a window."""
        return self.kernel[0] * self.kernel[1] * self.chunks

    @property
    def output_beats(self) -> int:
        """Beats of all windows of a frame."""
        return self.counts[0] * self.counts[1] * self.window_beats

    @property
    def span(self) -> int:
        """Beats from the first of a window to its last, both counted."""
        columns = self.dilations[1] * (self.kernel[1] - 1) + 1
        return (self.extent - 1) * self.row_beats + columns * self.chunks

    # From one beat of a window to the next one that is read

    @property
    def group_chunks(self) -> int:
        """Beats of an element that belong to one group."""
        return self.chunks // self.groups

    @property
    def column_step(self) -> int:
        """From the last beat of an element to the first of the next in the window's row."""
        return self.dilations[1] * self.chunks - (self.group_chunks - 1)

    @property
    def row_step(self) -> int:
        """From the last beat of a row of the window to the first of the next."""
        back = self.dilations[1] * (self.kernel[1] - 1) * self.chunks + self.group_chunks - 1
        return self.dilations[0] * self.row_beats - back

    @property
    def group_step(self) -> int:
        """From the last beat of a group to the first of the next; seldom ahead."""
        return 1 - (self.span - self.chunks)

    # From the start of one window to the start of the next

    @property
    def next_window(self) -> int:
        """Within a row of windows."""
        return self.strides[1] * self.chunks

    @property
    def next_row(self) -> int:
        """From the last window of a row to the first of the next."""
        return self.strides[0] * self.row_beats - self._row_of_windows

    @property
    def next_frame(self) -> int:
        """From the last window of a frame to the first of the next."""
        skipped = self.strides[0] * (self.counts[0] - 1) * self.row_beats
        return self.frame_beats - skipped - self._row_of_windows

    @property
    def _row_of_windows(self) -> int:
        """From the start of the first window of a row to that of the last."""
        return (self.counts[1] - 1) * self.next_window

    @property
    def unused_rows(self) -> int:
        """Rows behind the last window."""
        return self.size[0] - self.strides[0] * (self.counts[0] - 1) - self.extent

    @property
    def buffer_beats(self) -> int:
        """Beats that a circular buffer holds so that neither side ever waits for want of room.

        Besides the rows of the current windows there is room for those that the next row of
        windows adds; at the end of a frame that is all but one row of the next frame's first
        windows, and the rows in between that no window reads. Where channels are read group by
        group, the last row of a window is read early, and is there, too.
        """
        early = self.extent if self.groups > 1 else self.extent - 1
        ahead = max(self.strides[0], early + self.unused_rows)
        return (self.extent + ahead) * self.row_beats

    def offsets(self) -> list[int]:
        """Where the beats of a window lie, from its first, in the order in which they are read."""
        return [
            y * self.dilations[0] * self.row_beats
            + x * self.dilations[1] * self.chunks
            + group * self.group_chunks
            + chunk
            for group in range(self.groups)
            for y in range(self.kernel[0])
            for x in range(self.kernel[1])
            for chunk in range(self.group_chunks)
        ]


def rows_and_columns(space: Sequence[int], values: Sequence[int]) -> Pair:
    """The entry for rows and that for columns, of which a sequence has one."""
    if len(space) == 1:
        return values[0], 1
    return (values[1], values[0]) if space[0] == 1 else (values[0], values[1])
