"""The schedules of units agree with their state machines, cycle by cycle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding, StreamType
from irc.interp.buffer_schedules import RowsSchedule, buffer_schedule
from irc.interp.dataflow_cycles import unit_cycles
from irc.interp.unit_schedules import Times, in_turn, unit_schedule

FRAMES = 3


def stream(shape: tuple[int, ...], lanes: int, element: Attribute = bnn.bipolar) -> SSAValue:
    """A value that is a stream."""
    return Block(arg_types=[StreamType.of(TensorType(element, shape), lanes)]).args[0]


def mvu(rows: int, folding: Folding) -> dataflow.MvuOp:
    weights = bnn.DenseAttr.from_numpy(np.ones((rows, 6), np.int8), bnn.bipolar)
    value = stream((2, 6), folding.simd)
    return dataflow.MvuOp("fc", value, weights, bnn.sint(4), folding=folding)


def units() -> list[Operation]:
    """One unit of every kind that gives what it has computed at once."""
    a, b = stream((2, 3, 4), 2), stream((2, 3, 4), 2)
    thresholds = bnn.DenseAttr.from_integers([[0], [1], [0], [1]])
    times = bnn.DenseAttr.from_integers([[1, 2, 3, 1], [2, 1, 1, 1]])
    return [
        mvu(4, Folding(2, 3)),
        mvu(4, Folding(4, 2)),
        mvu(6, Folding(1, 6)),
        dataflow.ThresholdOp("t", stream((2, 4), 4), thresholds, bnn.bipolar, None, 0, Folding(4)),
        dataflow.ThresholdOp("t", stream((2, 4), 2), thresholds, bnn.bipolar, None, 0, Folding(2)),
        dataflow.WidthConverterOp(stream((12,), 2), 6),
        dataflow.MaxPoolOp(a, (2, 1), (2, 2), bnn.bipolar, 2),
        dataflow.SumPoolOp(stream((6, 2), 2), (3,), (3,), bnn.sint(3), 2),
        dataflow.ForkOp(a, 3),
        dataflow.AddOp("s", a, b, bnn.sint(3), None, 2),
        dataflow.AddOp("s", a, b, bnn.sint(5), times, 2),
        dataflow.ConcatOp([a, stream((2, 3, 2), 2), b], 2, 2),
        dataflow.ConcatOp([a, stream((1, 3, 4), 2)], 0, 2),
        dataflow.SliceOp(a, (1, 0, 2), (1, 2, 2), (1, 2, 1), 2),
    ]


def buffers() -> list[Operation]:
    """One unit of every kind that holds its beats."""
    ones = (1, 1)
    return [
        dataflow.WidthConverterOp(stream((12,), 6), 2),
        dataflow.PadOp(stream((2, 3, 4), 2), (1, 0), (2, 1), 1, bnn.bipolar, 2),
        dataflow.PadOp(stream((3, 4), 4), (0,), (2,), 1, bnn.bipolar, 4),
        dataflow.WindowOp(stream((5, 4, 2), 1), (3, 2), ones, ones),
        dataflow.WindowOp(stream((5, 4, 2), 2), (2, 2), (2, 1), ones, 2),
        dataflow.WindowOp(stream((7, 2), 1), (3,), (2,), (1,)),
        dataflow.UpsampleOp(stream((3, 4, 2), 1), (2, 3, 1)),
        dataflow.UpsampleOp(stream((3, 4, 2), 2), (1, 2, 1), 2),
    ]


def play(op: Operation, offered: Sequence[Times]) -> tuple[list[Times], list[Times]]:
    """When the state machine takes and gives, where nothing behind it stalls."""
    state = unit_cycles(op)
    taken: list[list[int]] = [[] for _ in op.operands]
    given: list[list[int]] = [[] for _ in op.results]
    readies = [True] * len(op.results)
    for cycle in range(max(int(times[-1]) for times in offered) + 3000):
        offers = [
            len(done) < len(times) and bool(times[len(done)] <= cycle)
            for times, done in zip(offered, taken, strict=True)
        ]
        for valid, times in zip(state.valids(offers), given, strict=True):
            times += [cycle] * valid
        accepts = state.readies(offers, readies)
        for offer, accept, times in zip(offers, accepts, taken, strict=True):
            times += [cycle] * (offer and accept)
        state.clock(offers, readies)
    return [np.array(times) for times in taken], [np.array(times) for times in given]


@st.composite
def arrivals(draw: st.DrawFn, op: Operation) -> list[Times]:
    """Any times at which the beats of a few frames come: slow, fast, in bursts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    largest = draw(st.sampled_from([1, 2, 5, 40]))
    counts = [FRAMES * dataflow.stream_type(value).beats for value in op.operands]
    return [np.cumsum(rng.integers(1, largest + 1, count)) for count in counts]


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_units_take_and_give_as_their_state_machines_do(data: st.DataObject) -> None:
    op = units()[data.draw(st.integers(0, len(units()) - 1))]
    op.verify()
    offered = data.draw(arrivals(op))
    taken, given = unit_schedule(op).run(offered)
    expected_taken, expected_given = play(op, offered)
    for times, expected in zip(taken, expected_taken, strict=True):
        assert np.array_equal(times, expected)
    for times, expected in zip(given, expected_given, strict=True):
        assert np.array_equal(times, expected[: len(times)])


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_buffers_take_and_give_as_their_state_machines_do(data: st.DataObject) -> None:
    """Read by something that always takes: windows are then read as early as can be."""
    op = buffers()[data.draw(st.integers(0, len(buffers()) - 1))]
    op.verify()
    (offered,) = data.draw(arrivals(op))
    schedule = buffer_schedule(op, None)
    assert schedule is not None
    given = in_turn(schedule.offers(offered))
    taken = schedule.takes(offered, given)
    (expected_taken,), (expected_given,) = play(op, [offered])
    assert np.array_equal(given, expected_given[: len(given)])
    if schedule.settled:
        assert np.array_equal(taken, expected_taken)


def test_a_buffer_without_room_waits_for_its_reader() -> None:
    """A slow reader: the writes that the schedule settles on are those of the state machine."""
    op = dataflow.WindowOp(stream((6, 4, 1), 1), (2, 2), (1, 1), (1, 1))
    schedule = buffer_schedule(op, None)
    assert isinstance(schedule, RowsSchedule)
    offered = np.arange(FRAMES * 24)
    state, slow = unit_cycles(op), 5
    expected_taken: list[int] = []
    expected_given: list[int] = []
    for cycle in range(3000):
        ready = cycle % slow == 0
        offers = [len(expected_taken) < len(offered)]
        expected_given += [cycle] * (state.valids(offers)[0] and ready)
        expected_taken += [cycle] * (state.readies(offers, [ready])[0] and offers[0])
        state.clock(offers, [ready])
    given = taken = np.zeros(0, np.int64)
    for _ in range(50):
        given = slow * in_turn(-(-schedule.offers(offered) // slow))
        taken = schedule.takes(offered, given)
        if schedule.settled:
            break
    assert schedule.settled
    assert np.array_equal(given, expected_given[: len(given)])
    assert np.array_equal(taken, expected_taken)
    assert taken[-1] > offered[-1]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1))
def test_beats_come_in_turn(beats: list[tuple[int, int]]) -> None:
    earliest, gaps = (np.array(column) for column in zip(*beats, strict=True))
    times = in_turn(earliest, gaps)
    expected = [earliest[0]]
    for time, gap in zip(earliest[1:], gaps[1:], strict=True):
        expected.append(max(time, expected[-1] + gap))
    assert np.array_equal(times, expected)
