"""When the units of a dataflow design move beats if nothing behind them stalls, as arrays.

Times are cycles, int64, one entry a beat, frame after frame. A beat is *offered* from the cycle on
in which `tvalid` rises for it, and *taken* in the cycle of the handshake. These functions agree
with the state machines of `unit_cycles`, `window_cycles` and `branch_cycles`, and take a few NumPy
operations for a frame of any size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.errors import IrcError

Times = npt.NDArray[np.int64]


def in_turn(earliest: Times, gaps: Times | int = 1) -> Times:
    """The least times that are neither before `earliest` nor within `gaps[k]` of the one before.

    `t[k] = max(earliest[k], t[k-1] + gaps[k])`, as `t = d + max-scan(earliest - d)` with d the
    running sum of the gaps.
    """
    places = np.arange(len(earliest), dtype=np.int64) * gaps if isinstance(gaps, int) else None
    sums = np.cumsum(gaps) if places is None else places
    return np.maximum.accumulate(earliest - sums) + sums


class UnitSchedule(ABC):
    """When a unit takes beats, given when they are offered, and when it offers others."""

    @abstractmethod
    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        """When the beats of each input are taken and those of each output offered."""


@dataclass(frozen=True)
class PipelineSchedule(UnitSchedule):
    """A beat of each input in the same cycle, and a result `stages` cycles later."""

    stages: int

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        taken = in_turn(np.maximum.reduce(list(offered)))
        return [taken] * len(offered), [taken + self.stages]


@dataclass(frozen=True)
class ForkSchedule(UnitSchedule):
    """Beats pass in the cycle in which they are offered."""

    readers: int

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        taken = in_turn(offered[0])
        return [taken], [taken] * self.readers


@dataclass(frozen=True)
class MvuSchedule(UnitSchedule):
    """SF beats, then SF·(NF − 1) cycles without any; a result each SF cycles, the first one
    `stages` after the last beat."""

    synapse_folds: int
    neuron_folds: int
    stages: int

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        folds = self.synapse_folds
        gaps = np.ones(len(offered[0]), np.int64)
        gaps[::folds] += folds * (self.neuron_folds - 1)
        taken = in_turn(offered[0], gaps)
        results = folds * np.arange(self.neuron_folds, dtype=np.int64) + self.stages
        return [taken], [(taken[folds - 1 :: folds, None] + results).ravel()]


@dataclass(frozen=True)
class WidenSchedule(UnitSchedule):
    """`ratio` beats make one."""

    ratio: int

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        taken = in_turn(offered[0])
        return [taken], [taken[self.ratio - 1 :: self.ratio] + 1]


@dataclass(frozen=True)
class SelectSchedule(UnitSchedule):
    """Beats of which some give a result, `stages` cycles later: pools and slices."""

    gives: npt.NDArray[np.bool_]
    stages: int

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        taken = in_turn(offered[0])
        return [taken], [taken.reshape(-1, len(self.gives))[:, self.gives].ravel() + self.stages]


@dataclass(frozen=True)
class ConcatSchedule(UnitSchedule):
    """So many beats of each input in turn."""

    part_beats: tuple[int, ...]

    def run(self, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
        rows = [x.reshape(-1, n) for x, n in zip(offered, self.part_beats, strict=True)]
        joined = np.concatenate(rows, axis=1)
        taken = in_turn(joined.ravel()).reshape(joined.shape)
        ends = np.cumsum(self.part_beats)[:-1]
        parts = [part.ravel() for part in np.split(taken, ends, axis=1)]
        return parts, [taken.ravel() + 1]


def unit_schedule(op: Operation) -> UnitSchedule:
    """The schedule of a unit that gives what it has computed at once."""
    match op:
        case dataflow.MvuOp() if op.is_unrolled:
            return PipelineSchedule(op.latency())
        case dataflow.MvuOp():
            # From the last beat on: memory, products, sum and result.
            stages = op.latency() - op.synapse_folds + 1
            return MvuSchedule(op.synapse_folds, op.neuron_folds, stages)
        case dataflow.ThresholdOp() | dataflow.AddOp():
            return PipelineSchedule(op.latency())
        case dataflow.FifoOp():
            # As long as there is room.
            return PipelineSchedule(op.latency())
        case dataflow.ForkOp():
            return ForkSchedule(len(op.outputs))
        case dataflow.ConcatOp():
            return ConcatSchedule(op.part_beats)
        case dataflow.WidthConverterOp() if op.widens:
            return WidenSchedule(op.ratio)
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return SelectSchedule(np.array(op.completes()), 2)
        case dataflow.SliceOp():
            return SelectSchedule(np.array(op.keeps()), 1)
        case _:
            raise IrcError(f"'{op.name}' has no schedule", op.location)
