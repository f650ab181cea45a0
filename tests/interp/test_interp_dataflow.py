"""Streams as beats of lanes, beats as TDATA, and the order in which elements come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding, StreamType, divisors
from irc.dialects.dense import BipolarType, element_range
from irc.interp.beats import beats_to_frames, frames_to_beats, from_lanes, to_lanes
from irc.interp.run import make_interpreter

element_types = st.one_of(
    st.just(bnn.bipolar), st.integers(1, 40).map(bnn.uint), st.integers(1, 40).map(bnn.sint)
)


def stream(element_type: Attribute, shape: tuple[int, ...], lanes: int) -> StreamType:
    return StreamType.of(TensorType(element_type, shape), lanes)


@given(st.data(), element_types, st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_tdata_gives_every_frame_back(
    data: st.DataObject, element_type: Attribute, shape: list[int]
) -> None:
    elements = int(np.prod(shape))
    packed = stream(element_type, tuple(shape), data.draw(st.sampled_from(divisors(elements))))
    low, high = element_range(element_type)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    frames = rng.integers(low, high + 1, (3, *shape))
    if isinstance(element_type, BipolarType):
        frames = np.where(frames > 0, 1, -1)
    beats = frames_to_beats(frames, packed)
    assert beats.shape == (3, packed.beats, packed.tdata_width // 8)
    assert np.array_equal(beats_to_frames(beats, packed), frames)


def test_lane_0_is_least_significant_and_padding_is_0() -> None:
    frames = np.array([[1, -2, 3, -4, 0, -1]])
    beats = frames_to_beats(frames, stream(bnn.sint(3), (6,), 3))
    # 011 110 001 and 111 000 100, most significant lane first, in 9 of 16 bits.
    assert beats.tolist() == [[[0b11110001, 0b0], [0b11000100, 0b1]]]
    bits = frames_to_beats(np.array([[1, -1, -1, 1]]), stream(bnn.bipolar, (4,), 4))
    assert bits.tolist() == [[[0b1001]]]


def test_padding_bits_are_ignored() -> None:
    packed = stream(bnn.bipolar, (2,), 2)
    assert beats_to_frames(np.array([[[0b11111110]]], np.uint8), packed).tolist() == [[-1, 1]]


def test_beats_come_in_row_major_order() -> None:
    frames = np.arange(12).reshape(1, 2, 6)
    beats = to_lanes(frames, stream(bnn.uint(4), (2, 6), 4))
    assert beats.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]]
    assert np.array_equal(from_lanes(beats, stream(bnn.uint(4), (2, 6), 4)), frames)


@pytest.mark.parametrize("pe", [1, 2, 4])
def test_a_unit_takes_and_gives_beats(pe: int) -> None:
    """The values of a stream are [frames, beats, lanes], whatever the unit needs inside."""
    source = stream(bnn.bipolar, (3, 6), 2)
    block = Block(arg_types=[source])
    weights = np.where(np.arange(24).reshape(4, 6) % 3 == 0, 1, -1)
    dense = bnn.DenseAttr.from_numpy(weights, bnn.bipolar)
    mvu = dataflow.MvuOp("fc", block.args[0], dense, bnn.sint(4), folding=Folding(pe, 2))
    flat = dataflow.ReshapeOp(mvu.output, (12,))
    narrow = dataflow.WidthConverterOp(flat.output, 1)
    fifo = dataflow.FifoOp(narrow.output, 4)
    block.add_ops([mvu, flat, narrow, fifo, ReturnOp(mvu.output, fifo.output)])
    types = FunctionType.from_lists([source], [mvu.output.type, fifo.output.type])
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    rng = np.random.default_rng(0)
    frames = np.where(rng.integers(0, 2, (5, 3, 6)) > 0, 1, -1)
    sums, single = make_interpreter(module).call_op("f", (to_lanes(frames, source),))
    expected = frames @ weights.T
    assert sums.shape == (5, 12 // pe, pe)
    assert np.array_equal(sums.reshape(5, 3, 4), expected)
    assert np.array_equal(single, expected.reshape(5, 12, 1))
