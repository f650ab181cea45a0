"""The packed level computes what the bnn level says, on random networks."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_networks import to_packed
from random_networks import random_frames, random_network
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn, packed
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
    module = to_packed(random_network(random), word)
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    sizes = function.attributes[packed.ARENA]
    assert isinstance(sizes, DictionaryAttr)
    owner: dict[tuple[str, int], SSAValue] = {}
    for op in function.body.block.ops:
        for value in op.operands:
            assert all(owner[cell] is value for cell in cells_of(value))
        read = {cell for value in op.operands for cell in cells_of(value)}
        for value in op.results:
            # A kernel still reads while it writes.
            assert read.isdisjoint(cells_of(value))
            owner.update(dict.fromkeys(cells_of(value), value))
    used = dict.fromkeys(sizes.data, 0)
    for region, cell in owner:
        used[region] = max(used[region], cell + 1)
    assert used == {
        region: size.value.data
        for region, size in sizes.data.items()
        if isinstance(size, IntegerAttr)
    }


def cells_of(value: SSAValue) -> list[tuple[str, int]]:
    """The elements of the arena that a value takes; none if it lies with the caller."""
    if not isinstance(value.owner, packed.KernelOp):
        return []
    slot = value.owner.slot
    assert slot is not None
    if not isinstance(slot, packed.SlotAttr):
        return []
    length = packed.buffer_type(value).length
    return [(slot.region.data, slot.offset + index) for index in range(length)]
