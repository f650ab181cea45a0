"""Networks with branches: the same results from bnn to hardware, at the cycles promised."""

from __future__ import annotations

import pytest
from dag_nets import dag_samples
from hardware_checks import check_network, check_rate, quietly
from hardware_nets import Sample
from hypothesis import given, settings
from residual_designs import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_agree_from_bnn_to_hardware(name: str) -> None:
    check_network(NETWORKS[name](1), fifos=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_run_at_the_rate_of_the_slowest_unit(name: str) -> None:
    check_rate(NETWORKS[name](1))


@given(dag_samples())
@settings(quietly, max_examples=20)
def test_branches_agree_from_bnn_to_hardware(sample: Sample) -> None:
    check_network(sample, fifos=True)


@pytest.mark.slow
@given(dag_samples())
@settings(quietly, max_examples=120)
def test_branches_agree_from_bnn_to_hardware_on_many(sample: Sample) -> None:
    check_network(sample, fifos=True)
