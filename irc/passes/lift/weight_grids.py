"""Integers and scales behind float weights that some exporter has multiplied out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAX_LEVEL = 127
"""Largest magnitude of the integers that are looked for: weights of at most eight bits."""

_NEIGHBOURS = (0, 1, -1, 2, -2)
"""How many floats away from `largest / level` the scale may be: that quotient is rounded."""


def find_grid(values: Array) -> tuple[Array, Array] | None:
    """Integers [M, K] and scales [1] or [M] with `float32(integer · scale) = value` to the bit.

    One scale for all rows if there is one, else one a row; `None` where some row lies on no grid
    of `MAX_LEVEL` levels. The smallest integers that fit are taken. Nothing is approximated: what
    is found by chance on a grid is as good as what an exporter has put there.
    """
    magnitudes = _levels(values)
    if magnitudes is not None:
        scale = _scale(magnitudes)
        if scale is not None:
            return _integers(values, np.full(1, scale)), np.full(1, scale)
    scales = np.ones(len(values), np.float32)
    for index, row in enumerate(values):
        magnitudes = _levels(row)
        scale = None if magnitudes is None else _scale(magnitudes)
        if scale is None:
            return None
        scales[index] = scale
    return _integers(values, scales), scales


MAX_NEAR_LEVEL = 255
"""DoReFa's `2 · k / (2ⁿ − 1) − 1` with n = 8 takes as many."""

NEAR = 2.0**-22
"""How far from a grid two or three roundings take the weights of a row, by the largest of them."""


def find_near_grid(values: Array) -> tuple[Array, Array, float] | None:
    """Integers [M, K], scales [M] and by how much they miss, where every row of float weights lies
    on a grid up to a few roundings: an exporter has folded a BatchNormalization into quantized
    weights, or DoReFa's `2 · w − 1` has rounded.

    The last number is the largest over the rows of `Σ |value − integer · scale| / Σ |integer ·
    scale|`. `None` where some row lies near no grid.
    """
    integers = np.zeros(values.shape, np.int16)
    scales = np.ones(len(values), np.float32)
    worst = 0.0
    for index, row in enumerate(values.astype(np.float64)):
        magnitudes = np.unique(np.abs(row))
        if len(magnitudes) > 4 * MAX_NEAR_LEVEL:
            return None
        scale = _near_scale(magnitudes)
        if scale is None:
            return None
        levels = np.rint(row / float(scale))
        grid = levels * float(scale)
        if grid.any():
            worst = max(worst, float(np.abs(row - grid).sum() / np.abs(grid).sum()))
        integers[index], scales[index] = levels, scale
    return integers, scales, worst


def _near_scale(magnitudes: Array) -> np.float32 | None:
    """The largest scale near whose whole multiples all magnitudes [n] lie; 1 if all are 0."""
    largest = float(magnitudes[-1])
    if largest == 0:
        return np.float32(1)
    scales = (largest / np.arange(1, MAX_NEAR_LEVEL + 1)).astype(np.float32)
    if not bool((scales > np.finfo(np.float32).tiny).all()):
        return None
    steps = scales.astype(np.float64)[:, None]
    missed = np.abs(magnitudes - np.rint(magnitudes / steps) * steps).max(axis=1)
    fits = missed <= NEAR * largest
    return scales[int(np.argmax(fits))] if bool(fits.any()) else None


def _levels(values: Array) -> Array | None:
    """The magnitudes that occur, 0 apart, in order; `None` if they are too many for a grid."""
    flat = values.reshape(-1)
    # Floats that nobody quantized are told from a few of them.
    if len(np.unique(np.abs(flat[: 8 * MAX_LEVEL]))) > MAX_LEVEL + 1:
        return None
    found = np.unique(np.abs(flat))
    found = found[found > 0]
    return found if len(found) <= MAX_LEVEL else None


def _scale(magnitudes: Array) -> np.float32 | None:
    """The largest scale of which every magnitude is a whole multiple; 1 if there are none."""
    if not len(magnitudes):
        return np.float32(1)
    levels = np.arange(len(magnitudes), MAX_LEVEL + 1, dtype=np.float32)
    nearest = (magnitudes[-1] / levels).astype(np.float32)
    for offset in _NEIGHBOURS:
        scales = (nearest.view(np.int32) + offset).view(np.float32)
        if not bool((scales > np.finfo(np.float32).tiny).all()):
            return None
        multiples = np.rint(magnitudes / scales[:, None])
        fits = ((multiples * scales[:, None]).astype(np.float32) == magnitudes).all(axis=1)
        if bool(fits.any()):
            return scales[int(np.argmax(fits))]
    return None


def _integers(values: Array, scales: Array) -> Array:
    return np.rint(values / scales[:, None]).astype(np.int8)
