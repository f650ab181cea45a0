"""The packed level computes what the bnn level says, on random networks."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from arena_checks import check_arena
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_networks import to_packed
from random_networks import random_frames, random_network
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from irc.dialects import bnn
from irc.errors import UnsupportedError
from irc.interp.run import run_module

FRAMES = 6


@given(
    random=st.randoms(use_true_random=False),
    word=st.sampled_from([8, 16, 32, 64]),
    products=st.sampled_from([0, 8, 64]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_packed_equals_bnn(random: Random, word: int, products: int) -> None:
    module = random_network(random)
    module.verify()
    frames = random_frames(module, random, FRAMES)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word, "swar", products), [frames])
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_a_threshold_without_levels_is_a_constant() -> None:
    none = bnn.DenseAttr.from_numpy(np.zeros((1, 0), np.int64), bnn.sint(2))
    block = Block(arg_types=[TensorType(bnn.uint(8), [3])])
    constant = bnn.ThresholdOp(block.args[0], none, bnn.uint(3), bias=5)
    block.add_ops([constant, ReturnOp(constant.output)])
    types = (block.arg_types, [constant.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    got = run_module(to_packed(module), [np.array([[0, 100, 255]])])[0]
    assert got.tolist() == [[5, 5, 5]]


def test_sums_beyond_64_bits_are_refused() -> None:
    weights = bnn.DenseAttr.from_numpy(np.full((1, 2), 2**40), bnn.sint(42))
    block = Block(arg_types=[TensorType(bnn.sint(24), [2])])
    linear = bnn.LinearOp(block.args[0], weights, bnn.sint(64))
    block.add_ops([linear, ReturnOp(linear.output)])
    module = ModuleOp([FuncOp("net", (block.arg_types, [linear.output.type]), Region(block))])
    with pytest.raises(UnsupportedError, match="more than 64-bit integers hold"):
        to_packed(module)


@given(random=st.randoms(use_true_random=False), word=st.sampled_from([8, 32]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_buffer_is_overwritten_before_its_last_reader(random: Random, word: int) -> None:
    check_arena(to_packed(random_network(random), word))
