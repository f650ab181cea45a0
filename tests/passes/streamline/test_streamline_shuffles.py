"""Shuffles of channels move past anything that works channel by channel, and end in weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.interp.run import run_module
from irc.passes.streamline.channel_shuffles import Shuffle, match_first_axis, match_shuffle
from irc.passes.streamline.streamline_shuffles import StreamlineShuffles
from irc.passes.streamline.streamline_transposes import StreamlineTransposes

SPACE = (3, 4)


def image(channels: int) -> Block:
    return Block(arg_types=[TensorType(f32, (*SPACE, channels))])


def shuffled(block: Block, value: SSAValue, groups: int) -> SSAValue:
    ops, result = Shuffle(value, groups).of(value)
    block.add_ops(ops)
    return result


def module_of(block: Block, result: SSAValue) -> ModuleOp:
    block.add_op(ReturnOp(result))
    types = FunctionType.from_lists(list(block.arg_types), [result.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


@pytest.mark.parametrize(("channels", "groups"), [(4, 2), (6, 2), (6, 3), (12, 4)])
def test_a_shuffle_is_recognised(channels: int, groups: int) -> None:
    block = image(channels)
    found = match_shuffle(shuffled(block, block.args[0], groups))
    assert found is not None
    assert found == Shuffle(block.args[0], groups)
    assert found.order.tolist() == np.arange(channels).reshape(groups, -1).T.reshape(-1).tolist()


@pytest.mark.parametrize(
    ("parts", "axes"),
    [((3, 2, 2, 4), (0, 2, 1, 3)), ((2, 6, 4), (1, 0, 2)), ((12, 2, 2), (0, 1, 2))],
)
def test_other_orders_are_none(parts: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Of pixels, of pixels with channels, and none at all."""
    block = image(4)
    parted = bnn.ReshapeOp(block.args[0], parts)
    turned = bnn.TransposeOp(parted.output, axes)
    joined = bnn.ReshapeOp(turned.output, (*SPACE, 4))
    block.add_ops([parted, turned, joined])
    assert match_shuffle(joined.output) is None


def test_channels_first_are_seen_behind_a_transpose() -> None:
    block = image(6)
    first = bnn.TransposeOp(block.args[0], (2, 0, 1))
    parted = bnn.ReshapeOp(first.output, (2, 3, *SPACE))
    turned = bnn.TransposeOp(parted.output, (1, 0, 2, 3))
    joined = bnn.ReshapeOp(turned.output, (6, *SPACE))
    block.add_ops([first, parted, turned, joined])
    assert match_first_axis(joined.output) == Shuffle(block.args[0], 2)


Step = Callable[[np.random.Generator, SSAValue], Operation]


def _channels(value: SSAValue) -> int:
    return bnn.frame_type(value).get_shape()[-1]


def _scaled(rng: np.random.Generator, value: SSAValue) -> Operation:
    constant = rng.integers(-4, 5, _channels(value))
    return bnn.EwiseOp("mul", value, bnn.DenseAttr.from_floats(constant))


def _bordered(_: np.random.Generator, value: SSAValue) -> Operation:
    return bnn.PadOp(value, (1, 1), (1, 1), 0.0, f32)


def _pooled(_: np.random.Generator, value: SSAValue) -> Operation:
    return bnn.MaxPoolOp(value, (2, 2), (1, 1), (1, 1), f32)


def _depthwise(rng: np.random.Generator, value: SSAValue) -> Operation:
    return _convolved(rng, value, _channels(value), _channels(value), 2)


def _grouped(rng: np.random.Generator, value: SSAValue) -> Operation:
    return _convolved(rng, value, _channels(value), 2, 1)


def _wide(rng: np.random.Generator, value: SSAValue) -> Operation:
    return _convolved(rng, value, _channels(value), 2, 2)


def _dense(rng: np.random.Generator, value: SSAValue) -> Operation:
    return _convolved(rng, value, 4, 1, 1)


def _convolved(
    rng: np.random.Generator, value: SSAValue, rows: int, groups: int, kernel: int
) -> Operation:
    weights = rng.integers(-4, 4, (rows, kernel, kernel, _channels(value) // groups))
    scales, offsets = (bnn.DenseAttr.from_floats(rng.integers(-3, 4, rows)) for _ in range(2))
    dense = bnn.DenseAttr.from_numpy(weights, bnn.sint(4))
    return bnn.ConvOp(value, dense, f32, (1, 1), (1, 1), groups, scales, offsets)


STEPS: tuple[Step, ...] = (_scaled, _bordered, _pooled, _depthwise, _grouped, _wide, _dense)


@settings(deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=5), st.integers(0, 99), st.data())
def test_nothing_changes_but_the_order(steps: list[Step], seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    block = image(4)
    value = shuffled(block, block.args[0], 2)
    for step in steps:
        if min(bnn.frame_type(value).get_shape()) < 2:
            break
        op = step(rng, value)
        block.add_op(op)
        value = op.results[0]
        if data.draw(st.booleans()):
            value = shuffled(block, value, 2)
    flat = bnn.ReshapeOp(value, (int(np.prod(bnn.frame_type(value).get_shape())),))
    columns = bnn.frame_type(flat.output).get_shape()[0]
    weights = bnn.DenseAttr.from_numpy(rng.integers(-4, 4, (3, columns)), bnn.sint(4))
    last = bnn.LinearOp(flat.output, weights, f32)
    block.add_ops([flat, last])
    module = module_of(block, last.output)
    frames = rng.integers(-5, 6, (3, *SPACE, 4)).astype(np.float32)
    expected = run_module(module, [frames])
    StreamlineTransposes().apply(Context(), module)
    StreamlineShuffles().apply(Context(), module)
    module.verify()
    assert not [op for op in module.walk() if isinstance(op, bnn.TransposeOp)]
    assert np.array_equal(run_module(module, [frames])[0], expected[0])
