"""All named pipelines keep the answers of networks as people export them, pass by pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from named_networks import NETWORKS
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.arg_spec import ArgSpec

from irc.flow.each_pass.checker import EachPassChecker
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.random_mixed_network import random_mixed_network
from irc.loading import load_file, new_context
from irc.pipelines import steps_to
from irc.running import build_passes, run_passes
from irc.universe import discover

MNIST = Path(__file__).resolve().parents[3] / "examples/mnist/mnist_64x3_1w1a.onnx"


def checked(module: ModuleOp, level: str, inputs: tuple[str, ...]) -> EachPassChecker:
    """Run the pipelines to a level, each pass held to the one before."""
    text = ",".join(step.spec for step in steps_to(module, level))
    settings = {"declare-inputs": ArgSpec("declare-inputs", {"inputs": inputs})}
    checker = EachPassChecker()
    run_passes(new_context(), module, build_passes(discover(), text, settings), observers=[checker])
    return checker


@pytest.mark.parametrize("level", ["hw", "packed"])
def test_a_trained_network(level: str) -> None:
    checker = checked(load_file(new_context(), MNIST), level, ("image=uint8/255",))
    assert [skipped.pass_name for skipped in checker.skipped] == ["declare-inputs"]
    assert {"lift-onnx-to-bnn", "streamline", "fold-thresholds"} <= set(checker.compared)
    last = {"hw": "erase-unused-operations", "packed": "plan-arena"}
    assert checker.compared[-1] == last[level]


@pytest.mark.parametrize("name", ["keyword_spotting", "autoencoder"])
@pytest.mark.parametrize("level", ["dataflow", "packed"])
def test_networks_for_small_devices(name: str, level: str) -> None:
    network = NETWORKS[name]("qonnx")
    checker = checked(import_model(network.model), level, network.declarations)
    assert [skipped.pass_name for skipped in checker.skipped] == ["declare-inputs"]
    assert len(checker.compared) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet8", "unet"])
@pytest.mark.parametrize("level", ["dataflow", "packed"])
def test_networks_with_branches(name: str, level: str) -> None:
    network = NETWORKS[name]("qdq")
    checker = checked(import_model(network.model), level, network.declarations)
    assert [skipped.pass_name for skipped in checker.skipped] == ["declare-inputs"]
    assert len(checker.compared) >= 6


@pytest.mark.parametrize("seed", range(6))
def test_random_networks(seed: int) -> None:
    # Float arithmetic of random constants: rounding moves answers, and is not taken for a mistake.
    network = random_mixed_network(seed)
    checker = checked(import_model(network.model), "bnn", network.declarations)
    assert {skipped.pass_name for skipped in checker.skipped} <= {"declare-inputs"}
