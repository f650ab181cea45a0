"""A broken pass is found by the random networks, and what shows it is small and reproducible."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.fuzz.networks.choices import Choices
from irc.fuzz.networks.counterexample import report, shrunk
from irc.fuzz.networks.levels import Disagreement, examine
from irc.fuzz.networks.random_mixed_network import make_mixed_network, random_mixed_network
from irc.fuzz.networks.shrink import recorded, replayed, shrink
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.streamline.narrow_accumulators import NarrowAccumulators
from irc.tools.irc import main

Apply = Callable[[ModulePass, Context, ModuleOp], None]


def raise_thresholds(module: ModuleOp) -> None:
    """The mistake: thresholds right behind a convolution are one too high."""
    for op in module.walk():
        if isinstance(op, bnn.ThresholdOp) and isinstance(op.input.owner, bnn.ConvOp):
            op.thresholds = bnn.DenseAttr.from_integers(op.thresholds.numpy() + 1)


def break_pass(monkeypatch: pytest.MonkeyPatch, broken: type[ModulePass], first: bool) -> None:
    """Let a pass make the mistake before its work, or after it."""
    apply: Apply = broken.apply

    def wrong(self: ModulePass, ctx: Context, op: ModuleOp) -> None:
        if first:
            raise_thresholds(op)
        apply(self, ctx, op)
        if not first:
            raise_thresholds(op)

    monkeypatch.setattr(broken, "apply", wrong)


def first_trouble(level: str) -> tuple[int, Disagreement]:
    """The first seed whose network goes wrong, and how."""
    for seed in range(200):
        found = examine(random_mixed_network(seed)).disagreement
        if found is not None:
            assert (found.level, found.is_error) == (level, False), found.text
            return seed, found
    raise AssertionError("nobody noticed")


def test_what_does_not_matter_is_dropped() -> None:
    def total(choices: Choices) -> tuple[int, ...]:
        return tuple(choices.integer(0, 50) for _ in range(choices.integer(0, 20)))

    def fails(numbers: tuple[int, ...]) -> bool:
        return any(number >= 7 for number in numbers)

    for seed in range(30):
        if fails(make := replayed(total, recorded(total, seed))):
            assert replayed(total, shrink(recorded(total, seed), total, fails)) == (7,), make


def test_a_recording_gives_the_network_of_its_seed() -> None:
    again = replayed(make_mixed_network, recorded(make_mixed_network, 11))
    assert again.model == random_mixed_network(11).model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "level", "first"),
    [
        (NarrowAccumulators, "bnn", False),
        (ConvertBnnToDataflow, "dataflow", True),
        (ConvertBnnToPacked, "packed", True),
    ],
)
def test_a_broken_pass_is_found_and_its_counterexample_shrunk(
    broken: type[ModulePass],
    level: str,
    first: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_pass(monkeypatch, broken, first)
    text = report(make_mixed_network, *first_trouble(level))
    command = shlex.split(text.split("reproduce with: ")[1])
    assert command[:2] == ["irc", "verify"]
    assert command[2].endswith(".mlir")
    assert main(command[1:]) == 1
    monkeypatch.undo()
    assert main(command[1:]) == 0
    capsys.readouterr()


@pytest.mark.slow
def test_little_is_left_of_a_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    break_pass(monkeypatch, NarrowAccumulators, False)
    seed, found = first_trouble("bnn")
    small = shrunk(make_mixed_network, seed, found)
    kinds = [node.op_type for node in small.model.graph.node]
    assert sum(kind in ("Conv", "ConvInteger", "QLinearConv") for kind in kinds) == 1
    assert len(kinds) <= 12
    assert small.frames[0].size <= 4
    assert small.model == shrunk(make_mixed_network, seed, found).model
