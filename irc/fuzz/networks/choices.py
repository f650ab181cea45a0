"""Where the random choices of a generated network come from: a seed, or whatever else draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
T = TypeVar("T")


class Choices(Protocol):
    """Draws the decisions; the first option and the smallest number are the simplest."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        ...


class SeededChoices:
    """The same decisions for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[int(self._rng.integers(len(options)))]

    def integer(self, low: int, high: int) -> int:
        """Uniform."""
        return int(self._rng.integers(low, high, endpoint=True))


class Numbers:
    """Random arrays: many numbers, of which nobody wants to shrink each one.

    `nice` ones are small multiples of a quarter: with them ties, zeros and equal logits are
    common, and float32 sums are exact.
    """

    def __init__(self, seed: int, nice: bool) -> None:
        self._rng = np.random.default_rng(seed)
        self.nice = nice

    def floats(self, *shape: int) -> Array:
        """Float32 of both signs, 0 among the nice ones."""
        if self.nice:
            return (self._rng.integers(-8, 9, shape) / 4).astype(np.float32)
        return self._rng.normal(0, 1.5, shape).astype(np.float32)

    def positive(self, *shape: int) -> Array:
        """Float32 above 0, powers of two if nice."""
        if self.nice:
            return np.exp2(self._rng.integers(-3, 3, shape)).astype(np.float32)
        return np.exp(self._rng.normal(0, 1, shape)).astype(np.float32)

    def nonzero(self, *shape: int) -> Array:
        """Float32 of both signs, never 0."""
        return (self.positive(*shape) * self.signs(*shape)).astype(np.float32)

    def integers(self, low: int, high: int, *shape: int) -> Array:
        """Uniform int64 from `low` to `high`, both included."""
        return self._rng.integers(low, high, shape, endpoint=True)

    def signs(self, *shape: int) -> Array:
        """Int64 −1 and +1."""
        return 2 * self.integers(0, 1, *shape) - 1
