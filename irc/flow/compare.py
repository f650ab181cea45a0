"""Compare what a level answers with the reference, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.flow.ladder import classes_of

Array = npt.NDArray[Any]

FLOAT_TOLERANCE_ULPS = 4
"""Float results agree within this many units in the last place of the frame's largest result.

Integers, and floats that stand for integers, agree only if they are equal.
"""


@dataclass(frozen=True)
class Difference:
    """The first value that differs."""

    level: str
    image: int
    index: tuple[int, ...]
    value: float
    expected: float

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        return (
            f"level {self.level}: image {self.image}: result [{place}] is {self.value:.9g}, "
            f"the reference says {self.expected:.9g}"
        )


@dataclass(frozen=True)
class Agreement:
    """How many frames agree in all values and in class, the largest difference, the first one."""

    images: int
    equal: int
    same_class: int
    largest: float
    first: Difference | None


def compare(level: str, results: Array, expected: Array) -> Agreement:
    """Compare [N, …] results with the first N expected ones, however their shapes are written."""
    count = len(results)
    ours = results.reshape(count, -1).astype(np.float64)
    theirs = expected[:count].reshape(count, -1).astype(np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape[1]} results a frame, the reference has {theirs.shape[1]}")
    difference = np.abs(ours - theirs)
    whole = bool((theirs == np.rint(theirs)).all())
    scale = np.abs(theirs).max(axis=1, initial=0).astype(np.float32)
    tolerance = 0 if whole else FLOAT_TOLERANCE_ULPS * np.spacing(scale)[:, None]
    # NaN agrees with nothing.
    wrong = ~(difference <= tolerance)
    bad_frames = wrong.any(axis=1)
    first = None
    if bool(bad_frames.any()):
        image = int(np.argmax(bad_frames))
        position = int(np.argmax(wrong[image]))
        index = np.unravel_index(position, expected.shape[1:] or (1,))
        first = Difference(
            level,
            image,
            tuple(int(i) for i in index),
            float(ours[image, position]),
            float(theirs[image, position]),
        )
    same_class = classes_of(results) == classes_of(expected[:count])
    return Agreement(
        count,
        int(count - np.count_nonzero(bad_frames)),
        int(np.count_nonzero(same_class)),
        float(difference.max(initial=0)),
        first,
    )
