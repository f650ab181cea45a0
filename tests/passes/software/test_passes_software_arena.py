"""The allocator never overlaps what lives together, and is optimal on small graphs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from irc.passes.software.arena import LiveRange, arena_size, lower_bound, plan_offsets


@dataclass(frozen=True)
class Program:
    """Ops in order, each with a result: its size, what it reads, and whether it may overwrite."""

    sizes: list[int]
    reads: list[list[int]]
    in_place: list[bool]

    @property
    def ranges(self) -> list[LiveRange]:
        """When each result is alive."""
        count = len(self.sizes)
        last = [
            max((i for i in range(count) if number in self.reads[i]), default=number)
            for number in range(count)
        ]
        return [LiveRange(self.sizes[i], i, last[i]) for i in range(count)]

    @property
    def sharing(self) -> dict[int, list[int]]:
        """On what each result may lie."""
        ranges = self.ranges
        found = {
            op: sorted({operand for operand in self.reads[op] if ranges[operand].last == op})
            for op in range(len(self.sizes))
            if self.in_place[op]
        }
        return {op: operands for op, operands in found.items() if operands}


@st.composite
def programs(draw: st.DrawFn, size: int, count: int) -> Program:
    """Programs whose ops read up to two earlier results: chains, forks and joins."""
    ops = draw(st.integers(1, count))
    reads = [
        draw(st.lists(st.integers(0, op - 1), max_size=2, unique=True)) if op else []
        for op in range(ops)
    ]
    sizes = draw(st.lists(st.integers(1, size), min_size=ops, max_size=ops))
    return Program(sizes, reads, draw(st.lists(st.booleans(), min_size=ops, max_size=ops)))


def clash(program: Program, offsets: Sequence[int]) -> bool:
    """Whether two results that are alive at once share elements, and neither is computed in place:
    written by the op that reads the other last, from the same offset on."""
    ranges, sharing = program.ranges, program.sharing
    return any(
        a.overlaps(b)
        and offsets[i] < offsets[j] + b.size
        and offsets[j] < offsets[i] + a.size
        and not (i in sharing.get(j, []) and offsets[i] == offsets[j])
        for j, b in enumerate(ranges)
        for i, a in enumerate(ranges[:j])
    )


def least_arena(program: Program) -> int:
    """The least arena for which any offsets at all do, by trying them all."""
    ranges = program.ranges
    for size in range(max(program.sizes), sum(program.sizes) + 1):
        places = [range(size - live.size + 1) for live in ranges]
        if not all(clash(program, offsets) for offsets in product(*places)):
            return size
    raise AssertionError("side by side they always fit")


@settings(max_examples=80, deadline=None)
@given(programs(3, 5))
def test_plans_of_small_programs_with_branches_are_minimal(program: Program) -> None:
    offsets = plan_offsets(program.ranges, program.sharing)
    assert not clash(program, offsets)
    assert arena_size(program.ranges, offsets) == least_arena(program)


@settings(max_examples=25, deadline=None)
@given(programs(60, 16))
def test_larger_programs_do_not_clash_and_gain_by_sharing(program: Program) -> None:
    ranges = program.ranges
    offsets = plan_offsets(ranges, program.sharing)
    assert not clash(program, offsets)
    apart = arena_size(ranges, plan_offsets(ranges))
    assert arena_size(ranges, offsets) <= apart


def test_a_result_takes_the_place_of_an_operand() -> None:
    """A sum of two branches of which one is read again: the other makes room."""
    program = Program([8, 8, 8, 8], [[], [0], [0, 1], [0, 2]], [False, False, True, True])
    assert program.sharing == {2: [1], 3: [0, 2]}
    assert arena_size(program.ranges, plan_offsets(program.ranges, program.sharing)) == 16
    assert arena_size(program.ranges, plan_offsets(program.ranges)) == 24


@st.composite
def live_ranges(draw: st.DrawFn, size: int, count: int) -> list[LiveRange]:
    """Up to `count` buffers of up to `size` elements in a program of a dozen ops."""
    ranges: list[LiveRange] = []
    for _ in range(draw(st.integers(1, count))):
        first = draw(st.integers(0, 7))
        last = first + draw(st.integers(0, 4))
        ranges.append(LiveRange(draw(st.integers(1, size)), first, last))
    return ranges


def overlap(ranges: list[LiveRange], offsets: list[int]) -> bool:
    """Whether two buffers that are alive at once share an element."""
    taken: set[tuple[int, int]] = set()
    for live, offset in zip(ranges, offsets, strict=True):
        cells = set(product(range(live.first, live.last + 1), range(offset, offset + live.size)))
        if taken & cells:
            return True
        taken |= cells
    return False


@given(live_ranges(50, 20))
def test_buffers_alive_at_once_do_not_overlap(ranges: list[LiveRange]) -> None:
    offsets = plan_offsets(ranges)
    assert not overlap(ranges, offsets)
    assert arena_size(ranges, offsets) >= lower_bound(ranges)


@settings(max_examples=60, deadline=None)
@given(live_ranges(3, 4))
def test_small_plans_are_minimal(ranges: list[LiveRange]) -> None:
    size = arena_size(ranges, plan_offsets(ranges))
    for smaller in range(lower_bound(ranges), size):
        places = [range(smaller - live.size + 1) for live in ranges]
        assert all(overlap(ranges, list(offsets)) for offsets in product(*places)), smaller


def test_nothing_takes_no_room() -> None:
    assert plan_offsets([]) == []
    assert arena_size([], []) == 0


def test_a_chain_takes_its_two_largest_neighbours() -> None:
    chain = [LiveRange(25, 0, 1), LiveRange(32, 1, 2), LiveRange(32, 2, 3), LiveRange(2, 3, 4)]
    assert arena_size(chain, plan_offsets(chain)) == 64


@given(live_ranges(50, 20))
def test_the_bound_is_the_most_that_lives_at_one_time(ranges: list[LiveRange]) -> None:
    alive = [[r.size for r in ranges if r.first <= at <= r.last] for at in range(12)]
    assert lower_bound(ranges) == max(map(sum, alive))


def test_a_long_chain_takes_no_quadratic_time() -> None:
    chain = [LiveRange(3, index, index + 1) for index in range(20_000)]
    started = time.process_time()
    assert arena_size(chain, plan_offsets(chain)) == 6
    # Looking at every pair takes minutes, this a fraction of a second.
    assert time.process_time() - started < 10
