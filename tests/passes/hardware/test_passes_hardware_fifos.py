"""FIFOs are as deep as the rate of the slowest unit needs, and hardly deeper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from dag_nets import dag_samples, residual_network
from hardware_nets import (
    CONTEXT,
    Array,
    Hardware,
    Sample,
    fold,
    linear,
    network,
    random_foldings,
    random_values,
    threshold,
    to_dataflow,
)
from hypothesis import HealthCheck, given, settings
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region

from irc.dialects import bnn, dataflow
from irc.errors import IrcError
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware import fifo_depths as depths_module
from irc.passes.hardware import stream_schedule
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.fifo_depths import fifo_depths
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters
from irc.passes.hardware.stream_schedule import READY_CHAIN, SMALLEST_DEPTH

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FRAMES = 6
TARGET = 1152


def interval(design: Design) -> int | None:
    """Cycles a frame in steady state; None where the design is stuck."""
    try:
        # The first frames fill FIFOs, and run ahead of the slowest unit.
        return simulate_cycles(design.units, design.source.beats, 3 * FRAMES).interval
    except IrcError:
        return None


def fifos(design: Design) -> list[dataflow.FifoOp]:
    return [unit for unit in design.units if isinstance(unit, dataflow.FifoOp)]


def set_depth(fifo: dataflow.FifoOp, depth: int) -> None:
    fifo.properties["depth"] = IntegerAttr(depth, i64)


def folded_residual(fifo: Sequence[InsertFifos] = (InsertFifos(),)) -> tuple[ModuleOp, Array]:
    """Two residual blocks, folded by the compiler."""
    module, inputs = residual_network()
    to_dataflow(module)
    for module_pass in (FoldLayers(TARGET), InsertWidthConverters(), *fifo):
        module_pass.apply(CONTEXT, module)
    module.verify()
    return module, inputs


@given(dag_samples())
@settings(quietly, max_examples=40)
def test_branches_run_at_the_rate_of_the_slowest_unit(sample: Sample) -> None:
    foldings = random_foldings(np.random.default_rng(sample.seed), to_dataflow(sample.module))
    design = fold(sample.module, foldings)
    assert interval(design) == design.cycles()


@pytest.mark.slow
@given(dag_samples(steps=12))
@settings(quietly, max_examples=200)
def test_larger_networks_run_at_the_rate_of_the_slowest_unit(sample: Sample) -> None:
    foldings = random_foldings(np.random.default_rng(sample.seed), to_dataflow(sample.module))
    design = fold(sample.module, foldings)
    assert interval(design) == design.cycles()


def shortcuts(design: Design) -> list[dataflow.FifoOp]:
    """The FIFOs around the blocks."""
    found = [fifo for fifo in fifos(design) if isinstance(fifo.input.owner, dataflow.ForkOp)]
    return [fifo for fifo in found if not isinstance(reader_of(fifo), dataflow.PadOp)]


def reader_of(fifo: dataflow.FifoOp) -> Operation:
    (use,) = fifo.output.uses
    return use.operation


def test_a_shortcut_holds_what_comes_while_the_other_branch_is_under_way() -> None:
    """The depths are within a beat of the least: with two fewer, the blocks lose cycles."""
    module, _ = folded_residual()
    design = design_of(module)
    assert interval(design) == design.cycles()
    around = shortcuts(design)
    assert [fifo.depth > 10 for fifo in around] == [True, True]
    for fifo in around:
        depth = fifo.depth
        set_depth(fifo, depth - 2)
        assert interval(design) != design.cycles()
        set_depth(fifo, depth)


def dense_layers(count: int) -> Design:
    """Layers of 16 that need no FIFO between them, folded alike."""
    rng = np.random.default_rng(0)
    layers = [
        part
        for _ in range(count)
        for part in (
            linear(random_values(rng, bnn.bipolar, (16, 16)), bnn.bipolar),
            threshold(np.zeros((16, 1), np.int64), bnn.bipolar),
        )
    ]
    module = network(TensorType(bnn.bipolar, (16,)), layers)
    to_dataflow(module)
    for module_pass in (FoldLayers(16), InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, module)
    module.verify()
    return design_of(module)


def ready_chain(unit: Operation) -> int:
    """Units that `tready` goes through from that of a unit to the next register."""
    if isinstance(unit, dataflow.FifoOp | dataflow.WindowOp | dataflow.UpsampleOp):
        return 0
    behind = [ready_chain(use.operation) for value in unit.results for use in value.uses]
    return max(behind, default=0) + isinstance(unit, dataflow.DataflowNode)


def test_fifos_end_the_path_of_tready_through_many_units() -> None:
    assert not fifos(dense_layers(4))
    design = dense_layers(20)
    assert [fifo.depth for fifo in fifos(design)] == [SMALLEST_DEPTH] * 4
    assert max(map(ready_chain, design.units)) == READY_CHAIN
    assert interval(design) == design.cycles() == 16
    assert fifo_depths(design) == {}


@given(dag_samples())
@settings(quietly, max_examples=20)
def test_short_paths_of_tready_cost_no_cycles(sample: Sample) -> None:
    foldings = random_foldings(np.random.default_rng(sample.seed), to_dataflow(sample.module))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_schedule, "READY_CHAIN", 1)
        design = fold(sample.module, foldings)
    for unit in design.units:
        if isinstance(unit, dataflow.MvuOp | dataflow.ThresholdOp | dataflow.AddOp):
            (use,) = unit.results[0].uses
            assert not isinstance(use.operation, dataflow.FoldedNode | dataflow.BranchNode)
    assert interval(design) == design.cycles()


def test_without_fifos_branches_that_meet_are_stuck() -> None:
    module, _ = folded_residual(fifo=())
    assert interval(design_of(module)) is None


def test_the_hardware_keeps_the_rate_and_is_stuck_with_half_the_depth() -> None:
    module, inputs = folded_residual()
    design = design_of(module)
    ends = Hardware(module).play(inputs).frame_ends
    assert np.diff(ends).tolist()[-2:] == [design.cycles()] * 2
    for fifo in shortcuts(design):
        set_depth(fifo, fifo.depth // 2)
    assert interval(design) is None
    with pytest.raises(IrcError, match="stuck"):
        Hardware(module).play(inputs)


def test_depths_do_not_depend_on_how_many_frames_are_scheduled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few frames are enough for a steady state."""
    module, _ = folded_residual(fifo=())
    depths = list(fifo_depths(design_of(module)).values())
    monkeypatch.setattr(depths_module, "FIRST_FRAMES", 16)
    assert list(fifo_depths(design_of(module)).values()) == depths


def test_a_second_run_adds_nothing() -> None:
    module, _ = folded_residual()
    before = str(module)
    InsertFifos().apply(CONTEXT, module)
    assert str(module) == before


def test_slack_is_added_to_every_fifo() -> None:
    plain, slack = (
        [fifo.depth for fifo in fifos(design_of(folded_residual(passes)[0]))]
        for passes in ((InsertFifos(),), (InsertFifos(slack=5),))
    )
    assert slack == [depth + 5 for depth in plain]


def test_vectors_wait_only_where_they_come_faster_than_they_are_taken() -> None:
    """Between dense layers, the FIFO holds what one gives while the next takes nothing."""
    module, _ = residual_network(blocks=0)
    to_dataflow(module)
    design = design_of(module)
    assert fifo_depths(design) == {}


def test_what_waits_for_its_turn_is_not_paced_out_of_it() -> None:
    """A concatenation takes one branch while the other waits: whole frames of it, and no more."""
    frame = TensorType(bnn.uint(3), (3, 4))
    block = Block(arg_types=[frame])
    entry = dataflow.ToStreamOp(block.args[0], 4)
    fork = dataflow.ForkOp(entry.output, 2)
    grown = dataflow.UpsampleOp(fork.outputs[0], (2, 1), 4)
    first = dataflow.WidthConverterOp(grown.output, 1)
    second = dataflow.WidthConverterOp(fork.outputs[1], 1)
    joined = dataflow.ConcatOp([first.output, second.output], 0)
    leave = dataflow.FromStreamOp(joined.output)
    block.add_ops([entry, fork, grown, first, second, joined, leave, ReturnOp(leave.output)])
    types = ([frame], [leave.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    design = design_of(module)
    assert fifo_depths(design) == {fork.outputs[1]: 3}
    InsertFifos().apply(CONTEXT, module)
    assert interval(design_of(module)) == design.cycles() == 36
