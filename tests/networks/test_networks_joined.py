"""What takes more than one rule to become integers: ternary sums, grouped and unrelated scales,
several results; every level agrees."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from residual_networks import SHAPE, Net

from irc.dialects import bnn, dataflow
from irc.fuzz.networks.levels import c_disagreements, examine, rtl_disagreement
from irc.fuzz.networks.random_mixed_network import random_mixed_network
from irc.fuzz.networks.random_network import RandomNetwork

FRAMES = 12


def ternary(net: Net) -> str:
    """A quantizer to −1, 0, 1 that is the sum of two signs of one value."""
    x = net.norm(net.conv(net.quant("x", 8, 1 / 128), 4, 3), 4)
    signs = [net.sign(net.graph.node("Add", x, net.graph.constant(c))) for c in (0.5, -0.5)]
    x = net.graph.node("Mul", net.add(*signs), net.graph.constant(0.5))
    return net.relu(net.norm(net.conv(x, 4, 4), 4))


def grouped_scales(net: Net) -> str:
    """A concat of different scales before a convolution whose groups read both."""
    x = net.relu(net.norm(net.conv(net.quant("x", 8, 1 / 128), 6, 3), 6))
    parts = [net.relu(net.norm(net.conv(x, 3, 6), 3), 2, scale) for scale in (0.3, 0.11)]
    return net.relu(net.norm(net.conv(net.concat(*parts), 4, 6, group=2), 4))


def unrelated_scales(net: Net) -> str:
    """Scales in no ratio of integers, a pool between sum and quantizer."""
    x = net.relu(net.norm(net.conv(net.quant("x", 8, 1 / 128), 4, 3), 4))
    parts = [net.relu(net.norm(net.conv(x, 4, 4), 4), 3, s) for s in (0.2337, 0.1713)]
    x = net.graph.node("MaxPool", net.add(*parts), kernel_shape=[2, 2], strides=[2, 2])
    return net.relu(net.norm(x, 4))


KINDS: dict[str, Callable[[Net], str]] = {
    "ternary": ternary,
    "grouped_scales": grouped_scales,
    "unrelated_scales": unrelated_scales,
}

SEEDS = (202, 252, 324, 375, 387, 404, 441)
"""Random networks of whose sums, results or inputs several have to become one."""


def network(kind: str) -> RandomNetwork:
    net = Net(5)
    model = net.model(KINDS[kind](net), 4)
    frames = np.random.default_rng(3).integers(-128, 128, (FRAMES, *SHAPE))
    floats = (frames / 128).astype(np.float32)
    return RandomNetwork(model, ("x=int8/128",), frames, floats, is_nice=False)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_agree_on_joined_values(kind: str) -> None:
    found = examine(network(kind))
    assert (found.refusals, found.disagreement) == ({}, None)
    assert c_disagreements([found]) == [None]


def test_a_ternary_quantizer_is_one_threshold_in_its_layer() -> None:
    found = examine(network("ternary"))
    assert found.module is not None
    assert found.dataflow is not None
    assert not any(isinstance(op, bnn.AddOp) for op in found.module.walk())
    assert not any(isinstance(op, dataflow.ForkOp | dataflow.AddOp) for op in found.dataflow.walk())


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_agree_on_seeds_that_join(seed: int) -> None:
    found = examine(random_mixed_network(seed))
    assert (found.refusals, found.disagreement) == ({}, None)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*KINDS, *SEEDS])
def test_simulated_verilog_agrees_on_joined_values(case: str | int) -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed")
    made = random_mixed_network(case) if isinstance(case, int) else network(case)
    assert rtl_disagreement(made, examine(made)) is None
