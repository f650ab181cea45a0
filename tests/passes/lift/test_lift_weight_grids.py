"""Float weights are split into integers and scales to the bit, or left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lift_models import Net, assert_lifts_exactly, frames_for, lowered

from irc.dialects import bnn
from irc.passes.lift.weight_grids import MAX_LEVEL, find_grid


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
