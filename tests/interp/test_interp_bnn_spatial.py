"""Convolutions, pools and borders give what ONNX's own reference gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.interp.bnn_spatial import convolve
from irc.interp.run import run_module

Array = npt.NDArray[Any]

QUIET = settings(max_examples=60, deadline=None, derandomize=True)


def channels_last(x: Array) -> Array:
    return np.moveaxis(x, 1, -1)


def run_op(make: Callable[[SSAValue], Operation], x: Array, element_type: Attribute) -> Array:
    """The result of the one operation that `make` returns, on frames [N, …space, C]."""
    block = Block(arg_types=[TensorType(element_type, x.shape[1:])])
    op = make(block.args[0])
    block.add_ops([op, ReturnOp(op.results[0])])
    types = [arg.type for arg in block.args], [op.results[0].type]
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    (result,) = run_module(module, [x])
    return result


def run_onnx(op_type: str, x: Array, *constants: Array, **attributes: Any) -> Array:
    """The same of ONNX, on [N, C, …space]."""
    inputs = [x, *constants]
    names = [f"x{i}" for i in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node(op_type, names, ["y"], **attributes)],
        "g",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in zip(names, inputs, strict=True)
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    evaluator: Any = ReferenceEvaluator(model)
    (result,) = evaluator.run(None, dict(zip(names, inputs, strict=True)))
    return np.asarray(result)


@st.composite
def windows(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], list[int]]:
    """Space, kernel, strides and dilations of one or two axes; a window fits."""
    rank = draw(st.integers(1, 2))
    kernel = [draw(st.integers(1, 4)) for _ in range(rank)]
    strides = [draw(st.integers(1, 3)) for _ in range(rank)]
    dilations = [draw(st.integers(1, 3)) for _ in range(rank)]
    space = [
        d * (k - 1) + 1 + draw(st.integers(0, 5)) for k, d in zip(kernel, dilations, strict=True)
    ]
    return space, kernel, strides, dilations


@QUIET
@given(windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**16))
def test_conv_of_integers(window: Any, groups: int, rows: int, channels: int, seed: int) -> None:
    space, kernel, strides, dilations = window
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 8, (3, groups * channels, *space))
    weights = rng.integers(-8, 8, (groups * rows, channels, *kernel))
    expected = run_onnx(
        "Conv",
        x.astype(np.float32),
        weights.astype(np.float32),
        strides=strides,
        dilations=dilations,
        group=groups,
    )
    attribute = bnn.DenseAttr.from_numpy(channels_last(weights), bnn.sint(4))
    found = run_op(
        lambda v: bnn.ConvOp(v, attribute, bnn.sint(16), strides, dilations, groups),
        channels_last(x),
        bnn.sint(4),
    )
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, channels_last(expected))


@QUIET
@given(windows(), st.integers(1, 3), st.integers(0, 2**16))
def test_conv_of_floats_with_scales_and_offsets(window: Any, channels: int, seed: int) -> None:
    space, kernel, strides, dilations = window
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, channels, *space)).astype(np.float32)
    signs = (2 * rng.integers(0, 2, (4, channels, *kernel)) - 1).astype(np.float32)
    scales, offsets = rng.normal(size=(2, 4)).astype(np.float32)
    expected = run_onnx(
        "Conv",
        x,
        signs * scales.reshape(4, 1, *(1 for _ in kernel)),
        offsets,
        strides=strides,
        dilations=dilations,
    )
    attribute = bnn.DenseAttr.from_numpy(channels_last(signs), bnn.bipolar)
    found = run_op(
        lambda v: bnn.ConvOp(
            v,
            attribute,
            f32,
            strides,
            dilations,
            scales=bnn.DenseAttr.from_floats(scales),
            offsets=bnn.DenseAttr.from_floats(offsets),
        ),
        channels_last(x),
        f32,
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, channels_last(expected), rtol=1e-4, atol=1e-4)


@QUIET
@given(windows(), st.integers(1, 3), st.integers(0, 2**16))
def test_pools(window: Any, channels: int, seed: int) -> None:
    space, kernel, strides, dilations = window
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 8, (3, channels, *space))
    settings_ = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
    expected = run_onnx("MaxPool", x.astype(np.float32), **settings_)
    frames = channels_last(x)
    largest = run_op(
        lambda v: bnn.MaxPoolOp(v, kernel, strides, dilations, bnn.sint(4)), frames, bnn.sint(4)
    )
    np.testing.assert_array_equal(largest, channels_last(expected))
    # A sum is a depthwise convolution with ones.
    ones = np.ones((channels, 1, *kernel), np.float32)
    settings_["group"] = channels
    expected = run_onnx("Conv", x.astype(np.float32), ones, **settings_)
    total = run_op(
        lambda v: bnn.SumPoolOp(v, kernel, strides, dilations, bnn.sint(10)), frames, bnn.sint(4)
    )
    np.testing.assert_array_equal(total, channels_last(expected))


def test_max_pool_of_bits_is_their_or() -> None:
    x = np.array([[[-1], [-1]], [[-1], [1]], [[1], [1]]], np.int8)
    found = run_op(lambda v: bnn.MaxPoolOp(v, [2], [1], [1], bnn.bipolar), x, bnn.bipolar)
    assert found.dtype == np.int8
    assert found.reshape(-1).tolist() == [-1, 1, 1]


@pytest.mark.parametrize(
    ("value", "source", "result"),
    [
        (0, bnn.bipolar, bnn.sint(2)),
        (-1, bnn.bipolar, bnn.bipolar),
        (1, bnn.bipolar, bnn.bipolar),
        (-2, bnn.uint(4), bnn.sint(5)),
        (0.5, f32, f32),
    ],
)
def test_pad(value: float, source: Attribute, result: Attribute) -> None:
    x = np.ones((2, 3, 2, 4))
    x = x.astype(np.float32 if source == f32 else np.int64)
    found = run_op(lambda v: bnn.PadOp(v, [1, 0], [0, 2], value, result), x, source)
    pads = np.array([0, 0, 1, 0, 0, 0, 0, 2])
    nchw = np.moveaxis(x, -1, 1).astype(np.float32)
    expected = run_onnx("Pad", nchw, pads, np.array(value, np.float32))
    np.testing.assert_array_equal(found, channels_last(expected))


def test_depthwise_takes_no_longer_for_its_groups() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, (4, 16, 16, 512))
    depthwise, few = rng.integers(-8, 8, (512, 3, 3, 1)), rng.integers(-8, 8, (8, 3, 3, 512))
    times: list[float] = []
    for weights, groups in ((few, 1), (depthwise, 512)):
        convolve(x, weights, (1, 1), (1, 1), groups)
        start = time.perf_counter()
        convolve(x, weights, (1, 1), (1, 1), groups)
        times.append(time.perf_counter() - start)
    # Both multiply each input element 72 and 9 times; a loop over groups would take 100 times.
    assert times[1] < 20 * times[0]
