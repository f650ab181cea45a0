"""Reductions over axes of a frame give what ONNX Runtime gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from lift_models import Net
from lift_nodes import assert_same_floats, refused

SHAPE = (1, 3, 4, 5)

# Whole numbers: their sums are exact in any order.
FRAMES = np.random.default_rng(0).integers(-99, 99, (20, 3, 4, 5)).astype(np.float32)

AXES = [[*axes] for count in (1, 2, 3) for axes in combinations((1, 2, 3), count)]


def reduced(op_type: str, opset: int, axes: list[int] | None, keep: int) -> Net:
    net = Net(SHAPE, opset)
    by_input = opset >= (13 if op_type == "ReduceSum" else 18)
    if axes is None:
        net.add(op_type, "x", keepdims=keep)
    elif by_input:
        net.add(op_type, "x", net.const(axes, np.int64), keepdims=keep)
    else:
        net.add(op_type, "x", axes=axes, keepdims=keep)
    return net


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("op_type", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])
def test_axes_of_a_frame(op_type: str, axes: list[int], keep: int) -> None:
    for opset in (11, 13, 18):
        assert_same_floats(reduced(op_type, opset, axes, keep).model("n0"), FRAMES)


def test_negative_axes() -> None:
    assert_same_floats(reduced("ReduceMean", 13, [-1, -2], 0).model("n0"), FRAMES)


@pytest.mark.parametrize("shape", [(6,), (4, 6)])
@pytest.mark.parametrize("op_type", ["ReduceMean", "ReduceMax"])
def test_other_ranks(op_type: str, shape: tuple[int, ...]) -> None:
    net = Net((1, *shape))
    net.add(op_type, "x", axes=[len(shape)], keepdims=0)
    frames = np.random.default_rng(1).integers(-99, 99, (9, *shape)).astype(np.float32)
    assert_same_floats(net.model("n0"), frames)


def test_no_axes() -> None:
    net = Net(SHAPE, 18)
    net.add("ReduceMean", "x", noop_with_empty_axes=1)
    assert_same_floats(net.model("n0"), FRAMES)
    assert "is the batch" in refused(reduced("ReduceMean", 13, None, 1).model("n0"))


def test_the_batch() -> None:
    assert "axis 0 is the batch" in refused(reduced("ReduceSum", 13, [0], 1).model("n0"))


@pytest.mark.parametrize("op_type", ["ReduceL2", "ReduceProd", "ReduceLogSumExp"])
def test_reductions_that_are_refused(op_type: str) -> None:
    message = refused(reduced(op_type, 13, [2], 1).model("n0"))
    assert "only ReduceMean, ReduceSum, ReduceMax and ReduceMin are supported" in message
