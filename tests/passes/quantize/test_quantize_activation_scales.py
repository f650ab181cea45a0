"""Steps of activations: few significant bits, no clipping where none is wanted, little error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from irc.passes.quantize.activation_scales import (
    Grid,
    best_step,
    candidate_steps,
    mantissa_of,
    percentile_step,
    step_above,
)

Array = npt.NDArray[Any]

VALUES = hnp.arrays(
    np.float64,
    st.integers(1, 40),
    elements=st.floats(-100, 100, width=32).map(lambda v: 0.0 if abs(v) < 1e-3 else v),
)
GRIDS = st.builds(Grid, st.integers(1, 8), st.booleans())
POSITIVE = st.floats(1e-6, 1e6)


def suited(values: Array, grid: Grid) -> Array:
    """Values that a grid without a sign is chosen for are not negative."""
    return values if grid.signed else np.abs(values)


@pytest.mark.parametrize(
    ("bits", "signed", "bounds"),
    [(1, False, (0, 1)), (1, True, (-1, 1)), (4, False, (0, 15)), (4, True, (-8, 7))],
)
def test_bounds(bits: int, signed: bool, bounds: tuple[int, int]) -> None:
    assert Grid(bits, signed).bounds == bounds


@given(POSITIVE)
def test_the_step_above_is_the_next_of_six_significant_bits(needed: float) -> None:
    step = step_above(needed)
    assert needed <= step <= needed * (1 + 1 / 32)
    assert 32 <= mantissa_of(step) < 64
    assert step == mantissa_of(step) * 2.0 ** round(np.log2(step / mantissa_of(step)))


@given(POSITIVE, st.integers(32, 63))
def test_steps_of_one_mantissa_differ_by_a_power_of_two(needed: float, mantissa: int) -> None:
    step = step_above(needed, mantissa)
    assert needed <= step < 2 * needed
    assert mantissa_of(step) == mantissa


@given(VALUES, GRIDS)
def test_nothing_is_clipped_at_the_step_for_all_values(values: Array, grid: Grid) -> None:
    values = suited(values, grid)
    step = step_above(grid.step_for(float(values.min()), float(values.max())))
    if not grid.is_bipolar:
        assert (np.abs(grid.round(values, step) - values) <= step * 0.5 * (1 + 1e-9)).all()


@given(VALUES, GRIDS)
def test_the_best_step_has_the_least_error_of_all_candidates(values: Array, grid: Grid) -> None:
    values = suited(values, grid)

    def error(step: float) -> float:
        return float(np.square(values - grid.round(values, step)).sum())

    found = best_step(values, grid)
    needed = grid.step_for(float(values.min()), float(values.max()))
    if needed > 0:
        assert error(found) <= error(step_above(needed))
        for step in candidate_steps(needed / 16, needed):
            assert error(found) <= error(float(step))


@given(VALUES, GRIDS, st.integers(32, 63))
def test_a_mantissa_that_is_asked_for_is_kept(values: Array, grid: Grid, mantissa: int) -> None:
    assert mantissa_of(best_step(suited(values, grid), grid, mantissa)) == mantissa


def test_values_without_any_size_have_a_step() -> None:
    assert best_step(np.zeros(3), Grid(4, False)) == 1.0


def test_percentile_leaves_outliers_out() -> None:
    values = np.append(np.linspace(0, 1, 10_000), 1000.0)
    step = percentile_step(values, Grid(8, False), 99.9)
    assert 1 / 255 * 0.99 <= step <= 1 / 255 * 1.05
    assert percentile_step(values, Grid(8, False), 100) >= 1000 / 255


@given(st.integers(1, 8), st.booleans(), POSITIVE)
def test_float32_makes_no_error_in_a_step_times_an_integer(
    bits: int, signed: bool, needed: float
) -> None:
    """Nor in sums of two such products whose steps differ by a power of two."""
    step = step_above(needed)
    low, high = Grid(bits, signed).bounds
    integers = np.arange(low, high + 1)
    products = integers.astype(np.float32) * np.float32(step)
    assert np.array_equal(products.astype(np.float64), integers * step)
    sums = products[:, None] + products[None] * np.float32(0.25)
    exact = (integers[:, None] + integers[None] * 0.25) * step
    assert np.array_equal(sums.astype(np.float64), exact)
