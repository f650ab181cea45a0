"""A frame on which two modules differ, made simple: most of it at rest, the rest small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

Fails = Callable[[Array], Array]
"""Says of flat frames [N, n] which of them [N] still show the difference."""

CHUNK = 64
"""Candidates that are tried at once."""


def shrink_frame(frame: Array, rest: Array, whole: Array, fails: Fails, budget: int) -> Array:
    """A frame [n] that still fails, with as few elements beside `rest` [n] as could be found.

    Delta debugging (Zeller and Hildebrandt, Simplifying and isolating failure-inducing input,
    2002): parts of what is not at rest are put to rest, all first, single elements last; then
    elements that `whole` [n] marks as integers come as near to rest as they can. `budget` bounds
    how many frames are tried.
    """
    frame = frame.copy()
    before = None
    while budget > 0 and (before is None or (before != frame).any()):
        before = frame.copy()
        budget = _drop(frame, rest, fails, budget)
        budget = _lower(frame, rest, whole, fails, budget)
    return frame


def _drop(frame: Array, rest: Array, fails: Fails, budget: int) -> int:
    """Put elements to rest, in place; what is left of the budget."""
    parts = 1
    while budget > 0 and len(active := np.flatnonzero(frame != rest)):
        pieces = np.array_split(active, min(parts, len(active)))
        found = False
        for start in range(0, len(pieces), CHUNK):
            chosen = pieces[start : start + min(CHUNK, max(budget, 0))]
            candidates = np.repeat(frame[None], len(chosen), axis=0)
            for row, piece in zip(candidates, chosen, strict=True):
                row[piece] = rest[piece]
            budget -= len(chosen)
            found = _take(frame, candidates, fails)
            if found:
                break
        if not found and len(pieces) == len(active):
            break
        parts = parts if found else 2 * parts
    return budget


def _take(frame: Array, candidates: Array, fails: Fails) -> bool:
    """Let `frame` become the first candidate that fails; whether one does."""
    bad = np.flatnonzero(fails(candidates)) if len(candidates) else candidates
    if len(bad):
        frame[:] = candidates[bad[0]]
    return bool(len(bad))


def _lower(frame: Array, rest: Array, whole: Array, fails: Fails, budget: int) -> int:
    """Bring integers nearer to rest, in place; what is left of the budget."""
    for index in np.flatnonzero((frame != rest) & whole):
        while budget > 0:
            distance = frame[index] - rest[index]
            sign = np.sign(distance)
            nearer = dict.fromkeys((sign, sign * (abs(distance) // 2), distance - sign))
            steps = [step for step in nearer if 0 < abs(step) < abs(distance)]
            candidates = np.repeat(frame[None], len(steps), axis=0)
            candidates[:, index] = [rest[index] + step for step in steps]
            budget -= len(steps)
            if not _take(frame, candidates, fails):
                break
    return budget
