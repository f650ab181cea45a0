"""Convolutions, padding and pools: the same results at every level, at the cycles promised."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_checks import STALLS, check_network, check_rate, quietly
from hardware_nets import CONTEXT, Hardware, Sample, to_dataflow
from hypothesis import given, settings
from spatial_nets import (
    UnitSample,
    folded_cnn,
    spatial_samples,
    unit_module,
    unit_samples,
)
from xdsl.dialects.builtin import TensorType

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import StreamType
from irc.interp.beats import frames_to_beats
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_outputs
from irc.interp.rtl_axis import run_axis
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters
from irc.passes.hardware.lanes import fewest_cycles, folded_cycles


@given(unit_samples())
@settings(quietly, max_examples=60)
def test_units_compute_what_they_say_in_the_cycles_they_say(sample: UnitSample) -> None:
    design = design_of(sample.module)
    hardware = Hardware(sample.module)
    expected = hardware_outputs(sample.module, [sample.inputs])
    for source_stall, sink_stall in STALLS:
        played = hardware.play(sample.inputs, source_stall, sink_stall)
        assert np.array_equal(hardware.values(played), expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(sample.inputs))
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last
    report = simulate_cycles(design.units, design.source.beats, 12)
    assert report.interval == design.units[0].cycles()
    if not isinstance(design.units[0], dataflow.PadOp):
        assert report.latency == design.units[0].latency()


@given(spatial_samples())
@settings(quietly, max_examples=20)
def test_convolutions_agree_from_bnn_to_hardware(sample: Sample) -> None:
    check_network(sample)


@pytest.mark.slow
@given(spatial_samples())
@settings(quietly, max_examples=400)
def test_convolutions_agree_from_bnn_to_hardware_on_many(sample: Sample) -> None:
    check_network(sample)


@given(spatial_samples())
@settings(quietly, max_examples=30)
def test_convolutions_run_at_the_rate_of_the_slowest_unit(sample: Sample) -> None:
    check_rate(sample)


@given(spatial_samples())
@settings(quietly, max_examples=30)
def test_chosen_foldings_keep_the_target(sample: Sample) -> None:
    """A window never feeds its layer more slowly than the layer was folded for."""
    module = sample.module
    unfolded = to_dataflow(module)
    target = max(
        *(folded_cycles(layer, layer.folding) for layer in unfolded.layers),
        # No target can ask more of what passes one pixel a cycle at most.
        *(fewest_cycles(unit) for unit in unfolded.units),
    )
    FoldLayers(target_cycles=target).apply(CONTEXT, module)
    InsertWidthConverters().apply(CONTEXT, module)
    InsertFifos().apply(CONTEXT, module)
    design = design_of(module)
    windows = [unit for unit in design.units if isinstance(unit, dataflow.WindowOp)]
    fed = [w for w in windows if isinstance(_reader(w), dataflow.MvuOp)]
    assert max(unit.cycles() for unit in [*design.layers, *fed]) <= target


def _reader(window: dataflow.WindowOp) -> object:
    reader = window.output.get_user_of_unique_use()
    while isinstance(reader, dataflow.WidthConverterOp | dataflow.FifoOp):
        reader = reader.output.get_user_of_unique_use()
    return reader


def test_a_reset_in_mid_frame_leaves_nothing_behind() -> None:
    module, inputs = folded_cnn()
    hardware = Hardware(module)
    expected = hardware_outputs(module, [inputs])
    simulator = hardware.simulator()
    beats = frames_to_beats(inputs, hardware.source)[0]
    simulator.reset()
    for beat in beats[: len(beats) * 2 // 3]:
        simulator.step(
            {
                "aresetn": 1,
                "m_axis_tready": 0,
                "s_axis_tvalid": 1,
                "s_axis_tdata": int.from_bytes(beat.tobytes(), "little"),
                "s_axis_tlast": 0,
            }
        )
    played = run_axis(
        simulator,
        frames_to_beats(inputs, hardware.source),
        hardware.result.beats,
        hardware.result.tdata_width // 8,
    )
    assert np.array_equal(hardware.values(played), expected)


def test_one_column_of_rows_needs_no_rows_of_buffer() -> None:
    """A sequence, or an image of one row, is buffered by the element, not by the whole row."""
    element = bnn.bipolar
    for shape, kernel in (((100, 2), (5,)), ((1, 100, 2), (1, 5)), ((100, 1, 2), (5, 1))):
        source = StreamType.of(TensorType(element, shape), 2)
        ones = (1,) * len(kernel)
        module = unit_module(
            source, lambda value, k=kernel, o=ones: dataflow.WindowOp(value, k, o, o, 2)
        )
        (window,) = design_of(module).units
        assert isinstance(window, dataflow.WindowOp)
        assert window.geometry().buffer_beats == 9
