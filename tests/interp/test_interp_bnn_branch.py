"""Sums, joins, slices and upsampling compute what NumPy and ONNX's reference compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from irc.interp.run import run_module

Array = npt.NDArray[Any]

QUIET = settings(max_examples=60, deadline=None, derandomize=True)


def run_op(
    make: Callable[[Sequence[SSAValue]], Operation],
    inputs: Sequence[Array],
    types: Sequence[Attribute],
) -> Array:
    """The result of the one operation that `make` returns for values of these element types."""
    block = Block(
        arg_types=[TensorType(t, x.shape[1:]) for t, x in zip(types, inputs, strict=True)]
    )
    op = make(block.args)
    block.add_ops([op, ReturnOp(op.results[0])])
    signature = [arg.type for arg in block.args], [op.results[0].type]
    module = ModuleOp([FuncOp("f", signature, Region(block))])
    module.verify()
    (result,) = run_module(module, list(inputs))
    return result


def run_onnx(op_type: str, x: Array, *constants: Array, **attributes: Any) -> Array:
    """What ONNX's reference evaluator gives for one node."""
    inputs = [x, *constants]
    names = [f"x{i}" if a.size else "" for i, a in enumerate(inputs)]
    given_ = [(n, a) for n, a in zip(names, inputs, strict=True) if n]
    graph = helper.make_graph(
        [helper.make_node(op_type, names, ["y"], **attributes)],
        "g",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in given_
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    evaluator: Any = ReferenceEvaluator(model)
    (result,) = evaluator.run(None, dict(given_))
    return np.asarray(result)


@QUIET
@given(st.integers(0, 2**16), st.sampled_from([None, 1, 5]))
def test_sum_of_exact_values(seed: int, columns: int | None) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 16, (3, 2, 5))
    b = (2 * rng.integers(0, 2, (3, 2, 5)) - 1).astype(np.int8)
    p = None if columns is None else rng.integers(-(2**40), 2**40, (2, columns))
    attribute = None if p is None else bnn.DenseAttr.from_integers(p)
    found = run_op(
        lambda v: bnn.AddOp(v[0], v[1], bnn.sint(60), attribute), [a, b], [bnn.uint(4), bnn.bipolar]
    )
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, a + b if p is None else p[0] * a + p[1] * b)


def test_sum_of_floats_is_one_float32_addition() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(4, 3)) * 1000).astype(np.float32), np.full((4, 3), 1e-3, np.float32)
    found = run_op(lambda v: bnn.AddOp(v[0], v[1], f32), [a, b], [f32, f32])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, run_onnx("Add", a, b))


def test_value_added_to_itself() -> None:
    x = np.array([[-1, 1]], np.int8)
    found = run_op(lambda v: bnn.AddOp(v[0], v[0], bnn.sint(3)), [x], [bnn.bipolar])
    assert found.tolist() == [[-2, 2]]


def test_sum_of_frames_that_are_one_number() -> None:
    multipliers = bnn.DenseAttr.from_integers([[3], [-2]])
    found = run_op(
        lambda v: bnn.AddOp(v[0], v[1], bnn.sint(8), multipliers),
        [np.array([1, 2]), np.array([5, 7])],
        [bnn.uint(4), bnn.uint(4)],
    )
    assert found.tolist() == [-7, -8]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concat(axis: int) -> None:
    rng = np.random.default_rng(axis)
    parts: list[Array] = []
    for size in (2, 1, 3):
        shape = [4, 2, 3, 5]
        shape[axis + 1] = size
        parts.append(rng.integers(0, 4, shape))
    found = run_op(lambda v: bnn.ConcatOp(v, axis), parts, [bnn.uint(2)] * 3)
    floats = [part.astype(np.float32) for part in parts]
    np.testing.assert_array_equal(found, run_onnx("Concat", *floats, axis=axis + 1))


@st.composite
def slices(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], list[int]]:
    """A shape, and offsets, sizes and strides that stay within it."""
    rank = draw(st.integers(1, 3))
    offsets = [draw(st.integers(0, 3)) for _ in range(rank)]
    sizes = [draw(st.integers(1, 4)) for _ in range(rank)]
    strides = [draw(st.integers(1, 3)) for _ in range(rank)]
    shape = [
        o + (n - 1) * s + 1 + draw(st.integers(0, 3))
        for o, n, s in zip(offsets, sizes, strides, strict=True)
    ]
    return shape, offsets, sizes, strides


@QUIET
@given(slices(), st.integers(0, 2**16))
def test_slice(case: tuple[list[int], list[int], list[int], list[int]], seed: int) -> None:
    shape, offsets, sizes, strides = case
    x = np.random.default_rng(seed).integers(-8, 8, (2, *shape))
    found = run_op(lambda v: bnn.SliceOp(v[0], offsets, sizes, strides), [x], [bnn.sint(4)])
    ends = [o + (n - 1) * s + 1 for o, n, s in zip(offsets, sizes, strides, strict=True)]
    axes = range(1, len(shape) + 1)
    constants = [np.array(values, np.int64) for values in (offsets, ends, axes, strides)]
    expected = run_onnx("Slice", x.astype(np.float32), *constants)
    np.testing.assert_array_equal(found, expected)


@QUIET
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 2**16))
def test_upsample_is_the_nearest_neighbour(factors: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 8, (2, *rng.integers(1, 4, len(factors))))
    found = run_op(lambda v: bnn.UpsampleOp(v[0], factors), [x], [bnn.sint(4)])
    expected = run_onnx(
        "Resize",
        x.astype(np.float32),
        np.zeros(0, np.float32),
        np.array([1, *factors], np.float32),
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    np.testing.assert_array_equal(found, expected)


def test_bipolar_stays_bipolar() -> None:
    x = np.array([[[-1, 1], [1, 1]]], np.int8)
    found = run_op(lambda v: bnn.UpsampleOp(v[0], [2, 1]), [x], [bnn.bipolar])
    assert found.dtype == np.int8
    assert found.tolist() == [[[-1, 1], [-1, 1], [1, 1], [1, 1]]]
