"""Stages of a matrix-vector unit: the same sums, in the cycles that are promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hardware_nets import (
    CONTEXT,
    Array,
    Hardware,
    fold,
    linear,
    network,
    random_values,
    threshold,
    to_dataflow,
)
from xdsl.dialects import seq
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.devices import figures_of
from irc.dialects import bnn, dataflow, rtl
from irc.dialects.dataflow import Folding
from irc.errors import IrcError, UsageError
from irc.flow.timing_estimate import slow_paths
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.run import run_module
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw
from irc.passes.hardware.delays import MARGIN, delays_of
from irc.passes.hardware.design import DEVICE, design_of
from irc.passes.hardware.folding_file import format_folding
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.insert_fifos import InsertFifos, ready_chain
from irc.passes.hardware.logic_depth import Depth
from irc.passes.hardware.pipeline_to_clock import PipelineToClock
from irc.passes.hardware.set_folding import SetFolding
from irc.passes.hardware.units.mvu import mvu_module
from irc.passes.hardware.units.mvu_depths import one_row

ROWS, COLUMNS = 4, 24

ENCODINGS = [
    ("xnor", bnn.bipolar, bnn.bipolar, "planes"),
    ("xnor planes", bnn.bipolar, bnn.uint(2), "planes"),
    ("xnor signed planes", bnn.bipolar, bnn.sint(3), "planes"),
    ("ternary", "ternary", bnn.bipolar, "planes"),
    ("ternary planes", "ternary", bnn.sint(2), "planes"),
    ("bit planes", bnn.sint(2), bnn.uint(2), "planes"),
    ("bit planes of signed", bnn.sint(3), bnn.sint(2), "planes"),
    ("bit planes of bipolar", bnn.sint(3), bnn.bipolar, "planes"),
    ("multiply", bnn.sint(4), bnn.uint(4), "multiply"),
    ("multiply signed", bnn.sint(3), bnn.sint(4), "multiply"),
    ("negate", bnn.bipolar, bnn.uint(4), "multiply"),
]

STALLS = ((0.0, 0.0), (0.6, 0.2), (0.2, 0.6))


def layer(
    weight_type: Attribute | str, input_type: Attribute, levels: int
) -> tuple[ModuleOp, Array]:
    """A layer with so many thresholds a row, and frames of two vectors for it."""
    rng = np.random.default_rng(4)
    if isinstance(weight_type, str):
        weights, kind = rng.integers(-1, 2, (ROWS, COLUMNS)), bnn.sint(2)
    else:
        weights, kind = random_values(rng, weight_type, (ROWS, COLUMNS)), weight_type
    layers = [linear(weights, kind, "fc")]
    if levels:
        at = np.sort(rng.integers(-6, 7, (ROWS, levels)), axis=1)
        layers.append(threshold(at, bnn.bipolar if levels == 1 else bnn.uint(2)))
    module = network(TensorType(input_type, (2, COLUMNS)), layers)
    return module, random_values(rng, input_type, (3, 2, COLUMNS))


FOLDINGS = {
    0: ((0, (1, 24)), (1, (2, 12)), (1, (4, 6))),
    2: ((1, (2, 8)), (3, (4, 24))),
    3: ((1, (1, 12)), (0, (2, 3))),
}
"""For so many stages, some numbers of thresholds with PE and SIMD."""


@pytest.mark.parametrize("stages", FOLDINGS)
@pytest.mark.parametrize(
    ("weight_type", "input_type", "products"),
    [e[1:] for e in ENCODINGS],
    ids=[e[0] for e in ENCODINGS],
)
def test_stages_change_nothing_but_the_latency(
    weight_type: Attribute | str, input_type: Attribute, products: str, stages: int
) -> None:
    for levels, (pe, simd) in FOLDINGS[stages]:
        module, frames = layer(weight_type, input_type, levels)
        (expected,) = run_module(module, [frames])
        to_dataflow(module)
        folding = Folding(pe, simd, products=products, stages=stages)
        (unit,) = fold(module, [folding], fifos=False).units
        assert isinstance(unit, dataflow.MvuOp)
        behind_comparisons = int(levels > 1 and stages > 1)
        assert unit.latency() == unit.synapse_folds + 2 + stages + behind_comparisons
        report = simulate_cycles([unit], dataflow.stream_type(unit.input).beats, len(frames))
        hardware = Hardware(module)
        for source_stall, sink_stall in STALLS:
            played = hardware.play(frames, source_stall, sink_stall)
            assert np.array_equal(hardware.values(played), expected), (pe, simd, levels)
            if source_stall == sink_stall == 0:
                assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last


def test_more_registers_come_with_more_stages_only() -> None:
    """What the test above compares are different designs."""
    module, _ = layer(bnn.bipolar, bnn.bipolar, 1)
    to_dataflow(module)
    counts: list[int] = []
    for stages in range(5):
        (unit,) = fold(module, [Folding(1, 24, stages=stages)], fifos=False).units
        assert isinstance(unit, dataflow.MvuOp)
        built = mvu_module(unit, "unit")
        registers = [op for op in built.body.walk() if isinstance(op, seq.CompRegOp)]
        counts.append(sum(int(rtl.width_of(op.data)) for op in registers))
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("stages", [0, 3])
def test_vectors_and_groups_at_once_have_stages(stages: int) -> None:
    """Neighbouring vectors share weights."""
    rng = np.random.default_rng(6)
    weights = random_values(rng, bnn.bipolar, (3, 10))
    module = network(TensorType(bnn.uint(2), (4, 10)), [linear(weights, bnn.bipolar, "fc")])
    frames = random_values(rng, bnn.uint(2), (3, 4, 10))
    (expected,) = run_module(module, [frames])
    to_dataflow(module)
    fold(module, [Folding(3, 10, mmv=2, stages=stages)])
    hardware = Hardware(module)
    for stalls in STALLS:
        assert np.array_equal(hardware.values(hardware.play(frames, *stalls)), expected)


@pytest.mark.parametrize("lut_inputs", [4, 6])
def test_stages_are_balanced(lut_inputs: int) -> None:
    """No stage is more than a level longer than an equal share, each encoding's slowest step at
    the least."""
    module, _ = layer(bnn.bipolar, bnn.bipolar, 0)
    wide = network(
        TensorType(bnn.bipolar, (512,)), [linear(np.ones((2, 512), np.int8), bnn.bipolar, "fc")]
    )
    for each, simd in ((module, 24), (wide, 512)):
        to_dataflow(each)
        (unit,) = fold(each, [Folding(1, simd)], fifos=False).units
        assert isinstance(unit, dataflow.MvuOp)
        row = one_row(unit, lut_inputs)
        for stages in range(1, 8):
            assert row.longest(stages).length <= row.depth.length / stages + 1
        assert row.longest(1) == row.depth


def wide_layer() -> ModuleOp:
    """A layer of 256 inputs at once, for up5k."""
    rng = np.random.default_rng(8)
    weights = random_values(rng, bnn.bipolar, (4, 512))
    layers = [linear(weights, bnn.bipolar, "fc"), threshold(np.zeros((4, 1), int), bnn.bipolar)]
    module = network(TensorType(bnn.bipolar, (512,)), layers)
    to_dataflow(module)
    fold(module, [Folding(2, 256)], fifos=False)
    return module


def stages_at(mhz: float, device: str) -> int:
    """What the pass chooses for the wide layer."""
    module = wide_layer()
    PipelineToClock(mhz, device).apply(CONTEXT, module)
    module.verify()
    (unit,) = design_of(module).units
    assert isinstance(unit, dataflow.MvuOp)
    assert unit.folding.stages is not None
    return unit.stages


@pytest.mark.parametrize("device", ["up5k", "ecp5-85k", "xc7"])
def test_a_faster_clock_takes_more_stages(device: str) -> None:
    chosen = [stages_at(mhz, device) for mhz in (2, 20, 80, 1000)]
    assert chosen[0] == 0
    assert chosen == sorted(chosen)
    assert chosen[-1] > 1


def test_the_clock_is_met_as_far_as_the_sum_goes() -> None:
    for mhz in (20, 30):
        stages = stages_at(mhz, "up5k")
        module = wide_layer()
        (unit,) = design_of(module).units
        assert isinstance(unit, dataflow.MvuOp)
        refold(unit, replace(unit.folding, stages=stages))
        ConvertDataflowToHw().apply(CONTEXT, module)
        assert slow_paths(module, "net", figures_of("up5k"), mhz) == []
        if stages:
            module = wide_layer()
            (unit,) = design_of(module).units
            assert isinstance(unit, dataflow.MvuOp)
            refold(unit, replace(unit.folding, stages=stages - 1))
            ConvertDataflowToHw().apply(CONTEXT, module)
            assert slow_paths(module, "net", figures_of("up5k"), mhz * MARGIN)


def narrow_layer(levels: int, stages: int | None = None) -> ModuleOp:
    """A layer of two inputs at once and a long sum, with so many thresholds."""
    rng = np.random.default_rng(8)
    weights = random_values(rng, bnn.bipolar, (4, 512))
    at = np.sort(rng.integers(-40, 41, (4, levels)), axis=1)
    codes = bnn.bipolar if levels == 1 else bnn.uint(levels.bit_length())
    layers = [linear(weights, bnn.bipolar, "fc"), threshold(at, codes)]
    module = network(TensorType(bnn.bipolar, (512,)), layers)
    to_dataflow(module)
    fold(module, [Folding(2, 2, stages=stages)], fifos=False)
    return module


def test_comparisons_of_several_thresholds_are_cut_too() -> None:
    """With 15 thresholds, what is compared and what the code is made of come one after another,
    longer than all else in the unit; from two stages on there is a register between them."""
    # A little too fast for a comparison of ten bits and three tables that choose among 15 codes.
    mhz = 1010 / (MARGIN * delays_of("up5k").of(Depth(levels=5, carries=10)))
    chosen: list[int] = []
    for levels in (1, 15):
        module = narrow_layer(levels)
        PipelineToClock(mhz, "up5k").apply(CONTEXT, module)
        (unit,) = design_of(module).units
        assert isinstance(unit, dataflow.MvuOp)
        chosen.append(unit.stages)
    assert chosen == [0, 2]
    depths: list[int] = []
    for stages in (1, 2):
        module = narrow_layer(15, stages)
        ConvertDataflowToHw().apply(CONTEXT, module)
        slow = slow_paths(module, "net", figures_of("up5k"), 1000)
        (unit_path,) = [each.path for each in slow if each.path.instance == "net.fc"]
        assert (unit_path.end == "out_data") == (stages == 1)
        depths.append(unit_path.depth.levels + unit_path.depth.carries)
    assert depths[1] < depths[0]


def test_without_a_clock_nothing_changes() -> None:
    module = wide_layer()
    before = str(module)
    PipelineToClock().apply(CONTEXT, module)
    assert str(module) == before


def test_what_a_file_says_stays(tmp_path: Path) -> None:
    module = wide_layer()
    path = tmp_path / "net.fold"
    path.write_text('layer "fc" { stages = 5 }', encoding="utf-8")
    SetFolding(str(path)).apply(CONTEXT, module)
    PipelineToClock(1, "up5k").apply(CONTEXT, module)
    module.verify()
    assert 'layer "fc" { pe = 2 simd = 256 memory = auto stages = 5 }' in format_folding(module)


def test_errors(tmp_path: Path) -> None:
    path = tmp_path / "net.fold"
    path.write_text('layer "fc" { stages = 17 }', encoding="utf-8")
    with pytest.raises(IrcError, match="stages = 17 is not from 0 to 16"):
        SetFolding(str(path)).apply(CONTEXT, wide_layer())
    path.write_text('layer "fc" { pe = 4 simd = 512 memory = logic stages = 2 }', encoding="utf-8")
    with pytest.raises(IrcError, match="memory = logic has the stages that its constants need"):
        SetFolding(str(path)).apply(CONTEXT, wide_layer())
    with pytest.raises(UsageError, match="mhz needs a device, such as device=up5k"):
        PipelineToClock(24).apply(CONTEXT, wide_layer())
    with pytest.raises(UsageError, match="mhz must be positive, not -1"):
        PipelineToClock(-1, "up5k").apply(CONTEXT, wide_layer())
    (unit,) = design_of(wide_layer()).units
    assert isinstance(unit, dataflow.MvuOp)
    unit.set_folding(replace(unit.folding, stages=-1))
    with pytest.raises(VerifyException, match="stages = -1 is not from 0 to 16"):
        unit.verify()


def chain_of_layers(mhz: float | None) -> tuple[ModuleOp, Array]:
    """Five layers in a row, each of which takes a vector in a beat, for ecp5-25k."""
    rng = np.random.default_rng(9)
    layers = [
        each
        for index in range(5)
        for each in (
            linear(random_values(rng, bnn.bipolar, (6, 6)), bnn.bipolar, f"fc{index}"),
            threshold(rng.integers(-2, 3, (6, 1)), bnn.bipolar),
        )
    ]
    module = network(TensorType(bnn.bipolar, (6,)), layers)
    frames = random_values(rng, bnn.bipolar, (6, 6))
    design = to_dataflow(module)
    design.function.attributes[DEVICE] = StringAttr("ecp5-25k")
    fold(module, [Folding(2, 3), Folding(3, 2)] * 2 + [Folding(1, 6)], fifos=False)
    InsertFifos(mhz=mhz).apply(CONTEXT, module)
    return module, frames


def test_fifos_end_paths_of_ready_that_are_too_long() -> None:
    assert ready_chain(delays_of("ecp5-25k"), 200) < ready_chain(delays_of("ecp5-25k"), 50)
    longest: list[float] = []
    for mhz in (None, 150):
        module, frames = chain_of_layers(mhz)
        (expected,) = run_module(module, [frames])
        hardware = Hardware(module)
        assert np.array_equal(hardware.values(hardware.play(frames, 0.3, 0.3)), expected)
        slow = slow_paths(hardware.module, "net", figures_of("ecp5-25k"), 1000)
        longest.append(slow[0].nanoseconds)
    assert longest[1] < longest[0]
    with pytest.raises(UsageError, match="mhz must be positive, not 0"):
        chain_of_layers(0)
