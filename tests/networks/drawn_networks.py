"""Random networks whose decisions Hypothesis draws, remembers and shrinks.

@given(random_networks())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from irc.fuzz.networks.random_network import RandomNetwork, make_network

T = TypeVar("T")


class DrawnChoices:
    """Decisions that Hypothesis makes, remembers and shrinks."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def pick(self, options: Sequence[T]) -> T:
        """Shrinks to the first."""
        return self._draw(st.sampled_from(options))

    def integer(self, low: int, high: int) -> int:
        """Shrinks to `low`."""
        return self._draw(st.integers(low, high))


@st.composite
def random_networks(draw: st.DrawFn) -> RandomNetwork:
    """Networks drawn by Hypothesis."""
    return make_network(DrawnChoices(draw))
