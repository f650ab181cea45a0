"""Merged thresholds are the composition, on every integer, whatever the steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.interp.run import entry_function, run_module
from irc.passes.streamline.merge_thresholds import MergeThresholds

CHANNELS = 3

INPUTS = (bnn.bipolar, bnn.uint(4), bnn.sint(5))


def thresholds(draw: st.DrawFn, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    count = draw(st.integers(0, 4))
    numbers = st.lists(st.integers(-20, 20), min_size=rows * count, max_size=rows * count)
    steps = st.lists(st.integers(-3, 3), min_size=rows * count, max_size=rows * count)
    shape = (rows, count)
    return np.array(draw(numbers)).reshape(shape), np.array(draw(steps)).reshape(shape)


def threshold(draw: st.DrawFn, value: SSAValue) -> bnn.ThresholdOp:
    """To bits where the steps are those of a bit."""
    at, steps = thresholds(draw, draw(st.sampled_from((1, CHANNELS))))
    bias = draw(st.integers(-3, 3))
    as_bits = at.shape[1] == 1 and bool((steps == 1).all()) and bias == 0
    return bnn.ThresholdOp(
        value,
        bnn.DenseAttr.from_integers(at.astype(np.int64)),
        bnn.bipolar if as_bits else bnn.sint(6),
        bias,
        bnn.DenseAttr.from_integers(steps.astype(np.int64)),
    )


@st.composite
def sums(draw: st.DrawFn) -> ModuleOp:
    """`p·f(x) + q·g(x)`, or of f twice."""
    block = Block(arg_types=[TensorType(draw(st.sampled_from(INPUTS)), [CHANNELS])])
    both = [threshold(draw, block.args[0]) for _ in range(draw(st.sampled_from((1, 2, 2))))]
    multipliers = None
    if draw(st.booleans()):
        size = 2 * draw(st.sampled_from((1, CHANNELS)))
        numbers = draw(st.lists(st.integers(-3, 300), min_size=size, max_size=size))
        multipliers = bnn.DenseAttr.from_integers(np.array(numbers).reshape(2, -1))
    total = bnn.AddOp(both[0].output, both[-1].output, bnn.sint(20), multipliers)
    block.add_ops([*both, total, ReturnOp(total.output)])
    types = FunctionType.from_lists([block.args[0].type], [total.output.type])
    return ModuleOp([FuncOp("f", types, Region(block))])


@st.composite
def pairs(draw: st.DrawFn) -> ModuleOp:
    source = draw(st.sampled_from(INPUTS))
    block = Block(arg_types=[TensorType(source, [CHANNELS])])
    value = block.args[0]
    for _ in range(2):
        op = threshold(draw, value)
        block.add_op(op)
        value = op.output
    block.add_op(ReturnOp(value))
    types = FunctionType.from_lists([block.args[0].type], [value.type])
    return ModuleOp([FuncOp("f", types, Region(block))])


def assert_merges(module: ModuleOp) -> None:
    """Into at most one threshold, that gives the same for every integer."""
    module.verify()
    kind = bnn.frame_type(entry_function(module).body.block.args[0]).element_type
    low, high = element_range(kind)
    integers = np.array([-1, 1]) if kind == bnn.bipolar else np.arange(low, high + 1)
    frames = np.repeat(integers[:, None], CHANNELS, axis=1)
    (before,) = run_module(module, [frames])
    MergeThresholds().apply(Context(), module)
    module.verify()
    (after,) = run_module(module, [frames])
    assert np.array_equal(before, after)
    assert sum(isinstance(op, bnn.ThresholdOp) for op in module.walk()) <= 1


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pairs())
def test_one_threshold_does_what_two_did(module: ModuleOp) -> None:
    assert_merges(module)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sums())
def test_one_threshold_does_what_a_sum_did(module: ModuleOp) -> None:
    assert_merges(module)
    assert not any(isinstance(op, bnn.AddOp) for op in module.walk())
