"""The allocator never overlaps what lives together, and is optimal on small graphs."""

from __future__ import annotations

import time
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from irc.passes.software.arena import LiveRange, arena_size, lower_bound, plan_offsets


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
