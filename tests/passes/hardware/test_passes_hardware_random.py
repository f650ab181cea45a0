"""Random networks give the same results at every level from bnn to hardware."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_nets import CONTEXT, Hardware, Sample, fold, random_foldings, samples, to_dataflow
from hypothesis import HealthCheck, given, settings

from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import run_module
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(samples())
@settings(quietly, max_examples=60)
def test_every_pass_keeps_the_meaning(sample: Sample) -> None:
    module = sample.module
    expected = run_module(module, [sample.inputs])
    to_dataflow(module)
    assert np.array_equal(run_module(module, [sample.inputs]), expected)
    for module_pass in (FoldLayers(), InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, module)
        module.verify()
        assert np.array_equal(run_module(module, [sample.inputs]), expected), module_pass.name


def check_hardware(sample: Sample) -> None:
    """Results and cycles of a randomly folded design, with and without stalls."""
    module = sample.module
    rng = np.random.default_rng(sample.seed)
    (expected,) = run_module(module, [sample.inputs])
    foldings = random_foldings(rng, to_dataflow(module))
    design = fold(module, foldings, fifos=bool(rng.integers(2)))
    hardware = Hardware(module)
    frames = hardware_inputs(module, [sample.inputs])
    for source_stall, sink_stall in ((0.0, 0.0), (0.5, 0.1), (0.1, 0.6)):
        played = hardware.play(frames, source_stall, sink_stall)
        (given_back,) = host_outputs(module, [sample.inputs], hardware.values(played))
        assert np.array_equal(given_back, expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(frames))
            # The first beat is taken in cycle 1: nothing is, in the cycle after reset.
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last


@given(samples())
@settings(quietly, max_examples=40)
def test_hardware_agrees_with_bnn(sample: Sample) -> None:
    check_hardware(sample)


@pytest.mark.slow
@given(samples())
@settings(quietly, max_examples=300)
def test_hardware_agrees_with_bnn_on_many(sample: Sample) -> None:
    check_hardware(sample)


@given(samples())
@settings(quietly, max_examples=60)
def test_no_folding_loses_the_rate_of_the_slowest_layer(sample: Sample) -> None:
    """FIFOs of one vector let every layer work at once."""
    module = sample.module
    foldings = random_foldings(np.random.default_rng(sample.seed), to_dataflow(module))
    design = fold(module, foldings)
    report = simulate_cycles(design.units, design.source.beats, 8)
    assert report.interval == design.cycles()
