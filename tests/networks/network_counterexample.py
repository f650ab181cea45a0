"""Counterexamples as files: text of the level where the trouble begins, and what to type."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from network_choices import Choices
from network_levels import Disagreement, c_disagreements, examine, rtl_disagreement
from network_shrink import recorded, replayed, shrink
from random_network import SCRATCH, RandomNetwork

from irc.frontend.import_onnx import import_model
from irc.printing import print_ir

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


def write_counterexample(network: RandomNetwork, level: str, folder: Path = SCRATCH) -> str:
    """Write a network as `.mlir`, and its frames; returns the command that shows what is wrong.

    Level onnx where the way to bnn is wrong, else level bnn.
    """
    module = examine(network).module
    above, inputs = "bnn", ""
    if level == "bnn" or module is None:
        above, module = "onnx", import_model(network.model)
        inputs = "".join(f" --input {text}" for text in network.declarations)
    text = print_ir(module)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"network_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    stem.with_suffix(".mlir").write_text(text, encoding="utf-8")
    np.savez(stem.with_suffix(".npz"), x=network.frames)
    return f"irc verify {stem}.mlir --data {stem}.npz{inputs} --levels {above},{level}"


def report(make: Make, seed: int, wrong: Disagreement) -> str:
    """Shrink what a seed gives, write it out, and say how to see it."""
    small = shrunk(make, seed, wrong)
    again = trouble(small, wrong.level)
    command = write_counterexample(small, wrong.level)
    text = wrong.text if again is None else again.text
    return f"seed {seed}, level {wrong.level}: {text}\nreproduce with: {command}"
