"""Boolean functions, equality, and `Where` inside `Where`: step functions as models write them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from lift_models import Net, assert_lifts_exactly, every_integer
from lift_nodes import assert_same_floats, count_ops, refused
from onnx import TensorProto

INPUT = "int6*0.5"

FRAMES = np.arange(-32, 32, dtype=np.float32)[:, None].repeat(3, axis=1) * np.float32(0.5)

BOUNDS = [0.0, 1.5, -3.0]


def numbers(net: Net, value: str) -> str:
    """A boolean as a number, and a sum of it."""
    value = net.add("Cast", value, to=TensorProto.FLOAT)
    return net.add("MatMul", value, net.const([[1, 2], [3, -1], [2, 2]]))


@pytest.mark.parametrize("op_type", ["And", "Or", "Xor"])
def test_two_comparisons(op_type: str) -> None:
    net = Net((1, 3))
    above = net.add("Greater", "x", net.const(BOUNDS))
    below = net.add("LessOrEqual", "x", net.const([b + 4 for b in BOUNDS]))
    value = net.add("Cast", net.add(op_type, above, below), to=TensorProto.FLOAT)
    assert_same_floats(net.model(value), FRAMES)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("op_type", ["And", "Or", "Xor"])
def test_a_comparison_and_a_constant(op_type: str, constant: bool) -> None:
    net = Net((1, 3))
    above = net.add("Greater", "x", net.const(BOUNDS))
    value = net.add(op_type, above, net.const(constant, np.bool_))
    value = net.add("Cast", value, to=TensorProto.FLOAT)
    if (op_type, constant) in (("And", False), ("Or", True)):
        assert f"is {constant} for every frame" in refused(net.model(value))
    else:
        assert_same_floats(net.model(value), FRAMES)


@pytest.mark.parametrize("mirrored", [False, True])
def test_equality_with_a_constant(mirrored: bool) -> None:
    net = Net((1, 3))
    bound = net.const(BOUNDS)
    value = net.add("Equal", *((bound, "x") if mirrored else ("x", bound)))
    model = net.model(numbers(net, value))
    assert_same_floats(model, FRAMES)
    assert_lifts_exactly(model, INPUT, every_integer("int6", 3))


def test_equality_of_two_comparisons() -> None:
    net = Net((1, 3))
    above, below = net.add("Greater", "x", net.const(2)), net.add("Less", "x", net.const(5))
    assert_same_floats(net.model(numbers(net, net.add("Equal", above, below))), FRAMES)


def nested_below(net: Net) -> str:
    inner = net.add("Where", net.add("Less", "x", net.const(-2)), net.const(-1), net.const(0))
    return net.add("Where", net.add("Greater", "x", net.const(2)), net.const(1), inner)


def nested_above(net: Net) -> str:
    inner = net.add("Where", net.add("Greater", "x", net.const(2)), net.const(1), net.const(0))
    return net.add("Where", net.add("Less", "x", net.const(-2)), inner, net.const(-1))


def three_deep(net: Net) -> str:
    value = net.const(4)
    for bound, level in ((8, 3), (4, 2), (0, -1)):
        below = net.add("Less", "x", net.const(bound))
        value = net.add("Where", below, net.const(level), value)
    return value


def difference_of_steps(net: Net) -> str:
    above, below = (
        net.add("Cast", net.add(*arguments), to=TensorProto.FLOAT)
        for arguments in (("Greater", "x", net.const(2)), ("Less", "x", net.const(-2)))
    )
    return net.add("Sub", above, below)


@pytest.mark.parametrize(
    "make", [nested_below, nested_above, three_deep, difference_of_steps], ids=lambda f: f.__name__
)
def test_steps(make: Callable[[Net], str]) -> None:
    net = Net((1, 3))
    assert_same_floats(net.model(make(net)), FRAMES)


@pytest.mark.filterwarnings("error")
def test_a_case_that_changes_nothing_is_no_warning() -> None:
    net = Net((1, 3))
    inner = net.add("Where", net.add("Less", "x", net.const(-2)), net.const(0), net.const(0))
    value = net.add("Where", net.add("Greater", "x", net.const(2)), net.const(1), inner)
    assert_same_floats(net.model(value), FRAMES)


@pytest.mark.filterwarnings("error")
def test_constants_too_far_apart_are_refused() -> None:
    net = Net((1, 3))
    inner = net.add("Where", net.add("Less", "x", net.const(-2)), net.const(-3e38), net.const(0))
    value = net.add("Where", net.add("Greater", "x", net.const(2)), net.const(3e38), inner)
    assert_same_floats(net.model(value), FRAMES)
    inner = net.add("Where", net.add("Less", "x", net.const(-2)), net.const(0), net.const(-3e38))
    value = net.add("Where", net.add("Greater", "x", net.const(2)), net.const(3e38), inner)
    assert "whose difference is no float32 number" in refused(net.model(value))


def bounded(net: Net, comparison: str, bound: float, mirrored: bool, swapped: bool) -> str:
    """`x ? c` chooses between x and c."""
    limit = net.const(bound)
    condition = net.add(comparison, *((limit, "x") if mirrored else ("x", limit)))
    return net.add("Where", condition, *((limit, "x") if swapped else ("x", limit)))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("bound", [0.0, 2.5])
@pytest.mark.parametrize("comparison", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
def test_bounds(comparison: str, bound: float, mirrored: bool, swapped: bool) -> None:
    net = Net((1, 3))
    model = net.model(bounded(net, comparison, bound, mirrored, swapped))
    module = assert_same_floats(model, FRAMES)
    assert count_ops(module, "bnn.ewise") == 1


@pytest.mark.parametrize("slope", [0.25, [0.5, -1.0, 0.0]])
def test_slopes(slope: float | list[float]) -> None:
    net = Net((1, 3))
    small = net.add("Mul", net.const(slope), "x")
    value = net.add("Where", net.add("GreaterOrEqual", "x", net.const(0)), "x", small)
    assert_same_floats(net.model(value), FRAMES)
    net = Net((1, 3))
    small = net.add("Mul", net.const(slope), "x")
    value = net.add("Where", net.add("Less", "x", net.const(0)), small, "x")
    assert_same_floats(net.model(value), FRAMES)


REFUSED: list[tuple[Callable[[Net], str], str]] = [
    (lambda net: net.add("And", "x", "x"), "not a comparison"),
    (lambda net: net.add("Equal", "x", net.add("Neg", "x")), "compares two activations"),
    (lambda net: net.add("Equal", "x", net.const(np.ones((4, 3)))), "enlarges the activation"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_is_refused(make: Callable[[Net], str], message: str) -> None:
    net = Net((1, 3), dtype=TensorProto.FLOAT)
    value = make(net)
    value = net.add("Cast", value, to=TensorProto.FLOAT)
    assert message in refused(net.model(value))


def test_slopes_of_something_else() -> None:
    net = Net((1, 3))
    other = net.add("Mul", net.add("Exp", "x"), net.const(0.5))
    value = net.add("Where", net.add("Less", "x", net.const(0)), other, "x")
    assert "chooses between activations" in refused(net.model(value))
