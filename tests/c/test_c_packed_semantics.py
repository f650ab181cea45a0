"""The packed level computes what the bnn level says, on random networks."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_networks import random_frames, random_network
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.interp.run import run_module
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.software.plan_arena import PlanArena

FRAMES = 6


def to_packed(module: ModuleOp, word: int, products: int) -> ModuleOp:
    """The network at level packed, verified after each pass."""
    module = module.clone()
    for step in (ConvertBnnToPacked(word, "swar", products), PlanArena()):
        step.apply(Context(), module)
        module.verify()
    return module


@given(
    random=st.randoms(use_true_random=False),
    word=st.sampled_from([8, 16, 32, 64]),
    products=st.sampled_from([0, 8, 64]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_packed_equals_bnn(random: Random, word: int, products: int) -> None:
    module = random_network(random)
    module.verify()
    frames = random_frames(module, random, FRAMES)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word, products), [frames])
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
