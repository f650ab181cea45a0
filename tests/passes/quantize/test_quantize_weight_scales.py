"""Integers and scales of weights: within bounds, and no simpler choice is better."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from irc.passes.quantize.weight_scales import (
    Quantized,
    binary_rows,
    quantize_rows,
    ternary_rows,
)

Array = npt.NDArray[Any]

WEIGHTS = st.floats(-4, 4, width=32).map(lambda w: 0.0 if abs(w) < 1e-3 else w)
ROWS = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=WEIGHTS
)


def error(rows: Array, quantized: Quantized) -> Array:
    """The squared error of each row."""
    return ((rows - quantized.values) ** 2).sum(axis=1)


@given(ROWS, st.integers(2, 8), st.sampled_from(["mse", "max"]))
def test_integers_are_symmetric_and_scales_positive(rows: Array, bits: int, method: str) -> None:
    found = quantize_rows(rows, bits, method)
    assert found.integers.dtype == np.int8
    assert int(np.abs(found.integers.astype(np.int64)).max()) <= (1 << (bits - 1)) - 1
    assert (found.scales > 0).all()
    assert found.scales.dtype == np.float32


@given(ROWS, st.integers(2, 8))
def test_every_weight_is_rounded_to_the_nearest_that_its_scale_allows(
    rows: Array, bits: int
) -> None:
    found = quantize_rows(rows, bits)
    level = (1 << (bits - 1)) - 1
    scales = found.scales.astype(np.float64)[:, None, None]
    choices = np.arange(-level, level + 1) * scales
    nearest = np.abs(rows[:, :, None] - choices).min(axis=2)
    assert np.allclose(np.abs(rows - found.values), nearest, rtol=1e-9, atol=1e-12)


@given(ROWS, st.integers(2, 8))
def test_the_largest_weight_is_never_clipped_by_method_max(rows: Array, bits: int) -> None:
    found = quantize_rows(rows, bits, "max")
    largest = np.abs(rows).max(axis=1)
    assert (np.abs(rows - found.values) <= found.scales[:, None] * 0.5001).all()
    assert np.allclose(np.abs(found.values).max(axis=1), largest, rtol=1e-6)


@given(ROWS, st.integers(2, 8))
def test_the_squared_error_is_not_larger_than_with_the_largest_weight_as_scale(
    rows: Array, bits: int
) -> None:
    best, plain = quantize_rows(rows, bits), quantize_rows(rows, bits, "max")
    assert (error(rows, best) <= error(rows, plain) * (1 + 1e-5) + 1e-9).all()


@given(
    hnp.arrays(np.float64, st.tuples(st.just(1), st.integers(1, 3)), elements=WEIGHTS),
    st.integers(2, 3),
)
def test_up_to_four_bits_no_integers_at_all_do_better(rows: Array, bits: int) -> None:
    """All integer vectors tried, each with its own best scale."""
    level = (1 << (bits - 1)) - 1
    least = float((rows**2).sum())
    for integers in itertools.product(range(-level, level + 1), repeat=rows.shape[1]):
        q = np.array(integers, np.float64)
        if q.any() and float(rows[0] @ q) > 0:
            scale = float(rows[0] @ q) / float(q @ q)
            least = min(least, float(((rows[0] - scale * q) ** 2).sum()))
    assert float(error(rows, quantize_rows(rows, bits))[0]) <= least * (1 + 1e-5) + 1e-9


@given(ROWS, st.integers(1, 8), st.integers(-3, 3))
def test_weights_times_a_power_of_two_have_the_same_integers(
    rows: Array, bits: int, power: int
) -> None:
    one, other = quantize_rows(rows, bits), quantize_rows(rows * 2.0**power, bits)
    moved = rows.any(axis=1)
    assert np.array_equal(one.integers, other.integers)
    assert np.array_equal(one.scales[moved] * np.float32(2.0**power), other.scales[moved])


@given(ROWS)
def test_binary_rows_are_signs_times_the_mean_magnitude(rows: Array) -> None:
    found = binary_rows(rows)
    assert np.array_equal(found.integers, np.where(rows >= 0, 1, -1))
    assert np.allclose(found.scales, np.abs(rows).mean(axis=1), rtol=1e-6)


@given(ROWS, st.floats(0.5, 1.5))
def test_no_other_scale_of_signs_has_a_smaller_error(rows: Array, factor: float) -> None:
    found = binary_rows(rows)
    other = Quantized(found.integers, (found.scales * np.float32(factor)).astype(np.float32))
    assert (error(rows, found) <= error(rows, other) * (1 + 1e-5) + 1e-9).all()


def test_one_bit_is_binary_whatever_the_method() -> None:
    rows = np.array([[1.0, -3.0]])
    for method in ("mse", "max", "ternary"):
        found = quantize_rows(rows, 1, method)
        assert found.integers.tolist() == [[1, -1]]
        assert found.scales.tolist() == [2.0]


def test_ternary_keeps_what_is_above_seven_tenths_of_the_mean_magnitude() -> None:
    rows = np.array([[1.0, -2.0, 4.0, 0.5], [0.0, 0.0, 0.0, 0.0]])
    found = ternary_rows(rows)
    # The mean is 1.875, seven tenths of it 1.3125.
    assert found.integers.tolist() == [[0, -1, 1, 0], [0, 0, 0, 0]]
    assert found.scales.tolist() == [3.0, 1.0]


@pytest.mark.parametrize("bits", range(2, 9))
def test_rows_on_a_grid_are_found_to_the_bit(bits: int) -> None:
    level = (1 << (bits - 1)) - 1
    integers = np.array([[level, -1, 0, 1, -level, level // 2]])
    found = quantize_rows(integers * 0.25, bits)
    assert np.array_equal(found.integers, integers)
    assert found.scales.tolist() == [0.25]


def test_rows_of_zeros_stay_zero() -> None:
    for bits in range(1, 9):
        assert not quantize_rows(np.zeros((2, 3)), bits).values.any()
