"""Least squares with coefficients that are not negative, and that stay near what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

FLOOR = 30
"""Counts below this one weigh as if they were it: small units need no small relative error."""

TRUST = 0.02
"""How much the structure is trusted: a part that is this share of a sample pulls as much towards
its coefficient of 1 as the sample does towards what it takes."""

Array = npt.NDArray[np.float64]


def fit(
    counts: Sequence[Mapping[str, float]],
    targets: Sequence[float],
    weights: Sequence[float] | None = None,
) -> dict[str, float]:
    """Coefficients by part that make the least squared relative errors, plus what they are away
    from 1: parts that hardly occur keep it."""
    names = sorted({name for sample in counts for name in sample})
    values = np.array([[sample.get(name, 0) for name in names] for sample in counts], float)
    wanted = np.array(targets, float)
    scale = 1 / np.maximum(np.abs(wanted), FLOOR)
    if weights is not None:
        scale *= np.sqrt(np.array(weights, float))
    matrix, right = values * scale[:, None], wanted * scale
    prior = np.sqrt(TRUST) * np.eye(len(names))
    found = non_negative(
        np.vstack([matrix, prior]), np.concatenate([right, prior @ np.ones(len(names))])
    )
    return {name: float(f"{c:.4g}") for name, c in zip(names, found, strict=True)}


def non_negative(matrix: Array, wanted: Array) -> Array:
    """`argmin |matrix · x − wanted|²` over x >= 0, by the active sets of Lawson and Hanson (1974),
    with a little damping so that features that always come together share."""
    damped = np.vstack([matrix, 1e-3 * np.eye(matrix.shape[1])])
    target = np.concatenate([wanted, np.zeros(matrix.shape[1])])
    gram, right = damped.T @ damped, damped.T @ target
    size = len(right)
    x, active = np.zeros(size), np.zeros(size, bool)
    for _ in range(10 * size):
        gradient = right - gram @ x
        gradient[active] = -np.inf
        best = int(np.argmax(gradient))
        if gradient[best] <= 1e-10:
            break
        active[best] = True
        while True:
            trial = np.zeros(size)
            trial[active] = np.linalg.solve(gram[np.ix_(active, active)], right[active])
            if (trial[active] > 0).all():
                break
            low = active & (trial <= 0)
            step = np.min(x[low] / np.maximum(x[low] - trial[low], 1e-30))
            x = x + step * (trial - x)
            active &= x > 1e-12
            x[~active] = 0
        x = trial
    return x
