"""Networks with branches of every kind become integers throughout, and compute what ONNX says."""

from __future__ import annotations

import numpy as np
import pytest
from residual_networks import KINDS, SHAPE, residual_network

from irc.dialects import bnn
from irc.fuzz.networks.checks import assert_agrees_with_onnx
from irc.fuzz.networks.random_network import RandomNetwork
from irc.interp.run import entry_function

FRAMES = 24
SEEDS = range(4)


def network(kind: str, seed: int) -> RandomNetwork:
    """With byte frames that the network's first quantizer takes as they are."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(-128, 128, (FRAMES, *SHAPE))
    floats = (frames / 128).astype(np.float32)
    return RandomNetwork(
        residual_network(kind, seed), ("x=int8/128",), frames, floats, is_nice=False
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_network_agrees_with_onnx_and_is_exact(kind: str, seed: int) -> None:
    made = network(kind, seed)
    doubtful = assert_agrees_with_onnx(made)
    assert doubtful <= FRAMES // 4
    ops = list(entry_function(made.lowered("bnn")).body.block.ops)
    names = [op.name for op in ops]
    last = max(i for i, op in enumerate(ops) if isinstance(op, bnn.LinearOp))
    floats = {"bnn.cast", "bnn.ewise", "bnn.quantize", "bnn.float_threshold"}
    assert not floats & set(names[: last + 1])
