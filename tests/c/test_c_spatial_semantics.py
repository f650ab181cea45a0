"""Convolutions, borders and pools at the packed level compute what the bnn level says."""

from __future__ import annotations

from random import Random

import numpy as np
from arena_checks import check_arena
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_networks import to_packed
from random_networks import random_frames
from spatial_networks import spatial_network

from irc.interp.run import run_module


@given(
    random=st.randoms(use_true_random=False),
    word=st.sampled_from([8, 16, 32, 64]),
    products=st.sampled_from([0, 8, 64]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_packed_equals_bnn_in_space(random: Random, word: int, products: int) -> None:
    module = spatial_network(random)
    module.verify()
    frames = random_frames(module, random, 4)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word, "swar", products), [frames])
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@given(random=st.randoms(use_true_random=False), word=st.sampled_from([8, 32]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_computed_on_demand_find_their_operands_alive(random: Random, word: int) -> None:
    check_arena(to_packed(spatial_network(random), word))
