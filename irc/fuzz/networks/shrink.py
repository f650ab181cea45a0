"""Counterexamples made small: the decisions behind a network are dropped, halved and set to 0.

A network follows from a list of numbers, one a decision, of which 0 is the simplest. Without some
of them a network has fewer layers; with smaller ones smaller shapes and plainer parts. What still
fails is kept, until nothing simpler does. The same list gives the same result, always.

    small = shrink(recorded(make_mixed_network, seed), make_mixed_network, fails)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from irc.fuzz.networks.choices import Choices, SeededChoices

T = TypeVar("T")
N = TypeVar("N")

MOST_RUNS = 600
"""How many networks are tried at most."""


class RecordedChoices:
    """The decisions for a seed, kept as numbers."""

    def __init__(self, seed: int) -> None:
        self._source = SeededChoices(seed)
        self.numbers: list[int] = []

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`."""
        number = self._source.integer(low, high)
        self.numbers.append(number - low)
        return number


class ReplayedChoices:
    """Decisions from a list of numbers; those too large are bounded, and missing ones are 0."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self.used = 0

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`."""
        number = self._numbers[self.used] if self.used < len(self._numbers) else 0
        self.used += 1
        return min(low + number, high)


def recorded(make: Callable[[Choices], N], seed: int) -> list[int]:
    """The decisions that lead to the network of a seed."""
    choices = RecordedChoices(seed)
    make(choices)
    return choices.numbers


def replayed(make: Callable[[Choices], N], numbers: Sequence[int]) -> N:
    """The network that a list of decisions leads to."""
    return make(ReplayedChoices(numbers))


@dataclass
class _Search:
    """The simplest decisions known to fail, and how many more networks may be tried."""

    numbers: list[int]
    fails: Callable[[list[int]], list[int] | None]
    runs: int = MOST_RUNS

    def attempt(self, numbers: list[int]) -> bool:
        """Keep `numbers`, as far as they are used, if they are simpler and fail."""
        if self.runs == 0 or not _is_simpler(numbers, self.numbers):
            return False
        self.runs -= 1
        used = self.fails(numbers)
        if used is None or not _is_simpler(used, self.numbers):
            return False
        self.numbers = used
        return True


def _is_simpler(numbers: list[int], others: list[int]) -> bool:
    return (len(numbers), numbers) < (len(others), others)


def shrink(
    numbers: list[int], make: Callable[[Choices], N], fails: Callable[[N], bool]
) -> list[int]:
    """The simplest decisions found, from `numbers`, that lead to a network that fails too."""

    def failing(attempt: list[int]) -> list[int] | None:
        choices = ReplayedChoices(attempt)
        try:
            if not fails(make(choices)):
                return None
        except ValueError:
            # No network follows from these decisions.
            return None
        return attempt[: choices.used]

    search = _Search(numbers, failing)
    before: list[int] | None = None
    while before != search.numbers and search.runs:
        before = list(search.numbers)
        for candidate in _candidates(search):
            search.attempt(candidate)
    return search.numbers


def _candidates(search: _Search) -> Iterator[list[int]]:
    """Simpler decisions than the search has at the time: runs dropped or set to 0, the largest
    first, then single numbers lowered."""
    for edit in (_without, _with_zeros):
        length = max(1, len(search.numbers) // 2)
        while length:
            start = 0
            while start < len(search.numbers):
                known = search.numbers
                yield edit(known, start, length)
                # What was dropped makes room for what came behind it.
                start += 0 if search.numbers is not known and edit is _without else length
            length //= 2
    for index in range(len(search.numbers)):
        for lower in (_half, _less):
            known = None
            while known is not search.numbers and index < len(search.numbers):
                known = search.numbers
                if not known[index]:
                    break
                yield [*known[:index], lower(known[index]), *known[index + 1 :]]


def _without(numbers: list[int], start: int, length: int) -> list[int]:
    return numbers[:start] + numbers[start + length :]


def _with_zeros(numbers: list[int], start: int, length: int) -> list[int]:
    end = min(len(numbers), start + length)
    return [*numbers[:start], *(0 for _ in range(start, end)), *numbers[end:]]


def _half(number: int) -> int:
    return number // 2


def _less(number: int) -> int:
    return number - 1
