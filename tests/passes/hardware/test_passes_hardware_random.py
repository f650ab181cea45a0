"""Random networks give the same results at every level from bnn to hardware."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_checks import check_network, check_rate, quietly
from hardware_nets import CONTEXT, Sample, samples, to_dataflow
from hypothesis import given, settings

from irc.interp.run import run_module
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters


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


@given(samples())
@settings(quietly, max_examples=40)
def test_hardware_agrees_with_bnn(sample: Sample) -> None:
    check_network(sample)


@pytest.mark.slow
@given(samples())
@settings(quietly, max_examples=300)
def test_hardware_agrees_with_bnn_on_many(sample: Sample) -> None:
    check_network(sample)


@given(samples())
@settings(quietly, max_examples=60)
def test_no_folding_loses_the_rate_of_the_slowest_layer(sample: Sample) -> None:
    check_rate(sample)
