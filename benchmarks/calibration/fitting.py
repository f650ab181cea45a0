"""Least squares with coefficients that are not negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

FLOOR = 30
"""Counts below this one weigh as if they were it: small units need no small relative error."""

Array = npt.NDArray[np.float64]


def fit_kind(features: Sequence[Mapping[str, float]], targets: Sequence[float]) -> dict[str, float]:
    """Coefficients by feature that make the least squared relative errors."""
    names = sorted({name for sample in features for name in sample})
    values = np.array([[sample.get(name, 0) for name in names] for sample in features], float)
    wanted = np.array(targets, float)
    weights = 1 / np.maximum(np.abs(wanted), FLOOR)
    weighted = values * weights[:, None]
    scale = np.maximum(np.sqrt((weighted**2).sum(axis=0)), 1e-12)
    found = non_negative(weighted / scale, wanted * weights) / scale
    return {name: float(f"{c:.4g}") for name, c in zip(names, found, strict=True) if c > 1e-6}


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
