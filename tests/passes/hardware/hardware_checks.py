"""What every network must keep to, whatever its layers: the same results and the same cycles."""

from __future__ import annotations

import numpy as np
from hardware_nets import Hardware, Sample, fold, random_foldings, to_dataflow
from hypothesis import HealthCheck, settings

from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import run_module

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

STALLS = ((0.0, 0.0), (0.5, 0.1), (0.1, 0.6))
"""Chances of a stall of the source and of the sink."""


def check_network(sample: Sample, *, fifos: bool | None = None) -> None:
    """Every level gives what `bnn` gives; the hardware in the cycles of the cycle model.

    The network is folded at random, and has FIFOs at random unless `fifos` says so.
    """
    module = sample.module
    rng = np.random.default_rng(sample.seed)
    (expected,) = run_module(module, [sample.inputs])
    foldings = random_foldings(rng, to_dataflow(module))
    assert np.array_equal(run_module(module, [sample.inputs])[0], expected)
    design = fold(module, foldings, fifos=bool(rng.integers(2)) if fifos is None else fifos)
    assert np.array_equal(run_module(module, [sample.inputs])[0], expected)
    hardware = Hardware(module)
    frames = hardware_inputs(module, [sample.inputs])
    for source_stall, sink_stall in STALLS:
        played = hardware.play(frames, source_stall, sink_stall)
        (given_back,) = host_outputs(module, [sample.inputs], hardware.values(played))
        assert np.array_equal(given_back, expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(frames))
            # The first beat is taken in cycle 1: nothing is, in the cycle after reset.
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last


def check_rate(sample: Sample) -> None:
    """No folding at random loses the rate of the slowest unit: buffers and FIFOs are deep enough
    that no unit waits for another in vain."""
    foldings = random_foldings(np.random.default_rng(sample.seed), to_dataflow(sample.module))
    design = fold(sample.module, foldings)
    report = simulate_cycles(design.units, design.source.beats, 8)
    assert report.interval == design.cycles()
