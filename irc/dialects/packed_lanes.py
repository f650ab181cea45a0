"""Weights of several rows side by side, for kernels that count bits in the lanes of a vector.

The rows are taken in groups of `LANES`; a group's first words follow each other, then its second
words and so on, so that a vector holds the same word of each row. The last group is filled up with
rows of zeros, whose sums nobody reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LANES = 4
"""Words of 32 bits in a vector of 128, as Helium and SSE have them."""


def interleave_rows(words: Array) -> Array:
    """Rows [M, …] side by side: [ceil(M / LANES), …, LANES]."""
    missing = -len(words) % LANES
    padded = np.pad(words, [(0, missing)] + [(0, 0)] * (words.ndim - 1))
    groups = padded.reshape(-1, LANES, *words.shape[1:])
    return np.ascontiguousarray(np.moveaxis(groups, 1, -1))


def separate_rows(words: Array, rows: int) -> Array:
    """The rows [M, …] of what `interleave_rows` gave."""
    groups = np.moveaxis(words, -1, 1)
    return np.ascontiguousarray(groups.reshape(-1, *groups.shape[2:])[:rows])


__all__ = ["LANES", "interleave_rows", "separate_rows"]
