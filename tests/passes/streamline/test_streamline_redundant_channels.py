"""Channels that a network would not miss go, and nothing else changes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dataflow_node import divisors
from irc.interp.run import run_module
from irc.passes.analysis.redundant_channels import useful_size
from irc.passes.streamline.narrow_accumulators import NarrowAccumulators
from irc.passes.streamline.remove_redundant_channels import (
    RemoveRedundantChannels,
    removed_channels,
)
from irc.passes.streamline.trim_thresholds import TrimThresholds

Array = npt.NDArray[Any]
SUM = bnn.sint(16)


class Net:
    """A network that grows at its end."""

    def __init__(self, shape: tuple[int, ...], element_type: Attribute = bnn.bipolar) -> None:
        self.block = Block(arg_types=[TensorType(element_type, shape)])
        self.value: SSAValue = self.block.args[0]

    def add(self, op: Operation) -> Net:
        self.block.add_op(op)
        self.value = op.results[0]
        return self

    def weigh(self, weights: Array, element_type: Attribute = bnn.bipolar) -> Net:
        """A `bnn.linear`, or a `bnn.conv` for weights of four axes."""
        attribute = bnn.DenseAttr.from_numpy(weights, element_type)
        if weights.ndim == 2:
            return self.add(bnn.LinearOp(self.value, attribute, SUM))
        return self.add(bnn.ConvOp(self.value, attribute, SUM, (1, 1), (1, 1)))

    def threshold(self, at: Array, element_type: Attribute = bnn.bipolar, bias: int = 0) -> Net:
        attribute = bnn.DenseAttr.from_integers(at)
        return self.add(bnn.ThresholdOp(self.value, attribute, element_type, bias))

    def module(self) -> ModuleOp:
        self.block.add_op(ReturnOp(self.value))
        kinds = FunctionType.from_lists([self.block.args[0].type], [self.value.type])
        return ModuleOp([FuncOp("net", kinds, Region(self.block))])


def shrunk(module: ModuleOp, frames: Array, any_size: bool = True) -> ModuleOp:
    """The module after the pass, which changes no result, and leaves types to narrow."""
    expected = run_module(module, [frames])
    for module_pass in (RemoveRedundantChannels(any_size), TrimThresholds(), NarrowAccumulators()):
        module_pass.apply(Context(), module)
        module.verify()
        for before, after in zip(expected, run_module(module, [frames]), strict=True):
            np.testing.assert_array_equal(after, before)
    return module


def rows(module: ModuleOp) -> list[int]:
    """The rows of each layer."""
    return [
        op.weights.shape[0] for op in module.walk() if isinstance(op, bnn.LinearOp | bnn.ConvOp)
    ]


def signs(rng: np.random.Generator, *shape: int) -> Array:
    return rng.choice(np.array([-1, 1], np.int8), shape)


def dense(at: Array, first: Array, second: Array, kind: Attribute) -> tuple[ModuleOp, Array]:
    """Two layers with thresholds, and frames."""
    net = Net((first.shape[1],)).weigh(first).threshold(at)
    net.weigh(second, kind).threshold(np.zeros((len(second), 1), np.int64))
    return net.module(), signs(np.random.default_rng(1), 40, first.shape[1])


def test_constant_channels_move_into_the_next_thresholds() -> None:
    rng = np.random.default_rng(0)
    at = np.array([[0], [9], [1], [-8], [2]])
    module, frames = dense(at, signs(rng, 5, 8), signs(rng, 4, 5), bnn.bipolar)
    shrunk(module, frames)
    assert rows(module) == [3, 4]
    assert removed_channels(module) == {"bnn.linear": "2 of 5 channels: 2 constant"}


def test_a_constant_stays_where_no_threshold_takes_it() -> None:
    rng = np.random.default_rng(0)
    net = Net((6,)).weigh(signs(rng, 3, 6)).threshold(np.array([[0], [9], [1]]))
    module = net.weigh(signs(rng, 2, 3)).module()
    assert rows(shrunk(module, signs(rng, 10, 6))) == [3, 2]


def test_unread_channels_go_and_those_before_that_they_alone_read() -> None:
    rng = np.random.default_rng(0)
    first, middle = signs(rng, 4, 6), rng.integers(-1, 2, (3, 4))
    middle[:, 2] = 0
    middle[1] = [0, 1, 0, 0]
    middle[[0, 2], 1] = 0
    last = np.array([[1, 0, -1], [1, 0, 1]])
    net = Net((6,)).weigh(first).threshold(np.zeros((4, 1), np.int64))
    net.weigh(middle, bnn.sint(2)).threshold(np.zeros((3, 1), np.int64))
    module = net.weigh(last, bnn.sint(2)).module()
    shrunk(module, signs(rng, 30, 6))
    assert rows(module) == [2, 2, 2]


def test_doubled_channels_are_added_up_where_weights_stay_as_narrow() -> None:
    rng = np.random.default_rng(0)
    first, at = signs(rng, 4, 8), np.zeros((4, 1), np.int64)
    first[3] = first[1]
    module, frames = dense(at, first, rng.integers(-3, 4, (5, 4)), bnn.sint(4))
    assert rows(shrunk(module, frames)) == [3, 5]
    # +1 and +1 are no bipolar weight.
    module, frames = dense(at, first, signs(rng, 5, 4), bnn.bipolar)
    assert rows(shrunk(module, frames)) == [4, 5]
    # Other thresholds make other channels.
    module, frames = dense(np.arange(4)[:, None], first, np.ones((5, 4)), bnn.sint(4))
    assert rows(shrunk(module, frames)) == [4, 5]


@pytest.mark.parametrize(("border", "left"), [(1.0, 3), (-1.0, 4)])
def test_a_constant_image_goes_if_its_border_is_alike(border: float, left: int) -> None:
    rng = np.random.default_rng(0)
    net = Net((4, 4, 2)).weigh(signs(rng, 4, 2, 2, 2))
    net.threshold(np.array([[0], [-9], [1], [2]]))
    net.add(bnn.MaxPoolOp(net.value, (2, 2), (1, 1), (1, 1), bnn.bipolar))
    net.add(bnn.PadOp(net.value, (1, 1), (1, 1), border, bnn.bipolar))
    net.weigh(signs(rng, 3, 2, 2, 4)).threshold(np.zeros((1, 1), np.int64))
    net.add(bnn.ReshapeOp(net.value, (27,)))
    module = net.weigh(signs(rng, 2, 27)).module()
    assert rows(shrunk(module, signs(rng, 12, 4, 4, 2)))[0] == left


def test_a_layer_keeps_a_number_of_channels_that_folds_as_well() -> None:
    assert useful_size(64, 7) == 64
    assert useful_size(64, 8) == 56
    assert useful_size(64, 20) == 48
    assert useful_size(4, 2) == 2
    assert useful_size(10, 2) == 8
    assert useful_size(7, 3) == 4
    assert useful_size(10, 10) == 1
    for channels in range(1, 80):
        for removable in range(channels + 1):
            size = useful_size(channels, removable)
            assert max(1, channels - removable) <= size <= channels
            for width in divisors(channels):
                fewest = min(size // w for w in divisors(size) if w <= width)
                assert fewest <= channels // width


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from(["bipolar", "ternary", "wide"]))
@settings(
    deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
def test_whatever_goes_no_result_changes(seed: int, any_size: bool, kind: str) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 4).tolist()
    multi = bool(rng.integers(2))
    net = Net((int(sizes[0]),))
    for columns, count in pairwise(sizes):
        element_type: Attribute = bnn.bipolar
        weights = signs(rng, count, columns)
        if kind != "bipolar":
            limit = 1 if kind == "ternary" else 3
            weights = rng.integers(-limit, limit + 1, (count, columns))
            weights[:, rng.random(columns) < 0.2] = 0
            element_type = bnn.sint(limit + 1)
        if rng.random() < 0.5:
            weights[-1] = weights[0]
        net.weigh(weights, element_type)
        levels = 3 if multi else 1
        at = np.sort(rng.integers(-columns - 2, columns + 3, (count, levels)), axis=1)
        if rng.random() < 0.3:
            at[-1] = at[0]
        kept = at[: 1 if rng.random() < 0.2 else count]
        net.threshold(kept, bnn.uint(2) if multi else bnn.bipolar)
    if rng.random() < 0.5:
        net.weigh(signs(rng, 2, sizes[-1]))
    shrunk(net.module(), signs(rng, 30, sizes[0]), any_size)
