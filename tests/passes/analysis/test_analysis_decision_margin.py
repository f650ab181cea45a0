"""The margin of each decision, against arithmetic with fractions and against brute force."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import Block

from irc.dialects import bnn
from irc.dialects.dense import DenseAttr, sint
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.decision_margin import Decisions, decisions_of
from irc.passes.analysis.reachable import Reachable
from irc.passes.analysis.threshold_search import find_levels

Array = npt.NDArray[Any]


def chain_of(steps: list[tuple[str, Array]], rounding: str, bits: int, channels: int) -> Chain:
    """A chain of binary functions with a constant a channel."""
    value = Block(arg_types=[TensorType(f32, [channels])]).args[0]
    functions: list[bnn.EwiseOp] = []
    for fn, constant in steps:
        functions.append(bnn.EwiseOp(fn, value, DenseAttr.from_numpy(constant, f32)))
        value = functions[-1].output
    element = bnn.bipolar if rounding == "bipolar" else sint(bits)
    return Chain(functions, bnn.QuantizeOp(rounding, value, element))


def decisions(chain: Chain, full: Reachable) -> Decisions:
    direction = chain.direction()
    assert direction is not None
    return decisions_of(chain, find_levels(chain, full, direction).steps(full), full)


def real(steps: list[tuple[str, Array]], channel: int, x: int) -> Fraction:
    """The value before the quantizer in exact arithmetic."""
    value = Fraction(x)
    for fn, constants in steps:
        constant = Fraction(float(constants[channel]))
        value = {"mul": value * constant, "add": value + constant, "sub": value - constant}[fn]
    return value


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["bipolar", "half_even"]), st.booleans())
def test_distances_are_those_of_exact_arithmetic(seed: int, rounding: str, falls: bool) -> None:
    random = np.random.default_rng(seed)
    channels = 5
    slopes = random.uniform(0.01, 0.3, channels).astype(np.float32) * (-1 if falls else 1)
    steps = [
        ("mul", slopes),
        ("add", random.uniform(-2, 2, channels).astype(np.float32)),
        ("sub", random.uniform(-1, 1, channels).astype(np.float32)),
    ]
    low = random.integers(-40, 0, channels)
    stride = np.full(channels, 2)
    full = Reachable(low, low + 2 * random.integers(5, 40, channels), stride)
    chain = chain_of(steps, rounding, 4, channels)
    found = decisions(chain, full)
    halves = [Fraction(2 * n - 15, 2) for n in range(15)]
    borders = [Fraction(0)] if rounding == "bipolar" else halves
    count = 0
    for channel, column in np.argwhere(found.real):
        at = int(found.at[channel, column])
        values = [real(steps, channel, x) for x in (at - 2, at)]
        crossed = [b for b in borders if min(values) <= b <= max(values)]
        distance = Fraction(float(found.distance[channel, column]))
        # That of the neighbour with less headroom counts; a border is known to a float.
        expected = [min(abs(value - border) for border in crossed) for value in values]
        assert min(abs(distance - each) for each in expected) <= Fraction(1, 10**6)
        count += 1
    assert count == int(found.real.sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_float32_never_errs_by_more_than_the_stated_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    channels = 4
    steps = [
        (fn, random.uniform(0.1, 3, channels).astype(np.float32))
        for fn in random.choice(["mul", "add", "sub"], 4)
    ]
    low = random.integers(-1000, 0, channels)
    full = Reachable(low, low + 2000, np.ones(channels, np.int64))
    chain = chain_of(steps, "half_even", 4, channels)
    found = decisions(chain, full)
    for channel, column in np.argwhere(found.real):
        # Which of the two neighbours counts is not told: the error is that of one of them.
        errors: list[Fraction] = []
        for x in (int(found.at[channel, column]) - 1, int(found.at[channel, column])):
            value = np.float32(x)
            for fn, constants in steps:
                c = constants[channel]
                value = {"mul": value * c, "add": value + c, "sub": value - c}[fn]
            errors.append(abs(Fraction(float(value)) - real(steps, channel, x)))
        assert Fraction(float(found.error[channel, column])) >= min(errors)


def test_a_decision_between_neighbours_has_its_place() -> None:
    """0.25·x − 1.125 changes sign at 4.5: with x even, between 4 and 6."""
    steps = [("mul", np.array([0.25], np.float32)), ("add", np.array([-1.125], np.float32))]
    full = Reachable(np.array([0]), np.array([10]), np.array([2]))
    found = decisions(chain_of(steps, "bipolar", 1, 1), full)
    assert found.at.tolist() == [[6]]
    # Real arithmetic decides at 4.5, a quarter of the way from 4 to 6.
    assert found.place[0, 0] == pytest.approx(0.25)
    assert found.distance[0, 0] == pytest.approx(0.125)
    # All of it is exact in float32, hence never off.
    assert found.error[0, 0] == 0
    assert np.isinf(found.headroom[0, 0])


def test_a_value_at_the_border_has_no_headroom() -> None:
    """0.1·3 − 0.3 is 0 in float32 or next to it: rounding alone decides."""
    steps = [("mul", np.array([0.1], np.float32)), ("sub", np.array([0.3], np.float32))]
    full = Reachable(np.array([0]), np.array([10]), np.array([1]))
    found = decisions(chain_of(steps, "bipolar", 1, 1), full)
    assert found.real.tolist() == [[True]]
    assert found.at[0, 0] in (3, 4)
    assert found.headroom[0, 0] < 1


def test_what_decides_nothing_is_no_decision() -> None:
    steps = [("add", np.array([1000, 0], np.float32))]
    full = Reachable(np.array([-3, -3]), np.array([3, 3]), np.array([2, 2]))
    found = decisions(chain_of(steps, "bipolar", 1, 2), full)
    assert found.real.tolist() == [[False], [True]]
    assert found.at[1, 0] == 1
