"""The search for a folding: layers in a row, each with choices, what these cost, and limits.

It knows nothing of hardware. A choice has cycles and a cost; between neighbours there is a further
cost that depends on what the first gives and what the second takes. The cheapest choices within a
number of cycles are found by dynamic programming over what a layer gives: exactly, with one best
partial solution for each while no limit binds, else with all that are not worse than another in
every resource. The fewest cycles within limits are found by bisection: more cycles allow all that
fewer do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

MOST_PARTIAL_SOLUTIONS = 96
"""Partial solutions that are kept for each thing that a layer can give; beyond, the search keeps
an even spread of them and may miss the best. Small networks stay far below."""

T = TypeVar("T")


class Cost(NamedTuple):
    """What something takes of a device: look-up tables, block RAMs in the maker's unit, DSPs."""

    luts: float = 0
    block_rams: float = 0
    dsps: float = 0

    def plus(self, other: Cost) -> Cost:
        """The sum, each resource by itself."""
        return Cost(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def within(self, limits: Cost) -> bool:
        """Whether no resource exceeds its limit."""
        return self[0] <= limits[0] and self[1] <= limits[1] and self[2] <= limits[2]


NOTHING = Cost()

LUTS_ONLY = Cost(1, 0, 0)
"""Prices where block RAMs and DSPs are free."""

NO_LIMITS = Cost(float("inf"), float("inf"), float("inf"))


@dataclass(frozen=True)
class Choice(Generic[T]):
    """A way to build a layer: `takes` and `gives` are all that its neighbours see of it."""

    cycles: int
    cost: Cost
    takes: Hashable
    gives: Hashable
    what: T


@dataclass(frozen=True)
class Solution(Generic[T]):
    """A choice for every layer, and what all take together."""

    choices: tuple[Choice[T], ...]
    cost: Cost

    @property
    def cycles(self) -> int:
        """Of the slowest layer."""
        return max((choice.cycles for choice in self.choices), default=0)


@dataclass(frozen=True)
class _Partial(Generic[T]):
    """Choices for the first layers, as a list from the last to the first."""

    price: float
    cost: Cost
    choice: Choice[T] | None
    before: _Partial[T] | None


Between = Callable[[int, Hashable, Hashable, int], Cost]


def _free(index: int, gives: Hashable, takes: Hashable, cycles: int) -> Cost:
    return Cost()


@dataclass(frozen=True)
class Problem(Generic[T]):
    """Layers in a row. `between(i, gives, takes, cycles)` is the cost between layers i and i + 1
    where no layer takes more than so many cycles; it must not grow with these. `base` is the cost
    of everything else; `prices` weigh the resources against each other."""

    layers: Sequence[Sequence[Choice[T]]]
    prices: Cost = LUTS_ONLY
    between: Between = _free
    base: Cost = NOTHING
    _known: dict[tuple[int, Hashable, Hashable, int], Cost] = field(
        default_factory=dict[tuple[int, Hashable, Hashable, int], Cost]
    )

    @cached_property
    def cycles(self) -> list[int]:
        """Every number of cycles of the slowest layer that is possible, ascending."""
        least = max((min(c.cycles for c in layer) for layer in self.layers), default=0)
        return sorted({c.cycles for layer in self.layers for c in layer if c.cycles >= least})

    def price(self, cost: Cost) -> float:
        """What is minimised."""
        prices = self.prices
        return cost[0] * prices[0] + cost[1] * prices[1] + cost[2] * prices[2]

    def cheapest(self, cycles: int, limits: Cost = NO_LIMITS) -> Solution[T] | None:
        """The cheapest choices of which none takes more cycles, within limits; of equal ones those
        with fewer cycles, layer by layer. `None` where there are none."""
        layers = [[c for c in layer if c.cycles <= cycles] for layer in self.layers]
        if not all(layers):
            return None
        found = self._search(layers, cycles, None)
        if found is not None and found.cost.within(limits):
            return found
        rests = self._least_of_rest(layers)
        if not self.base.plus(rests[0]).within(limits):
            return None
        return self._search(layers, cycles, _Limits(limits, rests))

    def fastest(self, limits: Cost, at_least: int = 0) -> Solution[T] | None:
        """The fewest cycles, not below `at_least`, for which there are choices within limits, and
        the cheapest of these."""
        candidates = sorted({max(at_least, cycles) for cycles in self.cycles})
        low, high = 0, len(candidates)
        best: Solution[T] | None = None
        while low < high:
            middle = (low + high) // 2
            found = self.cheapest(candidates[middle], limits)
            if found is None:
                low = middle + 1
            else:
                best, high = found, middle
        return best

    def _search(
        self, layers: list[list[Choice[T]]], cycles: int, bounds: _Limits | None
    ) -> Solution[T] | None:
        front: dict[Hashable, list[_Partial[T]]] = {
            None: [_Partial(self.price(self.base), self.base, None, None)]
        }
        for index, layer in enumerate(layers):
            arrived: dict[Hashable, list[_Partial[T]]] = {}
            following: dict[Hashable, list[_Partial[T]]] = {}
            for choice in layer:
                if choice.takes not in arrived:
                    found = self._arrive(index, front, choice.takes, cycles)
                    arrived[choice.takes] = _kept(found, bounds)
                here = following.setdefault(choice.gives, [])
                for partial in arrived[choice.takes]:
                    cost = partial.cost.plus(choice.cost)
                    if bounds is None or bounds.leave_room(cost, index + 1):
                        price = partial.price + self.price(choice.cost)
                        here.append(_Partial(price, cost, choice, partial))
            front = {key: _kept(found, bounds) for key, found in following.items() if found}
        last = [partial for found in front.values() for partial in found]
        if not last:
            return None
        return _solution(min(last, key=lambda partial: (partial.price, partial.cost)))

    def _arrive(
        self,
        index: int,
        front: dict[Hashable, list[_Partial[T]]],
        takes: Hashable,
        cycles: int,
    ) -> list[_Partial[T]]:
        """The partial solutions with what lies before a layer that takes so much."""
        found: list[_Partial[T]] = []
        for gives, partials in front.items():
            extra = Cost() if index == 0 else self._cost_between(index - 1, gives, takes, cycles)
            price = self.price(extra)
            found += [
                _Partial(p.price + price, p.cost.plus(extra), p.choice, p.before) for p in partials
            ]
        return found

    def _cost_between(self, index: int, gives: Hashable, takes: Hashable, cycles: int) -> Cost:
        key = (index, gives, takes, cycles)
        if key not in self._known:
            self._known[key] = self.between(index, gives, takes, cycles)
        return self._known[key]

    def _least_of_rest(self, layers: list[list[Choice[T]]]) -> list[Cost]:
        """For each layer what it and those behind it take at the least, resource by resource."""
        rests = [Cost()]
        for layer in reversed(layers):
            least = Cost(*(min(choice.cost[r] for choice in layer) for r in range(3)))
            rests.insert(0, rests[0].plus(least))
        return rests


@dataclass(frozen=True)
class _Limits:
    """Limits, and the least that the layers from each one on take."""

    limits: Cost
    rests: list[Cost]

    def leave_room(self, cost: Cost, index: int) -> bool:
        """Whether a partial solution leaves room for the layers from `index` on."""
        return cost.plus(self.rests[index]).within(self.limits)


def _kept(found: list[_Partial[T]], bounds: _Limits | None) -> list[_Partial[T]]:
    """Those that can become the best: the cheapest, or all that none beats in every resource."""
    if bounds is None:
        return [min(found, key=lambda partial: (partial.price, partial.cost))] if found else []
    ranked = sorted(found, key=lambda partial: (partial.cost, partial.price))
    kept: list[_Partial[T]] = []
    for partial in ranked:
        if not any(_beats(other.cost, partial.cost) for other in kept):
            kept.append(partial)
    return _thinned(kept)


def _beats(one: Cost, other: Cost) -> bool:
    # The look-up tables are sorted already.
    return one[1] <= other[1] and one[2] <= other[2]


def _thinned(kept: list[_Partial[T]]) -> list[_Partial[T]]:
    if len(kept) <= MOST_PARTIAL_SOLUTIONS:
        return kept
    step = (len(kept) - 1) / (MOST_PARTIAL_SOLUTIONS - 1)
    chosen = {round(index * step) for index in range(MOST_PARTIAL_SOLUTIONS)}
    chosen.add(min(range(len(kept)), key=lambda index: kept[index].price))
    return [kept[index] for index in sorted(chosen)]


def _solution(partial: _Partial[T]) -> Solution[T]:
    return Solution(tuple(_choices(partial))[::-1], partial.cost)


def _choices(partial: _Partial[T] | None) -> Iterable[Choice[T]]:
    while partial is not None:
        if partial.choice is not None:
            yield partial.choice
        partial = partial.before
