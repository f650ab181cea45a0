"""Layers whose weights are constants in logic: values, cycles, stalls and size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hardware_checks import STALLS, quietly
from hardware_nets import (
    Array,
    Hardware,
    Sample,
    fold,
    linear,
    network,
    random_foldings,
    random_values,
    samples,
    sum_range,
    threshold,
    to_dataflow,
)
from hardware_projects import HardwareProject
from hypothesis import given, settings
from icarus_tool import require_icarus
from spatial_nets import conv, spatial_samples
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.dialects.dense import element_range
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import run_module
from irc.passes.analysis.shared_patterns import column_groups, pattern_count

ENCODINGS: list[tuple[Attribute, Attribute, int]] = [
    (bnn.bipolar, bnn.bipolar, 1),
    (bnn.bipolar, bnn.bipolar, 0),
    (bnn.bipolar, bnn.uint(2), 3),
    (bnn.bipolar, bnn.sint(3), 1),
    (bnn.sint(2), bnn.bipolar, 1),
    (bnn.sint(2), bnn.uint(1), 0),
    (bnn.sint(4), bnn.uint(3), 2),
]


def layer(
    weight_type: Attribute, input_type: Attribute, thresholds: int, rows: int, columns: int
) -> tuple[ModuleOp, Array, Array]:
    """A single layer at level bnn, frames for it, and its results."""
    rng = np.random.default_rng(rows * columns)
    weights = random_values(rng, weight_type, (rows, columns))
    layers = [linear(weights, weight_type)]
    if thresholds:
        low, high = sum_range(weights, *element_range(input_type))
        at = np.sort(rng.integers(low - 1, high + 2, (rows, thresholds)), axis=1)
        layers.append(threshold(at, bnn.bipolar if thresholds == 1 else bnn.uint(2)))
    module = network(TensorType(input_type, (2, columns)), layers)
    frames = random_values(rng, input_type, (8, 2, columns))
    (expected,) = run_module(module, [frames])
    return module, frames, expected


def unrolled(design: dataflow.MvuOp) -> Folding:
    """All of a layer in every cycle."""
    return Folding(design.rows, design.columns, "logic")


def check_unrolled(sample: Sample) -> None:
    """Every level gives what `bnn` gives, with all weighted layers that can be unrolled unrolled;
    the hardware in the cycles of the cycle model."""
    module = sample.module
    (expected,) = run_module(module, [sample.inputs])
    design = to_dataflow(module)
    foldings = random_foldings(np.random.default_rng(sample.seed), design)
    for index, unit in enumerate(design.layers):
        if isinstance(unit, dataflow.MvuOp):
            whole = replace(unrolled(unit), mmv=foldings[index].mmv)
            foldings[index] = foldings[index] if unit.unfit(whole) else whole
    design = fold(module, foldings)
    hardware = Hardware(module)
    frames = hardware_inputs(module, [sample.inputs])
    for source_stall, sink_stall in STALLS:
        played = hardware.play(frames, source_stall, sink_stall)
        (given_back,) = host_outputs(module, [sample.inputs], hardware.values(played))
        assert np.array_equal(given_back, expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(frames))
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last


@pytest.mark.parametrize("columns", [1, 5, 6, 13, 40])
@pytest.mark.parametrize(("weight_type", "input_type", "thresholds"), ENCODINGS)
def test_a_vector_a_cycle_whatever_the_encoding(
    weight_type: Attribute, input_type: Attribute, thresholds: int, columns: int
) -> None:
    module, frames, expected = layer(weight_type, input_type, thresholds, 5, columns)
    to_dataflow(module)
    design = fold(module, [Folding(5, columns, "logic")])
    (unit,) = design.units
    hardware = Hardware(module)
    for source_stall, sink_stall in STALLS:
        played = hardware.play(frames, source_stall, sink_stall)
        assert np.array_equal(hardware.values(played), expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(frames))
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last
            assert report.interval == unit.cycles() == 2
            assert report.latency == unit.latency()


@given(samples())
@settings(quietly, max_examples=25)
def test_unrolled_networks_agree_with_bnn(sample: Sample) -> None:
    check_unrolled(sample)


@pytest.mark.slow
@given(spatial_samples())
@settings(quietly, max_examples=40)
def test_unrolled_convolutions_agree_with_bnn(sample: Sample) -> None:
    check_unrolled(sample)


def test_grouped_rows_and_neighbouring_pixels_unroll() -> None:
    rng = np.random.default_rng(2)
    weights = random_values(rng, bnn.bipolar, (4, 2, 2, 3))
    at = rng.integers(-3, 4, (4, 1))
    layers = [conv(weights, bnn.bipolar, groups=2), threshold(at, bnn.bipolar)]
    module = network(TensorType(bnn.bipolar, (4, 5, 6)), layers)
    frames = random_values(rng, bnn.bipolar, (3, 4, 5, 6))
    check_unrolled(Sample(module, frames, 1))


def test_rows_that_are_alike_are_built_once() -> None:
    rng = np.random.default_rng(3)
    weights = random_values(rng, bnn.bipolar, (2, 40))
    counters: list[int] = []
    for rows in ([0, 1], [0, 1, 0, 1, 1]):
        at = np.array([[3], [-2]])[rows]
        layers = [linear(weights[rows], bnn.bipolar), threshold(at, bnn.bipolar)]
        module = network(TensorType(bnn.bipolar, (40,)), layers)
        to_dataflow(module)
        fold(module, [Folding(len(rows), 40, "logic")])
        built = Hardware(module).module
        counters.append(sum(isinstance(op, hw.InstanceOp) for op in built.walk()))
    assert counters[0] == counters[1]


def test_weights_in_logic_need_the_whole_layer_at_once() -> None:
    module, *_ = layer(bnn.bipolar, bnn.bipolar, 1, 4, 6)
    to_dataflow(module)
    with pytest.raises(VerifyException, match=r"memory = logic .* pe = 4 and simd = 6"):
        fold(module, [Folding(2, 6, "logic")])


def test_groups_hold_every_column_once_and_few_patterns() -> None:
    rng = np.random.default_rng(4)
    weights = rng.choice([-1, 1], (64, 64))
    # Columns that belong together lie apart.
    weights[:, 32:] = weights[:, rng.permutation(32)]
    groups = column_groups(weights, 6)
    assert sorted(k for group in groups for k in group) == list(range(64))
    in_order = [list(range(k, min(k + 6, 64))) for k in range(0, 64, 6)]
    assert pattern_count(weights, groups) < 0.75 * pattern_count(weights, in_order)


@pytest.mark.slow
def test_a_simulator_agrees_and_no_tool_finds_anything_to_complain_of(tmp_path: Path) -> None:
    require_icarus()
    module, frames, _ = layer(bnn.bipolar, bnn.bipolar, 1, 16, 40)
    to_dataflow(module)
    fold(module, [Folding(16, 40, "logic")])
    project = HardwareProject(tmp_path / "net", module, frames)
    project.check_clean(icarus=True)
    project.check_frames("icarus")
