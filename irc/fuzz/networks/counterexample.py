"""Counterexamples as files: text of the level where the trouble begins, and what to type."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.choices import Choices
from irc.fuzz.networks.levels import Disagreement, c_disagreements, examine, rtl_disagreement
from irc.fuzz.networks.random_network import SCRATCH, RandomNetwork
from irc.fuzz.networks.shrink import recorded, replayed, shrink
from irc.printing import print_ir

Array = npt.NDArray[Any]

Make = Callable[[Choices], RandomNetwork]


def trouble(network: RandomNetwork, level: str) -> Disagreement | None:
    """What is wrong with a network, levels c and rtl looked at only where they are asked for."""
    found = examine(network)
    if found.disagreement is None and level == "c":
        return c_disagreements([found])[0]
    if found.disagreement is None and level == "rtl" and "verilog" not in found.refusals:
        return rtl_disagreement(network, found)
    return found.disagreement


def shrunk(make: Make, seed: int, wrong: Disagreement) -> RandomNetwork:
    """The simplest network found, from that of a seed, that goes wrong in the same way."""

    def fails(network: RandomNetwork) -> bool:
        return wrong.is_like(trouble(network, wrong.level))

    return replayed(make, shrink(recorded(make, seed), make, fails))


@dataclass(frozen=True)
class Counterexample:
    """A network as IR text, its frames [N, …], and what to give `irc verify` to see it."""

    text: str
    frames: Array
    arguments: tuple[str, ...]


def counterexample(network: RandomNetwork, level: str) -> Counterexample:
    """A network's text: of level onnx where the way to bnn is wrong, else of level bnn."""
    module = examine(network).module
    above, inputs = "bnn", ()
    if level == "bnn" or module is None:
        above, module = "onnx", import_model(network.model)
        inputs = tuple(part for text in network.declarations for part in ("--input", text))
    levels = (above,) if above == level else (above, level)
    return Counterexample(print_ir(module), network.frames, (*inputs, "--levels", ",".join(levels)))


def write_counterexample(network: RandomNetwork, level: str, folder: Path = SCRATCH) -> str:
    """Write a network as `.mlir`, and its frames; returns the command that shows what is wrong."""
    found = counterexample(network, level)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"network_{hashlib.sha256(found.text.encode()).hexdigest()[:12]}"
    stem.with_suffix(".mlir").write_text(found.text, encoding="utf-8")
    np.savez(stem.with_suffix(".npz"), x=found.frames)
    return f"irc verify {stem}.mlir --data {stem}.npz {shlex.join(found.arguments)}"


def report(make: Make, seed: int, wrong: Disagreement) -> str:
    """Shrink what a seed gives, write it out, and say how to see it."""
    small = shrunk(make, seed, wrong)
    again = trouble(small, wrong.level)
    command = write_counterexample(small, wrong.level)
    text = wrong.text if again is None else again.text
    return f"seed {seed}, level {wrong.level}: {text}\nreproduce with: {command}"
