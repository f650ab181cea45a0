"""Bisection finds the same wherever it is told to begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.threshold_search import bisected

Array = npt.NDArray[Any]
LEVELS = np.arange(1, 6)


@given(
    st.lists(st.lists(st.integers(-200, 900), min_size=5, max_size=5), min_size=1, max_size=3),
    st.lists(st.integers(-300, 1000), min_size=15, max_size=15),
    st.sampled_from((1, 2, 7)),
    st.booleans(),
    st.sampled_from((10, 700)),
)
def test_a_wrong_expectation_costs_time_only(
    changes: list[list[int]], expected: list[int], step: int, falls: bool, high: int
) -> None:
    """Five changes a channel, some out of reach, expected anywhere from below to above all."""
    places = np.sort(np.array(changes), axis=1)
    channels = len(places)
    full = Reachable(
        np.full(channels, -step), np.full(channels, high // step * step), np.full(channels, step)
    )
    falling = np.full(channels, falls)

    def codes(integers: Array) -> Array:
        passed = (integers[:, :, None] >= places[:, None, :]).sum(axis=2)
        return 5 - passed if falls else passed

    near = np.array(expected)[: 5 * channels].reshape(channels, 5)
    near = np.clip(near, full.low[:, None], full.high[:, None] + step) // step * step
    known = bisected(codes, full, falling, LEVELS)
    assert np.array_equal(bisected(codes, full, falling, LEVELS, near), known)
    for channel, row in enumerate(known):
        integers = np.arange(-step, high // step * step + 1, step)
        for level, at in zip(LEVELS, row, strict=True):
            place = 5 - level if falls else level - 1
            above = integers[integers >= places[channel, place]]
            assert at == (above[0] if above.size else integers[-1] + step)


def test_a_right_expectation_saves_evaluations() -> None:
    counts: list[int] = []
    full = Reachable(np.zeros(1, np.int64), np.full(1, 1 << 20), np.ones(1, np.int64))
    for near in (None, np.array([[777_003]])):
        calls: list[int] = []

        def codes(integers: Array, calls: list[int] = calls) -> Array:
            calls.append(1)
            return (integers >= 777_000).astype(np.int64)

        at = bisected(codes, full, np.zeros(1, bool), np.ones(1, np.int64), near)
        assert at.tolist() == [[777_000]]
        counts.append(len(calls))
    assert counts[0] >= 20
    assert counts[1] <= 6
