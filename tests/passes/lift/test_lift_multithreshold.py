"""`MultiThreshold` in each layout, and both versions of `Trunc`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lift_models import QONNX, Net, assert_lifts_exactly, every_integer, frames_for, refusal

from irc.dialects import bnn

RNG = np.random.default_rng(11)


def thresholds(rows: int, count: int) -> Any:
    return np.sort(RNG.normal(0, 5, (rows, count)), axis=1)


@pytest.mark.parametrize("count", [1, 2, 3, 15])
@pytest.mark.parametrize("rows", [1, 4])
def test_dense(count: int, rows: int) -> None:
    net = Net((1, 6))
    value = net.add("MatMul", "x", net.const(RNG.integers(-3, 4, (6, 4))))
    value = net.add(
        "MultiThreshold",
        *(value, net.const(thresholds(rows, count))),
        domain=QONNX,
        out_scale=2.0,
        out_bias=-1.0,
        data_layout="NC",
    )
    value = net.add("MatMul", value, net.const(RNG.integers(-3, 4, (4, 3))))
    module = assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (6,), 200))
    linear = [op for op in module.walk() if isinstance(op, bnn.LinearOp)][1]
    is_bipolar = bnn.frame_type(linear.input).element_type == bnn.bipolar
    assert is_bipolar == (count == 1)


def test_thresholds_that_are_met_exactly() -> None:
    net = Net((1, 3))
    levels = net.const([[-2, 0.5, 0.5, 3], [0, 0, 0, 0], [3, 1, -5, 2]])
    value = net.add("MultiThreshold", "x", levels, domain=QONNX, data_layout="NC")
    assert_lifts_exactly(net.model(value), "int5*0.5", every_integer("int5", 3))


@pytest.mark.parametrize("layout", ["NCHW", ""])
@pytest.mark.parametrize("pool", [False, True])
def test_convolution_with_thresholds(layout: str, pool: bool) -> None:
    net = Net((1, 2, 6, 6))
    value = net.add("Conv", "x", net.const(RNG.integers(-3, 4, (3, 2, 3, 3))), pads=[1] * 4)
    if pool:
        value = net.add("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    attributes: dict[str, Any] = {"data_layout": layout} if layout else {}
    value = net.add(
        "MultiThreshold", value, net.const(thresholds(3, 7)), domain=QONNX, **attributes
    )
    value = net.add("Conv", value, net.const(RNG.integers(-3, 4, (4, 3, 3, 3))))
    assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (2, 6, 6)))


def test_channels_last() -> None:
    net = Net((1, 4, 4, 3))
    value = net.add(
        "MultiThreshold",
        *("x", net.const(thresholds(3, 7))),
        domain=QONNX,
        data_layout="NHWC",
        out_bias=-4.0,
    )
    assert_lifts_exactly(net.model(value), "int5", frames_for("int5", (4, 4, 3)))


def test_a_layout_of_another_rank_is_refused() -> None:
    net = Net((1, 6))
    levels = net.const(thresholds(1, 2))
    value = net.add("MultiThreshold", "x", levels, domain=QONNX, data_layout="NCHW")
    assert "data_layout 'NCHW' for an activation with 2 axes" in refusal(net.model(value))


MODES = ["FLOOR", "ROUND", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("zero", [0.0, 4.0])
def test_trunc_drops_bits(mode: str, zero: float) -> None:
    net = Net((1, 3))
    operands = (net.const(0.5), net.const(zero), net.const(8.0), net.const(4.0))
    value = net.add("Trunc", "x", *operands, domain=QONNX, rounding_mode=mode)
    # Without a quantizer in front, nothing bounds a float input.
    assert "nothing bounds the value that is truncated" in refusal(net.model(value))
    net = Net((1, 3))
    bounded = net.add("Clip", "x", net.const(-200), net.const(200))
    operands = (net.const(0.5), net.const(zero), net.const(8.0), net.const(4.0))
    value = net.add("Trunc", bounded, *operands, domain=QONNX, rounding_mode=mode)
    assert_lifts_exactly(net.model(value), "int9", every_integer("int9", 3))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("signed", "narrow"), [(1, 0), (1, 1), (0, 0)])
def test_trunc_with_an_output_scale(mode: str, signed: int, narrow: int) -> None:
    net = Net((1, 3))
    operands = (0.5, 4.0, 8.0, 4.0, 4.0)
    value = net.add(
        "Trunc",
        *("x", *(net.const(x) for x in operands)),
        domain=QONNX,
        rounding_mode=mode,
        signed=signed,
        narrow=narrow,
    )
    assert_lifts_exactly(net.model(value), "int9", every_integer("int9", 3))


def test_trunc_of_an_average_pool() -> None:
    # As Brevitas writes a truncated average pool.
    net = Net((1, 2, 4, 4))
    quantized = (net.const(0.25), net.const(0.0), net.const(4.0))
    value = net.add("Quant", "x", *quantized, domain=QONNX, signed=0, narrow=0)
    value = net.add("AveragePool", value, kernel_shape=[2, 2], strides=[2, 2])
    operands = (net.const(0.0625), net.const(0.0), net.const(6.0), net.const(4.0))
    value = net.add("Trunc", value, *operands, domain=QONNX)
    value = net.add("Flatten", value)
    value = net.add("MatMul", value, net.const(RNG.integers(-3, 4, (8, 3))))
    assert_lifts_exactly(net.model(value), "int8/16", frames_for("int8", (2, 4, 4), 100))
