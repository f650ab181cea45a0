"""Compare what a level answers with the reference, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.errors import IrcError
from irc.flow.ladder import classes_of

Array = npt.NDArray[Any]

FLOAT_TOLERANCE_ULPS = 4
"""Float results agree within this many units in the last place of the frame's largest result, or
within what the roundings of the reference's last sums can make out.

Integers, and floats that stand for integers, agree only if they are equal.
"""


@dataclass(frozen=True)
class Difference:
    """The first value that differs; `output` counts the model's outputs where it has several."""

    level: str
    image: int
    output: int | None
    index: tuple[int, ...]
    value: float
    expected: float

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        result = "result" if self.output is None else f"output {self.output}"
        return (
            f"level {self.level}: image {self.image}: {result} [{place}] is {self.value:.9g}, "
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


def compare(
    level: str,
    results: Sequence[Array],
    expected: Sequence[Array],
    roundings: Sequence[float] = (),
) -> Agreement:
    """Compare the outputs [N, …] of a level with the first N frames of the expected ones.

    How their shapes are written does not count. Classes are those of the first output.
    `roundings` says of each output how far float32 may be off in the reference's own sums.
    Raises `IrcError` where the level has other outputs than expected.
    """
    if len(results) != len(expected):
        raise IrcError(f"level {level}: {len(results)} outputs; the reference has {len(expected)}")
    count = len(results[0])
    equal = np.ones(count, np.bool_)
    largest, first = 0.0, None
    for number, (ours, theirs) in enumerate(zip(results, expected, strict=True)):
        output = number if len(results) > 1 else None
        rounding = roundings[number] if roundings else 0.0
        wrong, difference = _differences(level, ours, theirs[:count], rounding)
        bad_frames = wrong.any(axis=1)
        equal &= ~bad_frames
        largest = max(largest, float(difference.max(initial=0)))
        if bool(bad_frames.any()):
            image = int(np.argmax(bad_frames))
            if first is None or image < first.image:
                first = _difference(level, image, output, wrong[image], ours, theirs)
    same_class = classes_of(results[0]) == classes_of(expected[0][:count])
    return Agreement(
        count, int(np.count_nonzero(equal)), int(np.count_nonzero(same_class)), largest, first
    )


def _differences(level: str, ours: Array, theirs: Array, rounding: float) -> tuple[Array, Array]:
    """Which values [N, …] of two outputs disagree, and by how much each differs."""
    count = len(ours)
    ours = ours.reshape(count, -1).astype(np.float64)
    theirs = theirs.reshape(count, -1).astype(np.float64)
    if ours.shape != theirs.shape:
        raise IrcError(
            f"level {level}: {ours.shape[1]} results an image; the reference has {theirs.shape[1]}"
        )
    difference = np.abs(ours - theirs)
    whole = bool((theirs == np.rint(theirs)).all())
    scale = np.abs(theirs).max(axis=1, initial=0).astype(np.float32)
    tolerance: Any = 0
    if not whole:
        tolerance = np.maximum(FLOAT_TOLERANCE_ULPS * np.spacing(scale)[:, None], rounding)
    # NaN agrees with nothing.
    return ~(difference <= tolerance), difference


def _difference(
    level: str, image: int, output: int | None, wrong: Array, ours: Array, theirs: Array
) -> Difference:
    """The first wrong value of an image."""
    position = int(np.argmax(wrong))
    index = np.unravel_index(position, theirs.shape[1:] or (1,))
    return Difference(
        level,
        image,
        output,
        tuple(int(i) for i in index),
        float(ours[image].reshape(-1)[position]),
        float(theirs[image].reshape(-1)[position]),
    )
