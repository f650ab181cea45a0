"""Verify a model: the same inputs at every level, compared with the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from irc.errors import UsageError
from irc.flow.compare import Agreement, compare
from irc.flow.frames import Data
from irc.flow.ladder import Ladder, classes_of
from irc.flow.levels import LEVELS, FrameRunner
from irc.flow.tail_rounding import tail_roundings

LevelProgress = Callable[[str, int, int], None]
"""Called with a level, how many frames are done there and how many there are."""


@dataclass(frozen=True)
class LevelReport:
    """What one level answered: agreement with the reference, accuracy where labels are known."""

    level: str
    agreement: Agreement
    accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class VerifyReport:
    """All levels, in the order in which they ran; `reference` is the level compared with, and
    `engine` what ran it: `onnxruntime` or `reference` (ONNX's own) for models, else `irc`."""

    model: str
    reference: str
    levels: list[LevelReport]
    engine: str

    @property
    def agrees(self) -> bool:
        """Whether every level agrees with the reference on every frame."""
        return all(level.agreement.first is None for level in self.levels)


def check_levels(levels: Sequence[str]) -> list[str]:
    """The levels in ladder order, each once; raises `UsageError` for unknown ones."""
    unknown = [level for level in levels if level not in LEVELS]
    if unknown or not levels:
        raise UsageError(f"unknown level '{''.join(unknown[:1])}'; expected {', '.join(LEVELS)}")
    return [level for level in LEVELS if level in levels]


def verify(
    ladder: Ladder,
    data: Data,
    levels: Sequence[str] = LEVELS,
    rtl_limit: int | None = None,
    progress: LevelProgress | None = None,
) -> VerifyReport:
    """Run the frames at each level and compare with the first, the ONNX model where it is asked.

    `rtl_limit` bounds the frames that are simulated. Raises `IrcError` where a level cannot be
    reached.
    """
    ordered = check_levels(levels)
    runner = FrameRunner(ladder, data)
    # First what may fail at once: simulating takes minutes.
    for level in ordered:
        runner.prepare(level)
    total = len(runner.frames)
    reports: list[LevelReport] = []
    expected = None
    is_rounding = ordered[0] == "onnx" and len(ordered) > 1
    roundings = tail_roundings(ladder.function) if is_rounding else []
    for level in ordered:
        count = min(total, rtl_limit) if level == "rtl" and rtl_limit is not None else total
        if progress is not None:
            progress(level, 0, count)
        start = time.perf_counter()
        results = runner.run(
            level, count, None if progress is None else _for_level(progress, level)
        )
        seconds = time.perf_counter() - start
        if expected is None:
            expected = results
        accuracy = None
        if data.y is not None:
            right = np.count_nonzero(classes_of(results[0]) == data.y[:count])
            accuracy = float(right) / count
        agreement = compare(level, results, expected, roundings)
        reports.append(LevelReport(level, agreement, accuracy, seconds))
    engine = ladder.reference.engine if ordered[0] == "onnx" else "irc"
    return VerifyReport(ladder.path, ordered[0], reports, engine)


def _for_level(progress: LevelProgress, level: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(level, done, total)
