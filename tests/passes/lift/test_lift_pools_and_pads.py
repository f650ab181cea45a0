"""Pools with every rounding and divisor, and pads of every mode, equal ONNX Runtime's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lift_models import Net, assert_lifts_exactly, frames_for
from lift_nodes import assert_same_floats, count_ops, refused

SHAPE = (1, 2, 6, 7)

# Whole numbers: sums are exact in any order.
FRAMES = np.random.default_rng(0).integers(-99, 99, (5, 2, 6, 7)).astype(np.float32)

QUIET = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    """Kernel, strides and pads of windows that ONNX Runtime takes, and how they round."""
    kernel = [draw(st.integers(1, 4)) for _ in range(2)]
    strides = [draw(st.integers(1, 4)) for _ in range(2)]
    pads = [draw(st.integers(0, k - 1)) for k in kernel * 2]
    return {
        "kernel_shape": kernel,
        "strides": strides,
        "pads": pads,
        "ceil_mode": draw(st.integers(0, 1)),
    }


@QUIET
@given(pools(), st.sampled_from([10, 12, 19, 22]), st.booleans())
def test_average_pool(attributes: dict[str, Any], opset: int, include: bool) -> None:
    net = Net(SHAPE, opset)
    net.add("AveragePool", "x", count_include_pad=int(include), **attributes)
    # What follows relies on the shape that was inferred.
    assert_same_floats(net.model(net.add("Flatten", "n0")), FRAMES)


@QUIET
@given(pools(), st.sampled_from([10, 12, 22]))
def test_max_pool(attributes: dict[str, Any], opset: int) -> None:
    net = Net(SHAPE, opset)
    net.add("MaxPool", "x", **attributes)
    net.add("MaxPool", "n0", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)
    assert_same_floats(net.model(net.add("Flatten", "n1")), FRAMES)


@QUIET
@given(pools(), st.integers(0, 1))
def test_dilated_max_pool(attributes: dict[str, Any], axis: int) -> None:
    dilations = [1, 1]
    dilations[axis] = 2
    assume(attributes["kernel_shape"][axis] < 4)
    net = Net(SHAPE, 19)
    net.add("MaxPool", "x", dilations=dilations, **attributes)
    assert_same_floats(net.model(net.add("Flatten", "n0")), FRAMES)


@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("ceil_mode", [0, 1])
def test_divisors_that_differ_by_pixel_become_thresholds(include: int, ceil_mode: int) -> None:
    """Each pixel of the sums is a channel of its own to the quantizer behind it."""
    net = Net((1, 2, 4, 5))
    options: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    value = net.add("AveragePool", "x", count_include_pad=include, ceil_mode=ceil_mode, **options)
    scale, zero, bits = net.const(0.25), net.const(0), net.const(4)
    value = net.add("Quant", value, scale, zero, bits, domain="qonnx.custom_op.general", signed=1)
    value = net.add("Conv", value, net.const(np.ones((1, 2, 2, 2))))
    assert_lifts_exactly(net.model(value), "int5", frames_for("int5", (2, 4, 5)))


def pad(opset: int, pads: list[int], mode: str, value: float | None, axes: bool) -> Net:
    net = Net(SHAPE, opset)
    if opset < 11:
        more: dict[str, Any] = {} if value is None else {"value": value}
        net.add("Pad", "x", pads=pads, mode=mode, **more)
        return net
    operands = ["x", net.const(pads, np.int64)]
    if value is not None or axes:
        operands.append("" if value is None else net.const(value))
    if axes:
        operands.append(net.const([3, -2, 1], np.int64))
    net.add("Pad", *operands, mode=mode)
    return net


PADS = [[0, 0, 1, 2, 0, 0, 3, 0], [0, 2, 1, 0, 0, 5, 0, 1], [0, 1, -2, 0, 0, -1, 3, -3]]


@pytest.mark.parametrize("pads", PADS)
@pytest.mark.parametrize("value", [None, 0.0, -1.5])
@pytest.mark.parametrize("opset", [2, 11, 13, 18, 21])
def test_constant_borders(opset: int, value: float | None, pads: list[int]) -> None:
    assert_same_floats(pad(opset, pads, "constant", value, False).model("n0"), FRAMES)


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
@pytest.mark.parametrize("pads", [PADS[0], [0, 1, 1, 0, 0, 0, 2, 1]])
def test_copied_borders(mode: str, pads: list[int]) -> None:
    assert_same_floats(pad(21, pads, mode, None, False).model("n0"), FRAMES)


@pytest.mark.parametrize("mode", ["constant", "edge"])
def test_borders_of_named_axes(mode: str) -> None:
    net = pad(18, [1, 2, 0, 0, 1, 3], mode, None, True)
    assert_same_floats(net.model("n0"), FRAMES)


def test_a_border_of_features() -> None:
    net = Net((1, 3))
    net.add("Pad", "x", net.const([0, 1, 0, 2], np.int64), net.const(4))
    assert_same_floats(net.model("n0"), FRAMES.reshape(-1, 3))


def test_a_border_in_space_is_one_operation() -> None:
    module = assert_same_floats(pad(13, PADS[0], "constant", 0.0, False).model("n0"), FRAMES)
    assert count_ops(module, "bnn.pad") == 1
    assert count_ops(module, "bnn.concat") == 0


@pytest.mark.parametrize(
    ("pads", "mode", "value", "message"),
    [
        ([1, 0, 0, 0, 0, 0, 0, 0], "constant", None, "the batch, the first axis, can have no"),
        ([0, 0, -3, 0, 0, 0, -3, 0], "constant", None, "leave nothing of [2, 6, 7]"),
        ([0, 0, 40, 0, 0, 0, 0, 0], "edge", None, "more than 32 elements on a side"),
        ([0, 0, 1, 0, 0, 0, 0, 0], "constant", np.inf, "NaN or infinity"),
    ],
)
def test_pads_that_are_refused(
    pads: list[int], mode: str, value: float | None, message: str
) -> None:
    assert message in refused(pad(13, pads, mode, value, False).model("n0"))


def test_windows_of_nothing_but_border() -> None:
    net = Net((1, 1, 1), 19)
    net.add("AveragePool", "x", kernel_shape=[2], dilations=[2], pads=[1, 1])
    assert "divides 0 by 0" in refused(net.model("n0"))
