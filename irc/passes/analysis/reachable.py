"""Arithmetic progressions, one a channel: what the range analysis says of a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute

from irc.dialects.dense import BipolarType, element_range

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Reachable:
    """Per channel the arithmetic progression `low, low + step, …, high`, a superset of what occurs.

    The arrays are int64 of shape [C], or [1] where all channels are alike. A step is at least 1.
    """

    low: Array
    high: Array
    step: Array

    @staticmethod
    def uniform(low: int, high: int, step: int = 1) -> Reachable:
        """The same progression for every channel."""
        return Reachable(np.array([low]), np.array([high]), np.array([step]))

    @staticmethod
    def of_type(element_type: Attribute) -> Reachable:
        """Everything that an exact type can hold."""
        low, high = element_range(element_type)
        return Reachable.uniform(low, high, 2 if isinstance(element_type, BipolarType) else 1)

    @property
    def channels(self) -> int:
        """How many progressions are stored: C, or 1 for all channels alike."""
        return len(self.low)

    @property
    def moves(self) -> Array:
        """The steps, 0 in the channels that hold one integer only."""
        return np.where(self.low == self.high, 0, self.step)

    @property
    def largest(self) -> int:
        """The largest magnitude in any channel."""
        return max(abs(int(self.low.min())), abs(int(self.high.max())))

    def merged(self) -> Reachable:
        """One progression that contains those of all channels."""
        if self.channels == 1:
            return self
        step = np.gcd.reduce(np.concatenate([self.moves, self.low - self.low[0]]))
        low, high = int(self.low.min()), int(self.high.max())
        return Reachable.uniform(low, high, max(1, int(step)))

    def expanded(self, channels: int) -> Reachable:
        """The same with one entry a channel."""
        return Reachable(
            *(np.broadcast_to(a, (channels,)) for a in (self.low, self.high, self.step))
        )

    def compact(self) -> Reachable:
        """The same, stored once where all channels are alike."""
        arrays = (self.low, self.high, self.step)
        alike = self.channels > 1 and all(bool((a == a[0]).all()) for a in arrays)
        return Reachable(*(a[:1] for a in arrays)) if alike else self

    def flipped(self, where: Array) -> Reachable:
        """The progressions of −x in the channels of the mask `where`."""
        full = self.expanded(len(where))
        low = np.where(where, -full.high, full.low)
        return Reachable(low, np.where(where, -full.low, full.high), full.step)

    def with_zero(self) -> Reachable:
        """The progressions and 0, and all that lies between."""
        return Reachable(np.minimum(self.low, 0), np.maximum(self.high, 0), self.step)

    def united(self, other: Reachable) -> Reachable:
        """Per channel one progression that contains both; one of them may have one channel."""
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        step = np.gcd(np.gcd(self.moves, other.moves), self.low - other.low)
        return Reachable(low, high, np.maximum(step, 1))

    def multiplied(self, factors: Array) -> Reachable:
        """The progressions of `factors · x`; factors are [C] or [1]."""
        low, high = self.low * factors, self.high * factors
        step = np.abs(self.moves * factors)
        return Reachable(np.minimum(low, high), np.maximum(low, high), np.maximum(step, 1))

    def plus(self, other: Reachable) -> Reachable:
        """The progressions of `x + y`, for an x of this and any y of the other."""
        step = np.gcd(self.moves, other.moves)
        return Reachable(self.low + other.low, self.high + other.high, np.maximum(step, 1))
