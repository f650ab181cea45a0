"""Functions that a test replaces."""

from __future__ import annotations

from dataclasses import dataclass


def is_large(x: int) -> bool:
    """More than ten."""
    return x > 10


@dataclass
class Counter:
    """Counts by one."""

    count: int

    @property
    def next(self) -> int:
        """What comes next."""
        return self.count + 1
