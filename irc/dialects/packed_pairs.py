"""Words in pairs: the second of every two stored as its difference from the first.

With `(w0, w0 ^ w1)` and an operand `(x0, x0 ^ x1)`, `a = w0 ^ x0` is the first difference of two
rows and `u = a ^ b`, which an adder of bits needs first of all, one XOR away instead of three.
A last word without a partner stays as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def pair_words(words: Array) -> Array:
    """Words along the last axis in pairs. It is its own inverse: `w0 ^ (w0 ^ w1) = w1`."""
    paired = np.array(words)
    seconds = paired[..., 1::2]
    seconds ^= paired[..., 0::2][..., : seconds.shape[-1]]
    return paired


__all__ = ["pair_words"]
