"""The cycle models: rates, latencies, FIFO fill, and designs that are stuck.

That they equal the hardware to the cycle is tested with the passes that build it.
"""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import DataflowNode, Folding, StreamType
from irc.errors import IrcError
from irc.interp.dataflow_cycles import FifoCycles, simulate_cycles


def source(lanes: int, elements: int = 24) -> tuple[Block, int]:
    """A block whose argument is a stream of bipolar vectors, and the beats of a frame."""
    stream = StreamType.of(TensorType(bnn.bipolar, (elements,)), lanes)
    return Block(arg_types=[stream]), stream.beats


def mvu(block: Block, rows: int, folding: Folding, columns: int = 24) -> dataflow.MvuOp:
    weights = bnn.DenseAttr.from_numpy(np.ones((rows, columns), np.int8), bnn.bipolar)
    value = block.last_op.results[0] if block.last_op else block.args[0]
    op = dataflow.MvuOp("fc", value, weights, bnn.sint(6), folding=folding)
    block.add_op(op)
    return op


@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (2, 3), (4, 24), (1, 24), (4, 1)])
def test_a_unit_alone_runs_at_its_own_rate(pe: int, simd: int) -> None:
    block, beats = source(simd)
    unit = mvu(block, 4, Folding(pe, simd))
    report = simulate_cycles([unit], beats, 4)
    assert report.interval == unit.cycles()
    assert report.latency == unit.latency()
    assert report.nodes[0].first[0] == unit.latency()


@pytest.mark.parametrize(("have", "want"), [(2, 8), (8, 2), (1, 24), (24, 1)])
def test_converters_move_a_narrow_beat_a_cycle(have: int, want: int) -> None:
    block, beats = source(have)
    unit = dataflow.WidthConverterOp(block.args[0], want)
    report = simulate_cycles([unit], beats, 4)
    assert report.interval == unit.cycles() == 24 // min(have, want)
    assert report.latency == unit.latency()


@pytest.mark.parametrize("depth", [2, 3, 100])
def test_fifos_pass_a_beat_a_cycle(depth: int) -> None:
    block, beats = source(1)
    unit = dataflow.FifoOp(block.args[0], depth)
    report = simulate_cycles([unit], beats, 4)
    assert report.interval == unit.cycles() == 24
    assert report.latency == unit.latency()


@pytest.mark.parametrize("in_registers", [False, True])
def test_a_fifo_holds_exactly_its_depth(in_registers: bool) -> None:
    fifo = FifoCycles(5, in_registers)
    taken = 0
    for _ in range(20):
        takes = fifo.ready(False)
        taken += takes
        fifo.clock(takes, False)
    assert taken == fifo.highest == 5
    given = 0
    for _ in range(20):
        given += fifo.valid()
        fifo.clock(False, True)
    assert given == 5


def test_a_fifo_that_is_too_small_costs_cycles() -> None:
    def interval(depth: int) -> int:
        block, beats = source(1)
        first = mvu(block, 24, Folding(1, 1))
        block.add_op(dataflow.FifoOp(first.output, depth))
        # The second unit computes on what the first one gives, as if it were bipolar.
        second = mvu(block, 24, Folding(1, 1))
        units: list[DataflowNode] = [op for op in block.ops if isinstance(op, DataflowNode)]
        assert second in units
        found = simulate_cycles(units, beats, 5).interval
        assert found is not None
        return found

    assert interval(24) == 576
    assert interval(2) > 576


def test_a_design_that_gives_nothing_is_reported() -> None:
    block, beats = source(1)
    unit = mvu(block, 4, Folding(1, 1))
    with pytest.raises(IrcError, match="the design is stuck: no beat moves after cycle"):
        simulate_cycles([unit], beats - 1, 1)
