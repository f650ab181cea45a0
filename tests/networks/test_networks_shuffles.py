"""Networks that shuffle channels, as ShuffleNet does, are integers throughout at every level."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from residual_networks import SHAPE, Net

from irc.dialects import bnn
from irc.fuzz.networks.levels import c_disagreements, examine, rtl_disagreement
from irc.fuzz.networks.random_network import RandomNetwork

FRAMES = 12


def stem(net: Net, channels: int) -> str:
    return net.relu(net.norm(net.conv(net.quant("x", 8, 1 / 128), channels, 3), channels))


def shuffled(net: Net, x: str, channels: int, groups: int) -> str:
    """What exporters make of a channel shuffle."""
    parted = net.graph.constant([0, groups, channels // groups, 8, 8], np.int64)
    joined = net.graph.constant([0, channels, 8, 8], np.int64)
    x = net.graph.node("Transpose", net.graph.node("Reshape", x, parted), perm=[0, 2, 1, 3, 4])
    return net.graph.node("Reshape", x, joined)


def first_version(net: Net) -> str:
    """ShuffleNet's unit: grouped, shuffled, depthwise, grouped, added to what came in."""
    x = stem(net, 6)
    y = net.relu(net.norm(net.conv(x, 6, 6, 1, group=3), 6))
    y = net.norm(net.conv(shuffled(net, y, 6, 3), 6, 6, group=6), 6)
    y = net.norm(net.conv(net.quant(y, 3), 6, 6, 1, group=3), 6)
    return net.relu(net.add(x, y))


def second_version(net: Net) -> str:
    """ShuffleNet v2's: half of the channels pass by, and the halves are shuffled."""
    x = stem(net, 8)
    for _ in range(2):
        left, right = net.graph.outputs(2, "Split", x, net.graph.constant([4, 4], np.int64), axis=1)
        right = net.relu(net.norm(net.conv(right, 4, 4), 4), 2, 0.25)
        x = shuffled(net, net.relu(net.concat(left, right), 2, 0.25), 8, 2)
    return x


def shuffled_sum(net: Net) -> str:
    """A shuffle before a sum: no weights follow that could absorb it."""
    x = stem(net, 4)
    return net.relu(net.add(shuffled(net, x, 4, 2), net.norm(net.conv(x, 4, 4), 4)))


def shuffled_signs(net: Net) -> str:
    """Bits, and weights of a grouped convolution whose kernel is more than a pixel."""
    x = net.sign(stem(net, 4))
    x = net.sign(net.norm(net.conv(shuffled(net, x, 4, 2), 4, 4, 1), 4))
    return net.relu(net.norm(net.conv(shuffled(net, x, 4, 2), 4, 4, 3, group=2), 4))


KINDS: dict[str, Callable[[Net], str]] = {
    "first_version": first_version,
    "second_version": second_version,
    "shuffled_sum": shuffled_sum,
    "shuffled_signs": shuffled_signs,
}
CHANNELS = {"first_version": 6, "second_version": 8}


def network(kind: str) -> RandomNetwork:
    net = Net(11)
    model = net.model(KINDS[kind](net), CHANNELS.get(kind, 4))
    frames = np.random.default_rng(3).integers(-128, 128, (FRAMES, *SHAPE))
    floats = (frames / 128).astype(np.float32)
    return RandomNetwork(model, ("x=int8/128",), frames, floats, is_nice=False)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_agree_and_nothing_is_transposed(kind: str) -> None:
    found = examine(network(kind))
    assert (found.refusals, found.disagreement) == ({}, None)
    assert found.module is not None
    transposes = [op for op in found.module.walk() if isinstance(op, bnn.TransposeOp)]
    assert len(transposes) == 1, "that of the input, from channels first to channels last"
    assert c_disagreements([found]) == [None]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_simulated_verilog_agrees_on_shuffles(kind: str) -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed")
    made = network(kind)
    assert rtl_disagreement(made, examine(made)) is None
