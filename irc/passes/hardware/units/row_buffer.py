"""What units with sliding windows share: which beat of which windows is read next, and when.

`level` counts the beats from the start of the current windows to the last one written; a beat is
read once it has been written and the one before it has left, and beats are freed window by window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.dialects.window_geometry import WindowGeometry
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.beat_buffer import BeatBuffer
from irc.passes.hardware.units.numbers import Number, bits_for, fit
from irc.passes.hardware.units.pipeline import Counter, counter


@dataclass(frozen=True)
class Walk:
    """Which beat of which windows is read next."""

    chunk: Counter
    column: Counter
    row: Counter
    group: Counter
    window: Counter
    window_row: Counter
    ends: SSAValue
    """Whether the beat is the last of its windows."""

    @staticmethod
    def over(b: HwBuilder, geometry: WindowGeometry, moves: SSAValue) -> Walk:
        """Counters that go on to the next beat in cycles where `moves` is 1."""
        rows, columns = geometry.kernel_steps
        chunk = counter(b, "chunk", geometry.group_chunks, moves)
        element = b.and_(moves, chunk.is_last)
        column = counter(b, "kernel_column", columns, element)
        row_of_kernel = b.and_(element, column.is_last)
        row = counter(b, "kernel_row", rows, row_of_kernel)
        group_ends = b.and_(row_of_kernel, row.is_last)
        group = counter(b, "group", geometry.groups, group_ends)
        ends = b.named(
            "window_ends",
            b.all(b.concat(chunk.is_last, column.is_last, row.is_last, group.is_last)),
        )
        done = b.and_(moves, ends)
        window = counter(b, "window", geometry.counts[1], done)
        window_row = counter(b, "window_row", geometry.counts[0], b.and_(done, window.is_last))
        return Walk(chunk, column, row, group, window, window_row, ends)

    def between(self, b: HwBuilder, steps: tuple[int, int, int], width: int) -> SSAValue:
        """Of the steps to the next window, row and frame the one that comes now, modulo
        2^width."""
        mask = (1 << width) - 1
        window, row, frame = (b.const(step & mask, width) for step in steps)
        return b.mux(self.window.is_last, b.mux(self.window_row.is_last, frame, row), window)


@dataclass(frozen=True)
class RowBuffer:
    """When beats are written (`takes`) and read (`fetches`), and where the reading has come to."""

    takes: SSAValue
    fetches: SSAValue
    walk: Walk


def row_buffer(
    b: HwBuilder, geometry: WindowGeometry, offset: Callable[[Walk, SSAValue], SSAValue]
) -> RowBuffer:
    """The handshakes on either side, all but the data.

    `offset` makes from the walk, and from whether a beat is read, how far behind the start of its
    windows the next beat is.
    """
    depth = geometry.buffer_beats
    # The next window may start behind beats that have not come yet.
    steps = (geometry.next_window, geometry.next_row, geometry.next_frame)
    lowest = min(0, geometry.span - max(steps))
    buffer = BeatBuffer(b, depth, bits_for(lowest, depth))
    walk = Walk.over(b, geometry, buffer.fetches)
    reached = Number(offset(walk, buffer.fetches), 0, geometry.span - 1)
    # One bit more where the level is unsigned and narrower than the offset could be.
    width = b.width(buffer.level)
    wide = max(width, b.width(reached.value) + (lowest < 0))
    here = fit(b, Number(buffer.level, lowest, depth), wide)
    is_less = b.slt if lowest < 0 else b.ult
    fetches = buffer.read_where(b.named("available", is_less(fit(b, reached, wide), here)))
    buffer.free(b.and_(fetches, walk.ends), walk.between(b, steps, width))
    return RowBuffer(buffer.takes, fetches, walk)
