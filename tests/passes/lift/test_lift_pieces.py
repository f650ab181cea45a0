"""Concat, Split, Slice, Gather, Tile and Expand move what ONNX Runtime moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lift_models import Net
from lift_nodes import assert_same_floats, count_ops, lifted_only, normal_frames, refused
from onnx import TensorProto

SHAPE = (1, 5, 4, 6)
FRAMES = normal_frames(5, 4, 6)

QUIET = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concat(axis: int) -> None:
    net = Net(SHAPE)
    value = net.add("Concat", "x", net.add("Neg", "x"), "x", axis=axis)
    module = assert_same_floats(net.model(value), FRAMES)
    assert count_ops(module, "bnn.concat") == 1


@pytest.mark.parametrize("constant", ["zero", "one", "channels", "pixels"])
@pytest.mark.parametrize("axis", [1, 3])
def test_concat_with_a_constant(axis: int, constant: str) -> None:
    shape = [*SHAPE]
    shape[axis] = 13
    values = np.random.default_rng(0).normal(size=shape)
    if constant == "channels":
        values = np.broadcast_to(values[:, :, :1, :1], shape)
    elif constant != "pixels":
        values = np.full(shape, constant == "one", np.float32)
    net = Net(SHAPE)
    assert_same_floats(net.model(net.add("Concat", net.const(values), "x", axis=axis)), FRAMES)


def test_concat_of_integers_and_their_sums() -> None:
    net = Net((1, 4), dtype=TensorProto.UINT8)
    wide = net.add("Cast", "x", to=TensorProto.INT32)
    value = net.add("Concat", wide, net.add("Mul", wide, net.const(3, np.int32)), axis=1)
    value = net.add("Cast", value, to=TensorProto.FLOAT)
    assert_same_floats(net.model(value), np.arange(256, dtype=np.uint8).reshape(-1, 4))


def test_concat_along_the_batch() -> None:
    net = Net(SHAPE)
    assert "axis 0 is the batch" in refused(net.model(net.add("Concat", "x", "x", axis=0)))


def split(opset: int, sizes: list[int] | None, axis: int, outputs: int, **more: Any) -> Net:
    """A network that joins the parts again, in another order and some negated."""
    net = Net(SHAPE, opset)
    inputs = ["x"]
    if sizes is not None and opset >= 13:
        inputs.append(net.const(sizes, np.int64))
    elif sizes is not None:
        more["split"] = sizes
    first = net.add("Split", *inputs, outputs=outputs, axis=axis, **more)
    parts = [first, *(f"{first}_{index}" for index in range(1, outputs))]
    net.add("Concat", net.add("Neg", parts[-1]), *parts[:-1], axis=axis)
    return net


@pytest.mark.parametrize("opset", [2, 11, 13, 18])
@pytest.mark.parametrize(("axis", "sizes"), [(1, [2, 3]), (2, [1, 1, 2]), (-1, [4, 1, 1])])
def test_split_by_sizes(opset: int, axis: int, sizes: list[int]) -> None:
    axis = axis if opset >= 11 else axis % 4
    net = split(opset, sizes, axis, len(sizes))
    module = assert_same_floats(net.model(net.nodes[-1].output[0]), FRAMES)
    assert count_ops(module, "bnn.slice") == len(sizes)


@pytest.mark.parametrize("opset", [2, 13])
def test_split_in_equal_parts(opset: int) -> None:
    net = split(opset, None, 3, 3)
    assert_same_floats(net.model(net.nodes[-1].output[0]), FRAMES)


@pytest.mark.parametrize(("axis", "count"), [(3, 3), (1, 2), (1, 3), (1, 5)])
def test_split_by_a_number_of_parts(axis: int, count: int) -> None:
    net = split(18, None, axis, count, num_outputs=count)
    assert_same_floats(net.model(net.nodes[-1].output[0]), FRAMES)


def test_parts_that_nobody_reads() -> None:
    net = Net(SHAPE, 13)
    net.add("Split", "x", net.const([1, 2, 2], np.int64), outputs=3, axis=1)
    module = assert_same_floats(net.model("n0_1"), FRAMES)
    assert count_ops(module, "bnn.slice") == 1


def test_split_of_the_batch() -> None:
    net = Net((2, 4), 13)
    net.add("Split", "x", outputs=2, axis=0)
    assert "axis 0 is the batch" in refused(net.model("n0"))


@st.composite
def slices(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], list[int]]:
    """Starts, ends, axes and steps that keep something of every axis."""
    axes = draw(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=3, unique=True))
    starts: list[int] = []
    ends: list[int] = []
    for axis in axes:
        size = SHAPE[axis]
        first = draw(st.integers(0, size - 1))
        last = draw(st.integers(first + 1, size))
        starts.append(draw(st.sampled_from([first, first - size])))
        choices = [last, last - size] if last < size else [size, 2**31 - 1, 2**62]
        ends.append(draw(st.sampled_from(choices)))
    signed = [draw(st.sampled_from([axis, axis - 4])) for axis in axes]
    return starts, ends, signed, [draw(st.integers(1, 3)) for _ in axes]


@QUIET
@given(slices(), st.sampled_from([1, 10, 13]))
def test_slice(bounds: tuple[list[int], list[int], list[int], list[int]], opset: int) -> None:
    starts, ends, axes, steps = bounds
    net = Net(SHAPE, max(opset, 7))
    if opset < 10:
        axes = [axis % 4 for axis in axes]
        value = net.add("Slice", "x", starts=starts, ends=ends, axes=axes)
    else:
        constants = [net.const(numbers, np.int64) for numbers in (starts, ends, axes, steps)]
        value = net.add("Slice", "x", *constants)
    assert_same_floats(net.model(value), FRAMES)


def sliced(*numbers: int) -> Net:
    net = Net(SHAPE)
    net.add("Slice", "x", *(net.const([n], np.int64) for n in numbers))
    return net


def test_slice_of_everything_is_nothing() -> None:
    for numbers in ((0, 2**31, 0, 1), (0, 2**31, 1, 1), (-9, 5, 1)):
        assert count_ops(lifted_only(sliced(*numbers).model("n0")), "bnn.slice") == 0


def test_slices_of_axes_that_are_not_named() -> None:
    net = Net((1, 4, 3))
    starts, ends = (net.const(numbers, np.int64) for numbers in ([0, 1], [1, 3]))
    assert_same_floats(net.model(net.add("Slice", "x", starts, ends)), normal_frames(4, 3))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((-1, -9, 3, -1), "step -1 along axis 3 reverses the order"),
        ((2, 2, 3, 1), "no element from 2 to 2 along axis 3 is left"),
        ((0, 0, 0, 1), "axis 0 is the batch"),
    ],
)
def test_slices_that_are_refused(numbers: tuple[int, ...], message: str) -> None:
    assert message in refused(sliced(*numbers).model("n0"))


@pytest.mark.parametrize(
    ("indices", "slices"),
    [([1, 2, 3], 1), ([0, 2, 4], 1), ([4], 1), ([-1], 1), ([3, 1, 4, 1], 3), (2, 1), ([[0, 1]], 1)],
)
def test_gather(indices: Any, slices: int) -> None:
    net = Net(SHAPE)
    value = net.add("Gather", "x", net.const(indices, np.int64), axis=1)
    module = lifted_only(net.model(value))
    assert count_ops(module, "bnn.slice") == slices
    assert_same_floats(net.model(value), FRAMES)


@QUIET
@given(st.lists(st.integers(-6, 5), min_size=1, max_size=9))
def test_gather_of_any_indices(indices: list[int]) -> None:
    net = Net(SHAPE)
    value = net.add("Gather", "x", net.const(indices, np.int64), axis=3)
    assert_same_floats(net.model(value), FRAMES)


@pytest.mark.parametrize(
    ("indices", "axis", "message"),
    [
        ([0], 0, "axis 0 is the batch"),
        (np.random.default_rng(0).permutation(300), 1, "in no order that 64 slices could give"),
    ],
)
def test_gathers_that_are_refused(indices: Any, axis: int, message: str) -> None:
    net = Net((1, 300))
    value = net.add("Gather", "x", net.const(indices, np.int64), axis=axis)
    assert message in refused(net.model(value))


@pytest.mark.parametrize("repeats", [[1, 1, 2, 1], [1, 3, 1, 2], [1, 1, 1, 1]])
def test_tile(repeats: list[int]) -> None:
    net = Net(SHAPE)
    value = net.add("Tile", "x", net.const(repeats, np.int64))
    assert_same_floats(net.model(value), FRAMES)


def test_expand() -> None:
    net = Net((1, 3, 1, 4))
    value = net.add("Expand", "x", net.const([1, 3, 5, 4], np.int64))
    assert_same_floats(net.model(value), normal_frames(3, 1, 4))
    net = Net((1, 4))
    value = net.add("Expand", "x", net.const([1, 5, 4], np.int64))
    assert "adds axes" in refused(net.model(value))


def test_what_several_operators_read() -> None:
    net = Net(SHAPE)
    halves = net.add("Split", net.add("Neg", "x"), outputs=2, axis=3)
    value = net.add("Concat", f"{halves}_1", halves, axis=3)
    module = assert_same_floats(net.model(value), FRAMES)
    assert count_ops(module, "bnn.ewise") == 1
