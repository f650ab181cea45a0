"""One random network through every level that is asked for, in a process of its own."""

from __future__ import annotations

import io
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from irc.errors import IrcError
from irc.fuzz.job import Job
from irc.fuzz.networks.choices import SeededChoices
from irc.fuzz.networks.counterexample import counterexample, shrunk
from irc.fuzz.networks.levels import (
    INTERPRETED,
    Disagreement,
    c_disagreements,
    examine,
    rtl_disagreement,
)
from irc.fuzz.networks.random_mixed_network import RandomMixedNetwork, make_mixed_network
from irc.fuzz.networks.random_network import RandomNetwork

READER = "network"
"""What findings of this kind are called."""


@dataclass(frozen=True)
class Examined:
    """How many targets refused the network, with reasons, and the first level that is wrong."""

    refused: int
    disagreement: Disagreement | None


def network_of(seed: int) -> RandomMixedNetwork:
    """The network of a seed."""
    return make_mixed_network(SeededChoices(seed))


def examine_seed(seed: int, levels: Collection[str]) -> Examined:
    """Compare the network of a seed at these levels; c and rtl follow where those above agree."""
    network = network_of(seed)
    wanted = {level for level in INTERPRETED if level in levels}
    wanted |= {"dataflow"} if "rtl" in levels else set()
    wanted |= {"packed"} if "c" in levels else set()
    found = examine(network, wanted)
    wrong = found.disagreement
    if wrong is None and "c" in levels:
        wrong = c_disagreements([found])[0]
    if wrong is None and "rtl" in levels and found.dataflow is not None:
        wrong = rtl_disagreement(network, found)
    return Examined(len(found.refusals), wrong)


def check_simulator(levels: Collection[str]) -> None:
    """Raise `IrcError` where level rtl is asked for and nothing simulates it."""
    if "rtl" in levels and shutil.which("iverilog") is None:
        raise IrcError(
            "level rtl: iverilog is not on PATH; on Debian and Ubuntu: sudo apt install iverilog; "
            "or leave the level out: --levels onnx,bnn,dataflow,packed,c"
        )


def valid_job(seed: int, levels: Collection[str]) -> Job:
    """The network of a seed as it is, for `irc verify`: what did not even end."""
    network = network_of(seed)
    inputs = tuple(part for text in network.declarations for part in ("--input", text))
    return Job(
        READER,
        "irc",
        ("verify", "case.onnx", "--data", "data.npz", *inputs, "--levels", ",".join(levels)),
        "case.onnx",
        network.model.SerializeToString(deterministic=True),
        {"data.npz": _archive(network.frames)},
        must_succeed=True,
    )


def shrunk_job(seed: int, wrong: Disagreement) -> Job:
    """The smallest network found that goes wrong in the same way, for `irc verify`."""
    return _job_of(shrunk(make_mixed_network, seed, wrong), wrong.level)


def _job_of(network: RandomNetwork, level: str) -> Job:
    found = counterexample(network, level)
    return Job(
        READER,
        "irc",
        ("verify", "case.mlir", "--data", "data.npz", *found.arguments),
        "case.mlir",
        found.text.encode(),
        {"data.npz": _archive(found.frames)},
        must_succeed=True,
    )


def _archive(frames: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, x=frames)
    return buffer.getvalue()
