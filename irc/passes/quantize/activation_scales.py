"""The step between the integers of an activation, from a sample of its values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

METHODS = ("mse", "max", "percentile")
"""Which range is kept: that of the least squared error, all, or all but the outermost values."""

_SIGNIFICANT_BITS = 6
"""Of a step: so few that float32 multiplies, adds and sums activations without rounding, so many
that the nearest such number is never more than 3 % away."""

_MANTISSAS = range(1 << (_SIGNIFICANT_BITS - 1), 1 << _SIGNIFICANT_BITS)

_OCTAVES = 5
"""How far below the step for the largest value others are tried: by a factor of 32."""


@dataclass(frozen=True)
class Grid:
    """The integers of an activation: N bits with or without a sign.

    With a sign and one bit they are −1 and +1.
    """

    bits: int
    signed: bool

    @property
    def is_bipolar(self) -> bool:
        """Whether a bit stands for a sign."""
        return self.signed and self.bits == 1

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest integer."""
        if self.is_bipolar:
            return -1, 1
        if self.signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1

    def step_for(self, low: float, high: float) -> float:
        """The smallest step at which nothing between `low` and `high` is clipped."""
        least, most = self.bounds
        below = low / least if least < 0 else 0.0
        return max(below, high / most, 0.0)

    def round(self, values: Array, step: float) -> Array:
        """The nearest multiples of the step that the grid has."""
        if self.is_bipolar:
            return np.where(values >= 0, step, -step)
        least, most = self.bounds
        return np.clip(np.rint(values / step), least, most) * step


def mantissa_of(step: float) -> int:
    """The significant bits of a step, as a number of `_SIGNIFICANT_BITS`."""
    return round(math.frexp(step)[0] * 2**_SIGNIFICANT_BITS)


def candidate_steps(least: float, most: float, mantissas: Iterable[int] = _MANTISSAS) -> Array:
    """All steps of few significant bits in between, and the next one above, in order."""
    low, high = math.frexp(least)[1], math.frexp(most)[1] + 1
    found = sorted(
        math.ldexp(m, e - _SIGNIFICANT_BITS) for m in mantissas for e in range(low, high + 1)
    )
    steps = np.array(found)
    above = steps[steps >= most]
    inside = steps[(steps >= least) & (steps < most)]
    return np.concatenate([inside, above[:1]])


def step_above(needed: float, mantissa: int | None = None) -> float:
    """The smallest step of few significant bits that is not below `needed`."""
    if needed <= 0:
        return 1.0 if mantissa is None else mantissa / _MANTISSAS.start
    mantissas = _MANTISSAS if mantissa is None else (mantissa,)
    return float(candidate_steps(needed, needed, mantissas)[0])


def best_step(values: Array, grid: Grid, mantissa: int | None = None) -> float:
    """The step of least squared error on a sample, of this mantissa if one is given."""
    needed = grid.step_for(float(values.min()), float(values.max()))
    if needed <= 0:
        return step_above(0.0, mantissa)
    mantissas = _MANTISSAS if mantissa is None else (mantissa,)
    steps = candidate_steps(needed / 2**_OCTAVES, needed, mantissas)
    errors = [float(np.square(values - grid.round(values, step)).sum()) for step in steps]
    return float(steps[int(np.argmin(errors))])


def percentile_step(
    values: Array, grid: Grid, percentile: float, mantissa: int | None = None
) -> float:
    """The step at which `percentile` % of the sample are not clipped."""
    outside = (100 - percentile) / (2 if grid.signed else 1)
    low, high = np.percentile(values, [outside, 100 - outside])
    return step_above(grid.step_for(float(low), float(high)), mantissa)
