"""Float weights are split into integers and scales to the bit, or left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lift_models import (
    Net,
    assert_lifts_exactly,
    assert_lifts_within_margin,
    frames_for,
    lowered,
)

from irc.dialects import bnn
from irc.passes.lift.weight_grids import MAX_LEVEL, NEAR, find_grid, find_near_grid


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.sampled_from((1, 2, 7, 31, 127)), st.booleans())
def test_multiplied_out_weights_are_taken_apart_again(seed: int, level: int, each: bool) -> None:
    generator = np.random.default_rng(seed)
    integers = generator.integers(-level, level + 1, (5, 9))
    scales = np.exp(generator.normal(-3, 2, 5 if each else 1)).astype(np.float32)
    values = integers.astype(np.float32) * scales[:, None]
    found = find_grid(values)
    assert found is not None
    assert np.array_equal(found[0].astype(np.float32) * found[1][:, None], values)
    assert np.abs(found[0].astype(int)).max(initial=0) <= MAX_LEVEL
    assert each or len(found[1]) == 1


def test_weights_that_nobody_quantized_are_left_alone() -> None:
    assert find_grid(np.random.default_rng(0).normal(size=(8, 300)).astype(np.float32)) is None
    assert find_grid(np.random.default_rng(0).normal(size=(8, 12)).astype(np.float32)) is None


@pytest.mark.parametrize("levels", [3, 7, 127])
def test_baked_weights_give_exact_sums(levels: int) -> None:
    generator = np.random.default_rng(levels)
    scales: Any = np.exp2(generator.integers(-5, 0, 4))
    weights = generator.integers(-levels, levels + 1, (9, 4)) * scales
    net = Net((1, 9))
    value = net.add("Sign", net.add("MatMul", "x", net.const(weights)))
    value = net.add("MatMul", value, net.const(generator.choice([-1.0, 1.0], (4, 2))))
    assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (9,), 100))


def test_dorefa_weights_of_two_bits() -> None:
    generator = np.random.default_rng(1)
    weights = (2 * generator.integers(0, 4, (9, 4)) / 3 - 1).astype(np.float32)
    net = Net((1, 9))
    module = lowered(net.model(net.add("MatMul", "x", net.const(weights))), "int4")
    (linear,) = (op for op in module.walk() if isinstance(op, bnn.LinearOp))
    assert str(linear.weights.element_type) == "si3"


@pytest.mark.parametrize("bits", [2, 3, 4, 7, 8])
def test_weights_that_rounded_twice_are_integers_within_a_bound(bits: int) -> None:
    """DoReFa in float32, and a BatchNormalization that an exporter has folded into its weights."""
    generator = np.random.default_rng(bits)
    levels = np.float32(2**bits - 1)
    exact = 2 * generator.integers(0, 2**bits, (6, 200)) - (2**bits - 1)
    exact[:, 0] = 2**bits - 1
    weights = np.float32(2) * ((exact + levels) / 2).astype(np.float32) / levels - np.float32(1)
    weights *= generator.uniform(0.5, 2, (6, 1)).astype(np.float32)
    assert find_grid(weights) is None
    found = find_near_grid(weights)
    assert found is not None
    integers, scales, missed = found
    np.testing.assert_array_equal(integers, exact)
    far = np.abs(weights - integers * scales.astype(np.float64)[:, None]).sum(axis=1)
    assert bool((far <= missed * np.abs(weights).sum(axis=1) * (1 + 1e-6)).all())
    assert 0 < missed < 2 * NEAR


def test_weights_near_no_grid_are_left_alone() -> None:
    generator = np.random.default_rng(0)
    assert find_near_grid(generator.normal(size=(8, 12)).astype(np.float32)) is None
    off = generator.integers(-7, 8, (4, 30)) / np.float32(7)
    off[2, 3] += np.float32(1e-5)
    assert find_near_grid(off) is None


def test_what_weights_miss_their_grid_by_is_in_the_margin() -> None:
    generator = np.random.default_rng(3)
    quarters = generator.integers(0, 16, (9, 4)).astype(np.float32) / np.float32(15)
    weights = np.float32(2) * quarters - np.float32(1)
    net = Net((1, 9))
    value = net.add("QuantizeLinear", net.add("MatMul", "x", net.const(weights)), net.const(0.7))
    value = net.add("DequantizeLinear", value, net.const(0.7))
    assert_lifts_within_margin(net.model(value), "int4", frames_for("int4", (9,), 400))
