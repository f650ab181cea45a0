"""When units that hold what they have until somebody takes it move beats, as arrays.

Width converters to narrower beats, borders, windows and upsampling compute nothing: they can offer
a beat a cycle whenever its reader likes, so that they are scheduled together with that reader.
First `offers` says from when on beats are there; the reader takes them, one a cycle at most; and
`takes` says when the unit itself has taken its own beats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.interp.unit_schedules import Times, in_turn
from irc.interp.window_cycles import BufferCycles, UpsampleCycles, WindowCycles


class BufferSchedule(ABC):
    """When beats can be had, and when they have been taken in."""

    settled: bool = True
    """Whether there was room for the beats that were taken last; if not, all must be redone."""

    @abstractmethod
    def offers(self, offered: Times) -> Times:
        """From when on each beat can be taken, where the unit's own are offered so."""

    @abstractmethod
    def takes(self, offered: Times, given: Times) -> Times:
        """When the unit takes its own beats, where those that it offers are taken at `given`."""


def _behind(given: Times) -> Times:
    """When the output register is free for each beat: as the one before it is taken."""
    return np.concatenate([np.zeros(1, np.int64), given[:-1]])


@dataclass(frozen=True)
class NarrowSchedule(BufferSchedule):
    """Beats that leave in `ratio` parts; the next is taken as the last part leaves."""

    ratio: int

    def offers(self, offered: Times) -> Times:
        return np.repeat(offered + 1, self.ratio)

    def takes(self, offered: Times, given: Times) -> Times:
        return in_turn(np.maximum(offered, _behind(given)[:: self.ratio]))


@dataclass(frozen=True)
class PadSchedule(BufferSchedule):
    """A border that is there from the start, and beats of the input within it."""

    inside: npt.NDArray[np.bool_]

    def offers(self, offered: Times) -> Times:
        frames = offered.reshape(-1, int(np.count_nonzero(self.inside)))
        result = np.ones((len(frames), len(self.inside)), np.int64)
        result[:, self.inside] = frames + 1
        return result.ravel()

    def takes(self, offered: Times, given: Times) -> Times:
        free = _behind(given).reshape(-1, len(self.inside))[:, self.inside]
        return in_turn(np.maximum(offered, free.ravel()))


class RowsSchedule(BufferSchedule):
    """A circular buffer of which windows are read and freed, as `BufferCycles` says.

    With an `interval`, windows are begun at an even pace of so many cycles a frame, as early as
    none of them has to wait then: what comes behind is not flooded with a row of windows whenever
    a row of the frame is complete.
    """

    def __init__(self, buffer: BufferCycles, interval: int | None) -> None:
        ends = np.cumsum(buffer.steps, dtype=np.int64)
        self.depth = buffer.depth
        self.offsets = np.array(buffer.offsets, np.int64)
        self.starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        """Where the windows of a frame start."""
        self.frame_beats = int(ends[-1])
        self.interval = interval
        self.room = np.zeros(1, np.int64)
        """When there is room for each beat; raised by `takes` until it holds."""

    def _all_starts(self, frames: int) -> Times:
        first = self.frame_beats * np.arange(frames, dtype=np.int64)
        return (first[:, None] + self.starts).ravel()

    def _written(self, offered: Times) -> Times:
        return in_turn(np.maximum(offered, self.room))

    def _readable(self, offered: Times) -> Times:
        """From when on each beat of each window, [windows, beats], can be read."""
        frames = len(offered) // self.frame_beats
        return self._written(offered)[self._all_starts(frames)[:, None] + self.offsets] + 1

    def offers(self, offered: Times) -> Times:
        readable = self._readable(offered)
        if self.interval is not None:
            pace = np.arange(len(readable), dtype=np.int64) * self.interval // len(self.starts)
            beats = np.arange(len(self.offsets), dtype=np.int64)
            wait = np.max(np.max(readable - beats, axis=1) - pace)
            readable[:, 0] = np.maximum(readable[:, 0], pace + wait)
        return (readable + 1).ravel()

    def takes(self, offered: Times, given: Times) -> Times:
        written = self._written(offered)
        frames = len(offered) // self.frame_beats
        starts = self._all_starts(frames)
        last = len(self.offsets) - 1
        read = np.maximum(self._readable(offered).ravel(), _behind(given))
        freed = read.reshape(len(starts), -1)[:, last]
        # Beat k waits until the current window starts behind k - depth.
        current = np.searchsorted(starts, np.arange(len(offered)) - self.depth + 1)
        room = np.where(current > 0, freed[np.maximum(current, 1) - 1] + 1, 0)
        self.settled = bool(np.all(written >= room))
        self.room = np.maximum(self.room, room)
        return written


def buffer_schedule(op: Operation, interval: int | None) -> BufferSchedule | None:
    """The schedule of a unit that holds its beats; None for other units."""
    match op:
        case dataflow.WidthConverterOp() if not op.widens:
            return NarrowSchedule(op.ratio)
        case dataflow.PadOp():
            return PadSchedule(np.array(op.inside()))
        case dataflow.WindowOp():
            return RowsSchedule(WindowCycles(op.geometry()), interval)
        case dataflow.UpsampleOp():
            return RowsSchedule(UpsampleCycles(op.block_beats, op.blocks, op.offsets()), interval)
        case _:
            return None
