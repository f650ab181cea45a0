"""Every pass of the way to exact types keeps what a network computes, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from chain_networks import Network, bnn_networks
from drawn_networks import random_networks
from hypothesis import HealthCheck, given, settings
from xdsl.context import Context
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.checks import run_watched
from irc.fuzz.networks.random_network import RandomNetwork
from irc.interp.run import run_module
from irc.loading import new_context
from irc.passes.streamline.declare_inputs import DeclareInputs
from irc.passes.streamline.fold_thresholds import FoldThresholds
from irc.passes.streamline.integer_outputs import IntegerOutputs
from irc.passes.streamline.narrow_accumulators import NarrowAccumulators
from irc.passes.streamline.streamline_linear import StreamlineLinear
from irc.passes.streamline.streamline_reshapes import StreamlineReshapes
from irc.pipelines import pipeline_named
from irc.running import build_passes, run_passes
from irc.universe import discover

Array = npt.NDArray[Any]

QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

EXACT_PASSES = [StreamlineReshapes, FoldThresholds, IntegerOutputs, NarrowAccumulators]
"""Passes that change no value at all, sums of floats included."""


@pytest.mark.parametrize("module_pass", EXACT_PASSES, ids=lambda cls: cls.name)
def test_a_pass_changes_no_value(module_pass: Callable[[], ModulePass]) -> None:
    @QUIET
    @given(bnn_networks())
    def check(network: Network) -> None:
        module, frames = network.module.clone(), network.frames
        expected = run_module(module, [frames])
        module_pass().apply(Context(), module)
        module.verify()
        for before, after in zip(expected, run_module(module, [frames]), strict=True):
            np.testing.assert_array_equal(after, before)

    check()


@QUIET
@given(bnn_networks())
def test_streamline_linear_changes_roundings_only(network: Network) -> None:
    module, frames = network.module.clone(), network.frames
    (expected,) = run_module(module, [frames])
    StreamlineLinear().apply(Context(), module)
    module.verify()
    (found,) = run_module(module, [frames])
    # Quantizers stand between the sums: where one was in doubt, a frame may be anything.
    FoldThresholds().apply(Context(), module)
    _, watcher = run_watched(module, frames)
    certain = ~watcher.doubtful
    scale = float(np.abs(expected).max(initial=1))
    np.testing.assert_allclose(
        found[certain].astype(np.float64), expected[certain], rtol=1e-5, atol=1e-5 * scale
    )


@QUIET
@given(random_networks())
def test_declared_inputs_are_the_floats_of_the_model(network: RandomNetwork) -> None:
    module = import_model(network.model)
    pipeline = pipeline_named("onnx-to-bnn")
    assert pipeline is not None
    before = [
        s.spec for s in pipeline.steps[: [s.spec for s in pipeline.steps].index("declare-inputs")]
    ]
    run_passes(new_context(), module, build_passes(discover(), ",".join(before)))
    (expected,) = run_module(module, [network.model_frames])
    DeclareInputs(network.declarations).apply(Context(), module)
    module.verify()
    (found,) = run_module(module, [network.frames])
    np.testing.assert_array_equal(found, expected)


@QUIET
@given(bnn_networks())
def test_folding_leaves_no_float_before_the_last_sum(network: Network) -> None:
    module = network.module.clone()
    for module_pass in (StreamlineReshapes, StreamlineLinear, StreamlineReshapes, FoldThresholds):
        module_pass().apply(Context(), module)
    assert not any(isinstance(op, bnn.QuantizeOp) for op in module.walk())
    for op in module.walk():
        if isinstance(op, bnn.LinearOp):
            assert is_exact(bnn.frame_type(op.output).element_type)
