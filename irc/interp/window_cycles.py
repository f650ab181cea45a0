"""Padding, sliding windows and pools as state machines of their handshakes."""

from __future__ import annotations

from collections.abc import Sequence

from irc.dialects.window_geometry import WindowGeometry
from irc.interp.unit_cycles import PipelineCycles, UnitCycles


class PadCycles(UnitCycles):
    """A border that leaves whenever there is room, and beats of the input within it."""

    def __init__(self, inside: Sequence[bool]) -> None:
        self.inside = inside
        self.position = 0
        self.out = False

    def valid(self) -> bool:
        return self.out

    def ready(self, out_ready: bool) -> bool:
        return self.inside[self.position] and (not self.out or out_ready)

    def clock(self, takes: bool, out_ready: bool) -> None:
        free = not self.out or out_ready
        loads = free and (takes or not self.inside[self.position])
        if loads:
            self.position = (self.position + 1) % len(self.inside)
        self.out = loads or not free


class BufferCycles(UnitCycles):
    """A circular buffer that is written beat by beat, and freed window by window.

    A window is the beats at `offsets` from its start, in the order in which they are read;
    `steps` are the distances from one window to the next, over and over. `level` counts the beats
    from the start of the current window to the last one written; it is negative while beats come
    that no window reads.
    """

    def __init__(self, depth: int, offsets: Sequence[int], steps: Sequence[int]) -> None:
        self.depth = depth
        self.offsets = offsets
        self.steps = steps
        self.level = 0
        self.beat = 0
        self.window = 0
        self.offered = False

    def valid(self) -> bool:
        return self.offered

    def ready(self, out_ready: bool) -> bool:
        return self.level != self.depth

    def clock(self, takes: bool, out_ready: bool) -> None:
        free = not self.offered or out_ready
        fetches = free and self.offsets[self.beat] < self.level
        self.offered = fetches or not free
        self.level += takes
        if fetches:
            self.beat += 1
            if self.beat == len(self.offsets):
                self.beat = 0
                self.level -= self.steps[self.window]
                self.window = (self.window + 1) % len(self.steps)


class WindowCycles(BufferCycles):
    """The rows of a frame, of which windows are read."""

    def __init__(self, geometry: WindowGeometry) -> None:
        rows, columns = geometry.counts
        row = [geometry.next_window] * (columns - 1)
        steps = [*row, geometry.next_row] * (rows - 1) + [*row, geometry.next_frame]
        super().__init__(geometry.buffer_beats, geometry.offsets(), steps)


class UpsampleCycles(BufferCycles):
    """Blocks of a frame, each read several times, while the next one comes in."""

    def __init__(self, block_beats: int, blocks: int, offsets: Sequence[int]) -> None:
        super().__init__(2 * block_beats, offsets, [block_beats] * blocks)


class PoolCycles(PipelineCycles):
    """Beats enter a row of partial results; those that complete one go on to the output."""

    def __init__(self, completes: Sequence[bool]) -> None:
        super().__init__(2)
        self.completes = completes
        self.position = 0

    def clock(self, takes: bool, out_ready: bool) -> None:
        self.advance(takes and self.completes[self.position], out_ready)
        if takes:
            self.position = (self.position + 1) % len(self.completes)
