"""Ranges of sums, joins, slices and upsampling hold every integer that occurs, and no bound is
loose where the operands are independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.interp.run import run_module
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.reachable import Reachable

Array = npt.NDArray[Any]

CHANNELS = 3

QUIET = settings(max_examples=40, deadline=None, derandomize=True)


class Function:
    """A function of bipolar frames, and codes of them with a range that differs by channel."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.block = Block(arg_types=[TensorType(bnn.sint(8), [2, CHANNELS])])

    def codes(self) -> SSAValue:
        """A threshold a channel, of some step: two codes each."""
        at = self.rng.integers(-9, 9, (CHANNELS, 2))
        steps = bnn.DenseAttr.from_integers(self.rng.integers(-4, 5, (CHANNELS, 2)))
        op = bnn.ThresholdOp(
            self.block.args[0],
            bnn.DenseAttr.from_integers(at),
            bnn.sint(6),
            int(self.rng.integers(-3, 4)),
            steps,
        )
        return self.emit(op)

    def emit(self, op: Any) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def check(self, value: SSAValue) -> tuple[Reachable, Array]:
        """What is said of `value`, which all of many frames obey, and its elements."""
        self.block.add_op(ReturnOp(value))
        types = [self.block.args[0].type], [value.type]
        module = ModuleOp([FuncOp("f", types, Region(self.block))])
        module.verify()
        frames = self.rng.integers(-12, 12, (500, 2, CHANNELS))
        (found,) = run_module(module, [frames])
        reachable = RangeAnalysis().of(value)
        assert reachable is not None
        assert reachable.channels in (1, found.shape[-1])
        assert (found >= reachable.low).all()
        assert (found <= reachable.high).all()
        assert not ((found - reachable.low) % reachable.step).any()
        return reachable, found.reshape(-1, found.shape[-1])


@QUIET
@given(st.integers(0, 2**16), st.sampled_from([None, 1, CHANNELS]), st.booleans())
def test_sums(seed: int, columns: int | None, same: bool) -> None:
    f = Function(seed)
    a = f.codes()
    b = a if same else f.codes()
    multipliers = None
    if columns is not None:
        multipliers = bnn.DenseAttr.from_integers(f.rng.integers(-3, 4, (2, columns)))
    reachable, found = f.check(f.emit(bnn.AddOp(a, b, bnn.sint(20), multipliers)))
    if same:
        full = reachable.expanded(CHANNELS)
        np.testing.assert_array_equal(found.min(axis=0), full.low)
        np.testing.assert_array_equal(found.max(axis=0), full.high)


@QUIET
@given(st.integers(0, 2**16), st.integers(0, 1))
def test_joins(seed: int, axis: int) -> None:
    f = Function(seed)
    reachable, found = f.check(f.emit(bnn.ConcatOp([f.codes(), f.codes()], axis)))
    full = reachable.expanded(found.shape[-1])
    np.testing.assert_array_equal(found.min(axis=0), full.low)
    np.testing.assert_array_equal(found.max(axis=0), full.high)


@QUIET
@given(st.integers(0, 2**16), st.sampled_from([([0], [2], [2]), ([1], [2], [1]), ([2], [1], [1])]))
def test_slices(seed: int, part: tuple[Sequence[int], Sequence[int], Sequence[int]]) -> None:
    f = Function(seed)
    offsets, sizes, strides = part
    op = bnn.SliceOp(f.codes(), [1, *offsets], [1, *sizes], [1, *strides])
    reachable, found = f.check(f.emit(op))
    full = reachable.expanded(found.shape[-1])
    np.testing.assert_array_equal(found.min(axis=0), full.low)
    np.testing.assert_array_equal(found.max(axis=0), full.high)


@QUIET
@given(st.integers(0, 2**16), st.integers(1, 3), st.integers(1, 3))
def test_upsampling(seed: int, rows: int, columns: int) -> None:
    f = Function(seed)
    reachable, found = f.check(f.emit(bnn.UpsampleOp(f.codes(), [rows, columns])))
    full = reachable.expanded(found.shape[-1])
    np.testing.assert_array_equal(found.min(axis=0), full.low)
    np.testing.assert_array_equal(found.max(axis=0), full.high)


def test_sums_of_signs_are_even() -> None:
    block = Block(arg_types=[TensorType(bnn.bipolar, [4]), TensorType(bnn.bipolar, [4])])
    op = bnn.AddOp(block.args[0], block.args[1], bnn.sint(3))
    block.add_op(op)
    reachable = RangeAnalysis().of(op.output)
    assert reachable is not None
    assert (reachable.low, reachable.high, reachable.step) == (-2, 2, 2)


def test_sums_of_floats_have_no_range() -> None:
    block = Block(arg_types=[TensorType(bnn.bipolar, [4])])
    cast = bnn.CastOp(block.args[0])
    op = bnn.AddOp(cast.output, cast.output, bnn.frame_type(cast.output).element_type)
    block.add_ops([cast, op])
    assert RangeAnalysis().of(op.output) is None


def test_many_paths_take_no_longer_than_their_operations() -> None:
    block = Block(arg_types=[TensorType(bnn.bipolar, [2])])
    value: SSAValue = block.args[0]
    for _ in range(60):
        op = bnn.AddOp(value, value, bnn.sint(64), bnn.DenseAttr.from_integers([[1], [0]]))
        block.add_op(op)
        value = op.output
    reachable = RangeAnalysis().of(value)
    assert reachable is not None
    assert (reachable.low, reachable.high) == (-1, 1)
