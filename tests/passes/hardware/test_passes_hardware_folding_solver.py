"""The search for a folding: equal to brute force, whatever things cost."""

from __future__ import annotations

import itertools
import random
from collections.abc import Hashable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from irc.passes.hardware.folding_solver import Choice, Cost, Problem, Solution

Case = Problem[str]


def random_problem(seed: int) -> Case:
    """Up to four layers of up to six choices, with costs between neighbours that fall with the
    cycles, at random."""
    rng = random.Random(seed)
    layers = [
        [
            Choice(
                rng.randint(1, 8),
                Cost(rng.randint(0, 30), rng.randint(0, 6) / 2, rng.randint(0, 2)),
                rng.randint(0, 2),
                rng.randint(0, 2),
                f"layer {index} way {way}",
            )
            for way in range(rng.randint(1, 6))
        ]
        for index in range(rng.randint(1, 4))
    ]
    table = {
        key: Cost(rng.randint(0, 12), rng.randint(0, 2), rng.randint(0, 1))
        for key in itertools.product(range(len(layers)), range(3), range(3))
    }

    def between(index: int, gives: Hashable, takes: Hashable, cycles: int) -> Cost:
        assert isinstance(gives, int)
        assert isinstance(takes, int)
        cost = table[index, gives, takes]
        return Cost(cost.luts + 24 // cycles, cost.block_rams, cost.dsps)

    prices = Cost(rng.randint(1, 3), rng.randint(0, 9), rng.randint(0, 5))
    return Problem(layers, prices, between, Cost(rng.randint(0, 5), 0, 1))


def every_solution(problem: Case, cycles: int) -> Iterator[Solution[str]]:
    """All ways that take no more cycles, with what each costs."""
    for choices in itertools.product(*problem.layers):
        if max(choice.cycles for choice in choices) > cycles:
            continue
        cost = problem.base
        for index, choice in enumerate(choices):
            if index:
                before = choices[index - 1].gives
                cost = cost.plus(problem.between(index - 1, before, choice.takes, cycles))
            cost = cost.plus(choice.cost)
        yield Solution(choices, cost)


limits = st.builds(
    Cost,
    st.one_of(st.integers(0, 120), st.just(float("inf"))),
    st.one_of(st.integers(0, 12), st.just(float("inf"))),
    st.one_of(st.integers(0, 6), st.just(float("inf"))),
)


@given(st.integers(0, 2**32), st.integers(1, 9), limits)
@settings(deadline=None, max_examples=300)
def test_the_cheapest_is_that_of_brute_force(seed: int, cycles: int, within: Cost) -> None:
    problem = random_problem(seed)
    possible = [s for s in every_solution(problem, cycles) if s.cost.within(within)]
    found = problem.cheapest(cycles, within)
    if found is None:
        assert not possible
        return
    assert problem.price(found.cost) == min(problem.price(s.cost) for s in possible)
    assert found in possible


@given(st.integers(0, 2**32), limits, st.integers(0, 5))
@settings(deadline=None, max_examples=200)
def test_the_fastest_is_that_of_brute_force(seed: int, within: Cost, floor: int) -> None:
    problem = random_problem(seed)
    best = None
    # A design takes the cycles of one of its layers, or those of the floor.
    possible_cycles = {c.cycles for layer in problem.layers for c in layer}
    for cycles in sorted({max(floor, cycles) for cycles in possible_cycles}):
        possible = [s for s in every_solution(problem, cycles) if s.cost.within(within)]
        if possible:
            best = cycles, min(problem.price(s.cost) for s in possible)
            break
    found = problem.fastest(within, floor)
    if best is None:
        assert found is None
        return
    assert found is not None
    assert max(floor, found.cycles) <= best[0]
    assert problem.price(found.cost) == best[1]


def test_the_limits_make_it_take_what_is_dearer() -> None:
    """Two ways to build one layer: cheap look-up tables with a block RAM, or none."""
    ways = [
        Choice(4, Cost(10, 2), 0, 0, "block"),
        Choice(4, Cost(50, 0), 0, 0, "distributed"),
        Choice(2, Cost(90, 0), 0, 0, "fast"),
    ]
    problem = Problem([ways], Cost(1, 5, 0))
    for held, wanted in ((2, "block"), (1, "distributed")):
        found = problem.cheapest(4, Cost(100, held, 0))
        assert found is not None
        assert found.choices[0].what == wanted
    fastest = problem.fastest(Cost(60, 2, 0))
    assert fastest is not None
    assert fastest.choices[0].what == "block"
    assert problem.cheapest(1) is None
    assert problem.fastest(Cost(9, 2, 0)) is None
