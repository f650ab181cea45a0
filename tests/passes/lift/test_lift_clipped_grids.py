"""Rounding, scaling and clipping in any order are one quantizer."""

from __future__ import annotations

import numpy as np
import pytest
from lift_models import Net, assert_lifts_exactly, every_integer, frames_for
from lift_nodes import assert_same_floats, lifted_only, normal_frames
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import bnn

RNG = np.random.default_rng(2)


def functions(module: ModuleOp) -> list[str]:
    return [op.fn.data for op in module.walk() if isinstance(op, bnn.EwiseOp)]


@pytest.mark.parametrize("op_type", ["Round", "Floor", "Ceil"])
@pytest.mark.parametrize(
    ("scale", "bounds"), [(15.0, (0, 1)), (-7.0, (0, 1)), (8.0, (-1, 0.875)), (2.5, (-2, 2))]
)
def test_round_scale_clip(op_type: str, scale: float, bounds: tuple[float, float]) -> None:
    """The clip goes in front of the scale, whichever way the scale falls; no bit changes."""
    net = Net((1, 4))
    value = net.add(op_type, net.add("Mul", "x", net.const(scale)))
    value = net.add("Div", value, net.const(scale))
    value = net.add("Clip", value, *map(net.const, bounds))
    frames = np.concatenate([normal_frames(4, count=200), every_integer("int4", 4) / 8])
    module = assert_same_floats(net.model(value), frames.astype(np.float32))
    order = functions(module)
    assert order.index("max") < order.index("div")


def test_offsets_behind_the_scale() -> None:
    net = Net((1, 4))
    value = net.add("Floor", net.add("Mul", "x", net.const(4)))
    value = net.add("Add", net.add("Mul", value, net.const(0.25)), net.const(0.125))
    value = net.add("Clip", value, net.const(-0.875), net.const(0.875))
    module = assert_same_floats(net.model(value), normal_frames(4, count=200))
    assert functions(module)[:4] == ["mul", "floor", "max", "min"]


@pytest.mark.parametrize("bounds", [(-0.9, 0.9), (1, -1), (0, 1e9)])
def test_bounds_that_are_no_levels_stay_behind(bounds: tuple[float, float]) -> None:
    net = Net((1, 4))
    value = net.add("Round", net.add("Mul", "x", net.const(4)))
    value = net.add("Mul", value, net.const(0.25))
    value = net.add("Clip", value, *map(net.const, bounds))
    assert_same_floats(net.model(value), normal_frames(4, count=200))
    assert functions(lifted_only(net.model(value)))[:3] == ["mul", "round", "mul"]


@pytest.mark.parametrize("opset", [9, 13])
def test_whole_networks(opset: int) -> None:
    """The quantizer becomes thresholds, and the sum behind it is of integers."""
    net = Net((1, 2, 5, 5), opset)
    value = net.add("Conv", "x", net.const(RNG.integers(-2, 3, (3, 2, 3, 3))))
    value = net.add("Mul", value, net.const([[[0.125]], [[0.5]], [[-0.25]]]))
    if opset < 11:
        value = net.add("Floor", net.add("Add", value, net.const(0.5)))
        value = net.add("Mul", value, net.const(0.5))
        value = net.add("Clip", value, min=0.0, max=3.5)
    else:
        value = net.add("Mul", net.add("Round", value), net.const(0.5))
        value = net.add("Clip", value, net.const(0), net.const(3.5))
    value = net.add("MaxPool", value, kernel_shape=[2, 2])
    value = net.add("Conv", value, net.const(RNG.integers(-2, 3, (2, 3, 2, 2))))
    module = assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (2, 5, 5)))
    assert not any(isinstance(op, bnn.QuantizeOp) for op in module.walk())
