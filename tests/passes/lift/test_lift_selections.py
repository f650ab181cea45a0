"""Plain-ONNX ways to write a sign: comparisons with `Where` or `Cast`, and pairs of `Sign`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from lift_models import (
    Net,
    assert_lifts_exactly,
    assert_lifts_within_margin,
    every_integer,
    frames_for,
    refusal,
)
from onnx import TensorProto

from irc.dialects import bnn

RNG = np.random.default_rng(3)

COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")


def where(net: Net, value: str) -> str:
    return net.add("Where", value, net.const(1), net.const(-1))


def cast_and_affine(net: Net, value: str) -> str:
    value = net.add("Mul", net.add("Cast", value, to=TensorProto.FLOAT), net.const(2))
    return net.add("Sub", value, net.const(1))


def integer_affine(net: Net, value: str) -> str:
    value = net.add("Cast", value, to=TensorProto.INT8)
    value = net.add("Mul", value, net.const(2, np.int8))
    value = net.add("Sub", value, net.const(1, np.int8))
    return net.add("Cast", value, to=TensorProto.FLOAT)


def negated(net: Net, value: str) -> str:
    return where(net, net.add("Not", value))


@pytest.mark.parametrize("finish", [where, cast_and_affine, integer_affine, negated])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_a_comparison_is_a_sign(
    comparison: str, mirrored: bool, finish: Callable[[Net, str], str]
) -> None:
    net = Net((1, 4))
    bound = net.const([0.0, 1.5, -3.0, 2.5])
    operands = (bound, "x") if mirrored else ("x", bound)
    value = finish(net, net.add(comparison, *operands))
    value = net.add("MatMul", value, net.const(RNG.choice([-1.0, 1.0], (4, 3))))
    module = assert_lifts_exactly(net.model(value), "int5*0.5", every_integer("int5", 4))
    (linear,) = (op for op in module.walk() if isinstance(op, bnn.LinearOp))
    assert bnn.frame_type(linear.input).element_type == bnn.bipolar


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_comparison_with_zero_behind_sums_that_can_be_zero(comparison: str) -> None:
    net = Net((1, 6))
    value = net.add("MatMul", "x", net.const(RNG.choice([-1.0, 1.0], (6, 5))))
    value = where(net, net.add(comparison, value, net.const(0)))
    value = net.add("MatMul", value, net.const(RNG.choice([-1.0, 1.0], (5, 3))))
    assert_lifts_exactly(net.model(value), "bipolar", frames_for("bipolar", (6,), 200))


def test_the_smallest_difference_decides() -> None:
    # The neighbours of c, and c itself: their differences are far below the smallest normal ulp.
    net = Net((1, 3))
    tiny = np.float32(2.0**-149)
    value = net.add("Mul", "x", net.const(tiny))
    bound = net.const([tiny, -tiny, 5 * tiny])
    value = where(net, net.add("Greater", value, bound))
    assert_lifts_exactly(net.model(value), "int4", every_integer("int4", 3))


@pytest.mark.parametrize(
    ("then", "other"), [(1.0, 0.0), (0.1, -0.1), (0.3, 0.1), (-7.1, 1e-9), (5.0, 5.0)]
)
def test_either_constant_is_chosen_to_the_bit(then: float, other: float) -> None:
    net = Net((1, 2))
    value = net.add("Greater", "x", net.const(0))
    value = net.add("Where", value, net.const([then, other]), net.const([other, then]))
    assert_lifts_exactly(net.model(value), "int4", every_integer("int4", 2))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1e-7, -1e-7])
@pytest.mark.parametrize("first", [True, False])
def test_a_sign_that_never_gives_zero(epsilon: float, first: bool) -> None:
    # Larq writes sign(sign(x) + 0.1); others sign(x + eps).
    net = Net((1, 4))
    value = net.add("Sign", "x") if first else "x"
    value = net.add("Sign", net.add("Add", value, net.const(epsilon)))
    value = net.add("MatMul", value, net.const(RNG.choice([-1.0, 1.0], (4, 3))))
    module = assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (4,), 200))
    thresholds = [op for op in module.walk() if isinstance(op, bnn.ThresholdOp)]
    assert [bnn.frame_type(op.output).element_type for op in thresholds] == [bnn.bipolar]


@pytest.mark.parametrize("opset", [9, 11, 13])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_clip_and_round_as_dorefa(opset: int, bits: int) -> None:
    net = Net((1, 8), max(opset, 11))
    levels = float(2**bits - 1)
    value = net.add("Clip", "x", net.const(0), net.const(1))
    value = net.add("Round", net.add("Mul", value, net.const(levels)))
    value = net.add("Mul", value, net.const(1 / levels))
    value = net.add("MatMul", value, net.const(RNG.integers(-3, 4, (8, 3))))
    model = net.model(net.add("ArgMax", value, axis=1, keepdims=0), TensorProto.INT64)
    module = assert_lifts_within_margin(model, "int8/64", frames_for("int8", (8,), 200))
    (linear,) = (op for op in module.walk() if isinstance(op, bnn.LinearOp))
    assert str(bnn.frame_type(linear.input).element_type) == f"ui{bits}"


def test_a_boolean_result_is_one_or_zero() -> None:
    net = Net((1, 3))
    value = net.add("GreaterOrEqual", "x", net.const([0, 3, -2]))
    module = assert_lifts_exactly(
        net.model(value, TensorProto.BOOL), "int4", every_integer("int4", 3)
    )
    assert sum(isinstance(op, bnn.ThresholdOp) for op in module.walk()) == 1


def test_a_cast_to_integers_goes_towards_zero() -> None:
    net = Net((1, 2))
    value = net.add("Clip", net.add("Mul", "x", net.const(0.25)), net.const(-5), net.const(6))
    value = net.add("Cast", value, to=TensorProto.INT8)
    value = net.add("Add", value, net.const(3, np.int8))
    model = net.model(net.add("Cast", value, to=TensorProto.FLOAT))
    assert_lifts_exactly(model, "int7", every_integer("int7", 2))


def test_a_cast_that_may_overflow_is_refused() -> None:
    net = Net((1, 2))
    value = net.add("Cast", "x", to=TensorProto.INT8)
    message = refusal(net.model(net.add("Cast", value, to=TensorProto.FLOAT)))
    assert "a cast from f32 to si8 of a value that may leave it; Clip it first" in message


def test_integer_arithmetic_that_may_wrap_is_refused() -> None:
    net = Net((1, 2), dtype=TensorProto.INT8)
    value = net.add("Add", "x", net.const(100, np.int8))
    message = refusal(net.model(net.add("Cast", value, to=TensorProto.FLOAT)), "int8")
    assert "from -28 to 227, may leave the type" in message


def test_a_choice_between_activations_is_refused_with_the_way_round() -> None:
    net = Net((1, 2))
    value = net.add("Greater", "x", net.const(1))
    message = refusal(net.model(net.add("Where", value, "x", net.const(0))))
    assert "(Where): chooses between activations" in message
    assert "as Relu" in message


def test_a_comparison_of_activations_is_refused() -> None:
    net = Net((1, 2))
    value = net.add("Greater", "x", net.add("Neg", "x"))
    message = refusal(net.model(where(net, value)))
    assert "(Greater): compares two activations; one side must be a constant" in message
