"""Forks, sums, concatenations, slices and upsampling: right values in the cycles of the models."""

from __future__ import annotations

import numpy as np
import pytest
from branch_bench import KINDS, BranchUnit, branch_units, play
from hardware_checks import quietly
from hypothesis import given, settings
from hypothesis import strategies as st

chances = st.sampled_from([0.0, 0.0, 0.2, 0.6])


def check(unit: BranchUnit, gaps: list[float], stalls: list[float], seed: int) -> None:
    played = play(unit, gaps, stalls, seed)
    for value, expected in zip(played.values, unit.expected(), strict=True):
        assert np.array_equal(value, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_units_keep_their_values_and_cycles_whatever_stalls(kind: str) -> None:
    @given(branch_units([kind]), st.data(), st.integers(0, 1000))
    @settings(quietly, max_examples=60)
    def test(unit: BranchUnit, data: st.DataObject, seed: int) -> None:
        gaps = [data.draw(chances) for _ in unit.op.operands]
        stalls = [data.draw(chances) for _ in unit.op.results]
        check(unit, gaps, stalls, seed)

    test()


@given(branch_units())
@settings(quietly, max_examples=100)
def test_units_are_as_fast_as_they_say(unit: BranchUnit) -> None:
    """With nothing in the way, frames follow one another after `cycles`, the first beat comes
    after `latency`."""
    played = play(unit, [0] * len(unit.op.operands), [0] * len(unit.op.results))
    first = min(cycles[0] for cycles in played.taken)
    for given_at, value in zip(played.given, unit.op.results, strict=True):
        assert given_at[0] - first == unit.op.latency()
        beats = len(given_at) // len(unit.inputs[0])
        ends = given_at[beats - 1 :: beats]
        assert np.diff(ends).tolist() == [unit.op.cycles()] * (len(ends) - 1), value
