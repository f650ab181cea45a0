"""Steps and levels are the functions that they were made of, at every reachable integer."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.ir import Operation

from irc.dialects import bnn
from irc.errors import IrcError
from irc.passes.analysis import threshold_search
from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.threshold_search import (
    Levels,
    Steps,
    bisected,
    find_levels,
    integers_by_channel,
    is_tabulated,
    tabulate,
    trimmed,
)

Array = npt.NDArray[Any]

FULL = Reachable(np.array([-6, -3, 2]), np.array([6, 9, 10]), np.array([3, 4, 1]))
"""Three channels: −6, −3, 0, 3, 6; −3, 1, 5, 9; 2 to 10."""


@dataclass
class Codes:
    """A function from integers to codes that is given by a table, as a chain would be."""

    tables: Array
    wobbles: bool = False
    rises: bool = True

    @property
    def quantizer(self) -> Operation:
        return bnn.ReshapeOp.create()

    def channel(self, index: int) -> Codes:
        return Codes(self.tables[index : index + 1])

    def codes(self, integers: Array) -> Array:
        """The code of an integer is that of its place from −10 on."""
        rows = np.arange(len(integers))[:, None]
        return self.tables[np.broadcast_to(rows, integers.shape), integers + 10]

    def code_bounds(self, integers: Array) -> tuple[Array, Array]:
        return self.codes(integers), self.codes(integers)

    def direction(self) -> Array | None:
        return np.ones(1, np.int64) if self.rises else None


def integers(full: Reachable) -> list[Array]:
    """All that each channel can hold."""
    ends = zip(full.low, full.high, full.step, strict=True)
    return [np.arange(low, high + 1, step) for low, high, step in ends]


def values(steps: Steps, full: Reachable) -> list[list[int]]:
    """What steps give, channel by channel, by their definition."""
    return [
        [
            steps.bias + sum(s for t, s in zip(at, step, strict=True) if x >= t)
            for x in of_channel.tolist()
        ]
        for of_channel, at, step in zip(
            integers(full), steps.at.tolist(), steps.steps.tolist(), strict=True
        )
    ]


def random_tables(rng: np.random.Generator, direction: int, low: int, high: int) -> Array:
    """Codes for −10 to 20 in three channels: rising, falling, or neither."""
    codes = rng.integers(low, high + 1, (3, 31))
    return codes if direction == 0 else np.sort(codes, axis=1)[:, ::direction]


@pytest.mark.parametrize("seed", range(4))
def test_a_table_becomes_its_steps(seed: int) -> None:
    tables = random_tables(np.random.default_rng(seed), 0, -2, 3)
    found = tabulate(Codes(tables), FULL)  # type: ignore[arg-type]
    expected = [tables[c, x + 10].tolist() for c, x in enumerate(integers(FULL))]
    assert values(found, FULL) == expected
    # A column for each change, and for the first code, of the channel with the most of them.
    most = max(int((np.diff(row, prepend=0) != 0).sum()) for row in map(np.array, expected))
    assert found.at.shape[1] <= most
    # What is never reached is one step above the largest, and counts nothing: not for types either.
    beyond = np.broadcast_to((FULL.high + FULL.step)[:, None], found.at.shape)
    unreached = found.at > FULL.high[:, None]
    assert (found.at == beyond)[unreached].all()
    assert ((found.steps == 0) == unreached).all()


@pytest.mark.parametrize(("seed", "direction"), list(itertools.product(range(3), (1, -1))))
def test_levels_of_a_monotone_function(seed: int, direction: int) -> None:
    tables = random_tables(np.random.default_rng(seed), direction, -1, 3)
    found = find_levels(Codes(tables), FULL, np.array([direction]))  # type: ignore[arg-type]
    assert found.falling.tolist() == [direction < 0] * 3
    expected = [tables[c, x + 10].tolist() for c, x in enumerate(integers(FULL))]
    flat = [code for row in expected for code in row]
    assert found.bottom == min(flat)
    assert found.at.shape == (3, max(flat) - min(flat))
    assert values(found.steps(FULL), FULL) == expected
    if direction < 0:
        flipped, mirrored = found.flipped(np.ones(3, bool), FULL), FULL.flipped(np.ones(3, bool))
        assert not flipped.falling.any()
        assert values(flipped.steps(mirrored), mirrored) == [row[::-1] for row in expected]


def test_some_channels_fall_and_some_are_flipped() -> None:
    """Channel 0 rises at −3 and 3, channel 1 falls at 1 and 9, channel 2 at 4 and 5."""
    levels = Levels(np.array([[-3, 3], [9, 1], [5, 4]]), np.array([False, True, True]), -1)
    expected = [[-1, 0, 0, 1, 1], [1, 0, 0, -1], [1, 1, 0, -1, -1, -1, -1, -1, -1]]
    assert values(levels.steps(FULL), FULL) == expected
    where = np.array([False, False, True])
    flipped, mirrored = levels.flipped(where, FULL), FULL.flipped(where)
    assert flipped.falling.tolist() == [False, True, False]
    assert values(flipped.steps(mirrored), mirrored) == [*expected[:2], expected[2][::-1]]


def test_codes_of_minus_and_plus_one_are_bits() -> None:
    steps = Steps(np.array([[0], [5], [2]]), np.array([[2], [2], [2]]), -1)
    bits = steps.as_bits(FULL)
    assert bits is not None
    assert values(bits, FULL) == [[0, 0, 1, 1, 1], [0, 0, 1, 1], [1] * 9]
    # A code that no integer has may be anything: 0, between 1 and 2, is not seen in channel 0.
    jump = Steps(np.array([[1, 3], [5, 5], [3, 3]]), np.array([[1, 1], [1, 1], [1, 1]]), -1)
    seen = jump.as_bits(FULL)
    assert seen is not None
    assert values(seen, FULL) == [[0, 0, 0, 1, 1], [0, 0, 1, 1], [0] + [1] * 8]
    falling = Steps(np.array([[-6, 3], [-3, 5], [2, 4]]), np.array([[2, -2]] * 3), -1).as_bits(FULL)
    assert falling is not None
    assert values(falling, FULL) == [[1, 1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0]]
    # Channels of their own: one is +1 throughout, one falls, one goes down and up again.
    mixed = Steps(np.array([[7, 8], [-2, 8], [3, 5]]), np.array([[0, 0], [-2, 0], [-2, 2]]), 1)
    varied = mixed.as_bits(FULL)
    assert varied is not None
    assert values(varied, FULL) == [[1] * 5, [1, 0, 0, 0], [1, 0, 0, 1, 1, 1, 1, 1, 1]]
    # What nobody sees makes no step: +1 between 2 and 3 in channel 1.
    quiet = Steps(np.array([[-6, 7], [2, 3], [7, 11]]), np.array([[-2, 0], [2, -2], [2, 0]]), -1)
    below = Steps(quiet.at, quiet.steps + np.array([[2, 0], [0, 0], [0, 0]]), -1).as_bits(FULL)
    assert below is not None
    assert values(below, FULL) == [[0] * 5, [0] * 4, [0] * 5 + [1] * 4]
    assert below.at.shape == (3, 1)
    assert Steps(np.array([[0], [5], [2]]), np.array([[1], [2], [2]]), -1).as_bits(FULL) is None
    assert Steps(np.array([[0], [5], [2]]), np.array([[3], [2], [2]]), -1).as_bits(FULL) is None


def test_columns_that_decide_nothing_go() -> None:
    at = np.array([[-6, 0, 7, 3], [-9, 5, 10, 1], [2, 4, 11, 3]])
    steps = np.array([[2, 1, 1, 0], [2, 1, 1, 0], [2, 1, 1, 0]])
    found = trimmed(Steps(at, steps, 5), FULL)
    assert found.at.tolist() == [[0], [5], [4]]
    assert found.steps.tolist() == [[1], [1], [1]]
    assert found.bias == 7
    # Behind it in one channel only, or with other steps, it decides.
    for other_at, other_steps in (
        ([[-6], [-9], [3]], [[2]] * 3),
        ([[-6], [-9], [2]], [[2], [2], [1]]),
        ([[7], [10], [10]], [[1]] * 3),
    ):
        kept = trimmed(Steps(np.array(other_at), np.array(other_steps), 5), FULL)
        assert (kept.at.tolist(), kept.bias) == (other_at, 5)
    one = Reachable.uniform(0, 4)
    alone = trimmed(Steps(np.array([[0, 2]]), np.array([[3, 1]]), -1), one)
    assert (alone.at.tolist(), alone.bias) == ([[2]], 2)
    empty = np.zeros((3, 0), np.int64)
    assert trimmed(Steps(empty, empty, 5), FULL).bias == 5


def brute_force(function: Any, full: Reachable, falling: Array, levels: Array) -> Array:
    """`bisected`, by looking at every integer."""
    found: list[list[int]] = []
    for channel, of_channel in enumerate(integers(full)):
        padded = np.zeros((len(full.low), len(of_channel)), np.int64)
        padded[channel] = of_channel
        codes = function(padded)[channel]
        changed = [(codes < at) if falling[channel] else (codes >= at) for at in levels]
        beyond = int(full.high[channel] + full.step[channel])
        found.append([int(of_channel[mask][0]) if mask.any() else beyond for mask in changed])
    return np.array(found)


@pytest.mark.parametrize(("seed", "direction"), list(itertools.product(range(3), (1, -1))))
def test_bisection_finds_what_brute_force_finds(seed: int, direction: int) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, direction, 0, 6)
    function, falling = Codes(tables).codes, np.full(3, direction < 0)
    levels = np.arange(1, 7)
    expected = brute_force(function, FULL, falling, levels)
    assert bisected(function, FULL, falling, levels).tolist() == expected.tolist()


@pytest.mark.parametrize("falls", [False, True])
def test_bisection_begins_near_what_is_expected(falls: bool) -> None:
    """However wrong the expectation is; the nearer, the fewer evaluations."""
    full = Reachable(np.array([-50]), np.array([850]), np.array([3]))
    calls: list[int] = []

    def function(places: Array) -> Array:
        calls.append(places.size)
        assert ((places >= -50) & (places <= 850)).all()
        return (places < 400).astype(np.int64) if falls else (places >= 400).astype(np.int64)

    counts: dict[int, int] = {}
    for distance in (0, 7, 8, 9, 40, -7, -8, -9, -40, 200, -200):
        calls.clear()
        near = np.array([[400 + 3 * distance]])
        at = bisected(function, full, np.array([falls]), np.ones(1, np.int64), near)
        assert at.tolist() == [[400]]
        counts[distance] = len(calls)
    calls.clear()
    bisected(function, full, np.array([falls]), np.ones(1, np.int64))
    assert len(calls) == 9
    assert counts[0] == counts[7] == counts[-7] == 6
    assert counts[40] > 6
    # An expectation near an end saves as much: the first place that is looked at is place 0, or
    # there is none behind the last.
    for change, near, evaluations in ((-26, -26, 6), (-2, -26, 6), (850, 853, 5)):
        calls.clear()

        def other(places: Array, change: int = change) -> Array:
            calls.append(1)
            return (places < change if falls else places >= change).astype(np.int64)

        at = bisected(other, full, np.array([falls]), np.ones(1, np.int64), np.array([[near]]))
        assert at.tolist() == [[change]]
        assert len(calls) == evaluations
    # The ends of the range are no hindrance.
    for near in (-50, 850):
        at = bisected(function, full, np.array([falls]), np.ones(1, np.int64), np.array([[near]]))
        assert at.tolist() == [[400]]


def test_bisection_looks_everywhere_in_small_ranges() -> None:
    full = Reachable(np.array([0]), np.array([63]), np.array([1]))
    calls: list[int] = []

    def function(places: Array) -> Array:
        calls.append(1)
        return (places >= 20).astype(np.int64)

    wrong = np.array([[60]])
    bisected(function, full, np.zeros(1, bool), np.ones(1, np.int64), wrong)
    assert len(calls) == 6
    calls.clear()
    larger = Reachable(np.array([0]), np.array([64]), np.array([1]))
    bisected(function, larger, np.zeros(1, bool), np.ones(1, np.int64), wrong)
    assert len(calls) == 8


def test_what_wobbles_is_tabulated_unless_that_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = random_tables(np.random.default_rng(0), 1, 0, 3)
    assert not is_tabulated(Codes(tables), FULL)  # type: ignore[arg-type]
    assert is_tabulated(Codes(tables, rises=False), FULL)  # type: ignore[arg-type]
    wobbly = Codes(tables, wobbles=True)
    # 5 + 4 + 9 integers.
    monkeypatch.setattr(threshold_search, "MAX_TABLES", 18)
    assert is_tabulated(wobbly, FULL)  # type: ignore[arg-type]
    monkeypatch.setattr(threshold_search, "MAX_TABLES", 17)
    assert not is_tabulated(wobbly, FULL)  # type: ignore[arg-type]


def test_integers_come_channel_by_channel_unless_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = random_tables(np.random.default_rng(0), 0, 0, 3)
    found = list(integers_by_channel(Codes(tables), FULL))
    assert [number for number, _, _ in found] == [0, 1, 2]
    assert [each.tolist() for _, each, _ in found] == [[x.tolist()] for x in integers(FULL)]
    for number, of_channel, one in found:
        assert one.codes(of_channel).tolist() == [tables[number, of_channel[0] + 10].tolist()]
    monkeypatch.setattr(threshold_search, "MAX_TABLE", 9)
    assert len(list(integers_by_channel(Codes(tables), FULL))) == 3
    monkeypatch.setattr(threshold_search, "MAX_TABLE", 8)
    with pytest.raises(IrcError, match=r"channel 2 .* has 9 possible inputs; at most 8"):
        list(integers_by_channel(Codes(tables), FULL))
