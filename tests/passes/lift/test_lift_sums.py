"""Sums and differences of activations, in ONNX Runtime's order of rounding."""

from __future__ import annotations

import numpy as np
import pytest
from lift_models import Net
from lift_nodes import assert_same_floats, count_ops, normal_frames, refused
from onnx import TensorProto

FRAMES = normal_frames(3, 4, count=200) * np.float32(1e3)


def branches(net: Net, count: int) -> list[str]:
    """Values that differ in their magnitudes, so that the order of a sum shows."""
    return [net.add("Mul", "x", net.const(0.37**index)) for index in range(count)]


@pytest.mark.parametrize("opset", [7, 13, 17])
@pytest.mark.parametrize("op_type", ["Add", "Sub"])
def test_two_activations(op_type: str, opset: int) -> None:
    net = Net((1, 3, 4), opset)
    value = net.add(op_type, *branches(net, 2))
    module = assert_same_floats(net.model(value), FRAMES)
    assert count_ops(module, "bnn.add") == 1


@pytest.mark.parametrize("opset", [8, 13])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("op_type", ["Sum", "Mean"])
def test_sums_of_several(op_type: str, count: int, opset: int) -> None:
    net = Net((1, 3, 4), opset)
    module = assert_same_floats(net.model(net.add(op_type, *branches(net, count))), FRAMES)
    assert count_ops(module, "bnn.add") == count - 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_constants_among_the_terms(place: int) -> None:
    net = Net((1, 3, 4))
    terms = branches(net, 2)
    terms.insert(place, net.const([[[1.5], [-2.25], [1e4]]]))
    terms.insert(place, net.const(0.1))
    assert_same_floats(net.model(net.add("Sum", *terms)), FRAMES)


def test_same_value_twice() -> None:
    for op_type in ("Add", "Sum", "Mul", "Sub"):
        net = Net((1, 3, 4))
        assert_same_floats(net.model(net.add(op_type, "x", "x")), FRAMES)


@pytest.mark.parametrize("op_type", ["Max", "Min"])
def test_extremes_of_one_activation_and_constants(op_type: str) -> None:
    net = Net((1, 3, 4))
    value = net.add(op_type, net.const(-300), "x", net.const([[[100], [-100], [0]]]))
    assert_same_floats(net.model(net.add(op_type, value)), FRAMES)


def test_sums_of_integers_stay_whole() -> None:
    net = Net((1, 4), dtype=TensorProto.INT8)
    wide = net.add("Cast", "x", to=TensorProto.INT32)
    total = net.add("Add", net.add("Sub", wide, wide), net.add("Mul", wide, net.const(3, np.int32)))
    total = net.add("Cast", total, to=TensorProto.FLOAT)
    frames = np.arange(-128, 128, dtype=np.int8).reshape(-1, 1).repeat(4, axis=1)
    assert_same_floats(net.model(total), frames)


def test_integers_that_may_overflow() -> None:
    net = Net((1, 4), dtype=TensorProto.INT8)
    message = refused(net.model(net.add("Add", "x", "x"), TensorProto.INT8))
    assert "from -256 to 254, may leave the type" in message


def test_broadcasting_of_two_activations() -> None:
    net = Net((1, 3, 4))
    mean = net.add("GlobalAveragePool", "x")
    message = refused(net.model(net.add("Add", "x", mean)))
    assert "adds activations of [3, 4] and [3, 1] elements a frame by broadcasting" in message
    assert "nearest Resize" in message


def test_a_constant_that_enlarges() -> None:
    net = Net((1, 3, 1))
    message = refused(net.model(net.add("Sum", "x", net.const(np.ones((1, 1, 5))), "x")))
    assert "enlarges the activation" in message


@pytest.mark.parametrize("op_type", ["Mul", "Div", "Max", "Min", "Pow"])
def test_other_functions_of_two_activations(op_type: str) -> None:
    net = Net((1, 3, 4))
    message = refused(net.model(net.add(op_type, *branches(net, 2))))
    assert "both inputs are activations; one must be a constant" in message
