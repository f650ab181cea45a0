"""Networks as people train them for small devices agree at every level."""

from __future__ import annotations

import os
import shutil
from functools import cache

import numpy as np
import pytest
from named_networks import NETWORKS
from named_parts import DIALECTS

from irc.fuzz.networks.levels import Found, c_disagreements, examine, rtl_disagreement
from irc.fuzz.networks.random_network import RandomNetwork

every_network = pytest.mark.parametrize(
    ("name", "dialect"), [(name, dialect) for name in NETWORKS for dialect in DIALECTS]
)


@cache
def examined(name: str, dialect: str) -> tuple[RandomNetwork, Found]:
    network = NETWORKS[name](dialect)
    return network, examine(network)


@every_network
def test_interpreted_levels_agree(name: str, dialect: str) -> None:
    _, found = examined(name, dialect)
    assert found.disagreement is None, found.disagreement.text
    assert not found.refusals


@every_network
def test_frames_differ(name: str, dialect: str) -> None:
    # Were all results alike, agreement would promise little.
    (results,) = examined(name, dialect)[1].expected
    rows = results.reshape(len(results), -1)
    assert len(np.unique(rows, axis=0)) > len(rows) // 2


def test_compiled_c_agrees() -> None:
    every = [examined(name, dialect)[1] for name in NETWORKS for dialect in DIALECTS]
    assert c_disagreements(every) == [None] * len(every)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dialect"), [(name, DIALECTS[i % 2]) for i, name in enumerate(NETWORKS)]
)
def test_simulated_verilog_agrees(name: str, dialect: str) -> None:
    # At level bnn the dialects hardly differ any more: one of them is simulated.
    if shutil.which("iverilog") is None and not os.environ.get("CI"):
        pytest.skip("iverilog is not installed")
    network, found = examined(name, dialect)
    assert rtl_disagreement(network, found) is None
