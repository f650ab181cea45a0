"""Convolutions, borders and pools at the packed level compute what the bnn level says."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_networks import to_packed
from random_networks import random_frames
from spatial_networks import spatial_network
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from irc.dialects import packed
from irc.interp.run import run_module


@given(
    random=st.randoms(use_true_random=False),
    word=st.sampled_from([8, 16, 32, 64]),
    products=st.sampled_from([0, 8, 64]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_packed_equals_bnn_in_space(random: Random, word: int, products: int) -> None:
    module = spatial_network(random)
    module.verify()
    frames = random_frames(module, random, 4)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word, "swar", products), [frames])
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@given(random=st.randoms(use_true_random=False), word=st.sampled_from([8, 32]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_computed_on_demand_find_their_operands_alive(random: Random, word: int) -> None:
    module = to_packed(spatial_network(random), word)
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    owner: dict[tuple[str, int], SSAValue] = {}
    for op in function.body.block.ops:
        # Lazy ops run when their reader does, and need all that they read from then on.
        if not isinstance(op, packed.KernelOp):
            continue
        read = {cell: value for value in operands_of(op) for cell in cells_of(value)}
        assert all(owner[cell] is value for cell, value in read.items())
        assert op.is_lazy or read.keys().isdisjoint(cells_of(op.output))
        owner.update(dict.fromkeys(cells_of(op.output), op.output))


def operands_of(op: packed.KernelOp) -> list[SSAValue]:
    """What an op reads, with what the lazy ops behind its operand read."""
    source = op.input.owner
    if isinstance(source, packed.KernelOp) and source.is_lazy:
        return [op.input, *operands_of(source)]
    return [op.input]


def cells_of(value: SSAValue) -> list[tuple[str, int]]:
    """The elements of the arena that a value takes; none if it lies with the caller."""
    op = value.owner
    if not isinstance(op, packed.KernelOp) or not isinstance(op.slot, packed.SlotAttr):
        return []
    slot = op.slot
    return [(slot.region.data, slot.offset + index) for index in range(op.slot_length)]
