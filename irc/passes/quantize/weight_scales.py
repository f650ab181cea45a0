"""Integers and a scale for each row of float weights: `W[m, k] ≈ scales[m] · integers[m, k]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

METHODS = ("mse", "max", "ternary")
"""How a scale is chosen: the least squared error, the largest weight, or ternary by a threshold."""

MAX_BITS = 8

_SWEPT_LEVELS = 7
"""Up to this level (4 bits) the best scale is found exactly; above, among many candidates."""

_RATIOS = np.linspace(1.0, 0.3, 71)
"""Candidates, as parts of the scale at which the largest weight is the largest integer."""

_REFINEMENTS = 8

_TERNARY_THRESHOLD = 0.7
"""Of a row's mean magnitude: smaller weights become 0 (Li, Zhang and Liu, Ternary Weight
Networks, arXiv:1605.04711, 2016)."""


@dataclass(frozen=True)
class Quantized:
    """Integers int8 [M, K] and scales float32 [M], one a row."""

    integers: Array
    scales: Array

    @property
    def values(self) -> Array:
        """The weights that they stand for, float64 [M, K]."""
        return self.integers * self.scales.astype(np.float64)[:, None]


def quantize_rows(weights: Array, bits: int, method: str = "mse") -> Quantized:
    """Quantize float rows [M, K] to `bits` each; 1 bit is `binary_rows` whatever the method.

    N bits reach from −(2ᴺ⁻¹ − 1) to 2ᴺ⁻¹ − 1: symmetric, so that a row can be negated.
    """
    if bits == 1:
        return binary_rows(weights)
    if method == "ternary":
        return ternary_rows(weights)
    level = (1 << (bits - 1)) - 1
    rows = weights.astype(np.float64)
    if method == "max":
        return _rounded(rows, np.abs(rows).max(axis=1, initial=0) / level, level)
    scales = _swept_scales(rows, level) if level <= _SWEPT_LEVELS else _tried_scales(rows, level)
    return _rounded(rows, scales, level)


def binary_rows(weights: Array) -> Quantized:
    """`sign(w)` and the mean magnitude of each row, 0 as +1.

    For signs that mean is the scale of least squared error: XNOR-Net's alpha (Rastegari et al.,
    XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks, ECCV 2016).
    """
    rows = weights.astype(np.float64)
    signs = np.where(rows >= 0, 1, -1).astype(np.int8)
    return Quantized(signs, _means(np.abs(rows), np.ones(rows.shape, np.bool_)))


def ternary_rows(weights: Array) -> Quantized:
    """−1, 0 or +1, and the mean magnitude of those that are not 0, row by row."""
    rows = weights.astype(np.float64)
    magnitudes = np.abs(rows)
    threshold = _TERNARY_THRESHOLD * _means(magnitudes, np.ones(rows.shape, np.bool_))
    kept = magnitudes > threshold[:, None]
    scales = np.where(kept.any(axis=1), _means(magnitudes, kept), np.float32(1))
    return Quantized((np.sign(rows) * kept).astype(np.int8), scales.astype(np.float32))


def _means(values: Array, mask: Array) -> Array:
    """Row by row the mean of what the mask lets through, as float32; 0 where that is nothing."""
    counts = np.maximum(np.count_nonzero(mask, axis=1), 1)
    return ((values * mask).sum(axis=1) / counts).astype(np.float32)


def _rounded(rows: Array, scales: Array, level: int) -> Quantized:
    """Round to multiples of the scales; a row without one, since all of it is 0, gets 1."""
    scales = scales.astype(np.float32)
    scales = np.where(scales > np.finfo(np.float32).tiny, scales, np.float32(1))
    integers = np.clip(np.rint(rows / scales.astype(np.float64)[:, None]), -level, level)
    return Quantized(integers.astype(np.int8), scales)


def _swept_scales(rows: Array, level: int) -> Array:
    """The scale of least squared error for each row, exactly.

    For given integers q the best scale is `⟨w, q⟩/⟨q, q⟩`, and leaves `⟨w, w⟩ − ⟨w, q⟩²/⟨q, q⟩`.
    As the scale falls, |q_k| rises from n − 1 to n where it passes `|w_k| / (n − ½)`: between these
    events q is constant, and every q that rounding can give occurs.
    """
    steps = np.arange(1, level + 1) - 0.5
    found = np.zeros(len(rows))
    for index, row in enumerate(np.abs(rows)):
        events = (row[:, None] / steps).reshape(-1)
        order = np.argsort(-events, kind="stable")
        products = np.cumsum(np.repeat(row, level)[order])
        squares = np.cumsum(np.tile(2 * steps, len(row))[order])
        best = int(np.argmax(products**2 / squares)) if len(events) else 0
        found[index] = products[best] / squares[best] if len(events) else 0
    return found


def _tried_scales(rows: Array, level: int) -> Array:
    """The best scale of many for each row, then better ones by turns: integers, scale, integers."""
    largest = np.abs(rows).max(axis=1, initial=0) / level
    found, least = largest, np.full(len(rows), np.inf)
    for ratio in _RATIOS:
        scales = _improved(rows, largest * ratio, level)
        errors = _errors(rows, scales, level)
        found = np.where(errors < least, scales, found)
        least = np.minimum(errors, least)
    for _ in range(_REFINEMENTS):
        scales = _improved(rows, found, level)
        found = np.where(_errors(rows, scales, level) < least, scales, found)
    return found


def _integers(rows: Array, scales: Array, level: int) -> Array:
    safe = np.where(scales > 0, scales, 1.0)[:, None]
    return np.clip(np.rint(rows / safe), -level, level)


def _improved(rows: Array, scales: Array, level: int) -> Array:
    """The best scale for the integers that given scales lead to: `⟨w, q⟩ / ⟨q, q⟩`."""
    integers = _integers(rows, scales, level)
    squares = (integers**2).sum(axis=1)
    return np.where(squares > 0, (rows * integers).sum(axis=1) / np.maximum(squares, 1), scales)


def _errors(rows: Array, scales: Array, level: int) -> Array:
    """The squared error that each row is left with."""
    return ((rows - scales[:, None] * _integers(rows, scales, level)) ** 2).sum(axis=1)
