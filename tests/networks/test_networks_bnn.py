"""Random networks, exported in many ways, give at the bnn level what ONNX Runtime gives."""

from __future__ import annotations

import pytest
from drawn_networks import random_networks
from hypothesis import HealthCheck, given, settings

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.fuzz.networks.checks import assert_agrees_with_onnx
from irc.fuzz.networks.random_network import RandomNetwork, random_network
from irc.interp.run import entry_function

SLOW_SEEDS = 400


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_networks())
def test_bnn_equals_onnx(network: RandomNetwork) -> None:
    assert_agrees_with_onnx(network)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SLOW_SEEDS, SLOW_SEEDS // 4))
def test_bnn_equals_onnx_on_many_seeds(first: int) -> None:
    for seed in range(first, first + SLOW_SEEDS // 4):
        assert_agrees_with_onnx(random_network(seed))


def test_rounding_decides_the_fewest_frames() -> None:
    # Sums of ugly numbers that meet a tie, and functions that runtimes approximate, are in doubt;
    # were most frames, the tests above would promise little.
    networks = [random_network(seed) for seed in range(60)]
    doubtful = sum(assert_agrees_with_onnx(network) for network in networks)
    assert doubtful <= sum(len(network.frames) for network in networks) // 5


def test_floats_are_left_at_the_end_only() -> None:
    for seed in range(40):
        function = entry_function(random_network(seed).lowered("bnn"))
        for op in function.body.block.ops:
            if isinstance(op, bnn.LinearOp | bnn.ThresholdOp):
                assert is_exact(bnn.frame_type(op.output).element_type)
            else:
                assert not isinstance(op, bnn.QuantizeOp), seed


def test_a_seed_says_everything() -> None:
    first, second = random_network(7), random_network(7)
    assert first.model == second.model
    assert first.declarations == second.declarations
    assert (first.frames == second.frames).all()
