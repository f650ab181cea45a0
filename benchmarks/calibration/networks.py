"""Whole networks at several foldings, as samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from calibration.results import Results
from calibration.samples import Sample, design_samples, largest_device
from irc.errors import IrcError
from irc.flow.hardware_goal import HardwareGoal
from irc.flow.ladder import Ladder
from irc.passes.hardware.design import design_of

ROOT = Path(__file__).resolve().parents[2]

MNIST = ROOT / "examples" / "mnist" / "mnist_64x3_1w1a.onnx"

GOALS: dict[str, tuple[float, ...]] = {"mnist_64x3_1w1a": (3_000,)}
"""Frames a second that networks are folded for whose units are fitted, by the name of the file."""

HELD_OUT: dict[str, tuple[float, ...]] = {
    "mnist_64x3_1w1a": (40_000,),
    "tfc_1w1a_mnist": (100_000,),
    "tfc_1w2a_mnist": (10_000,),
    "lfc_1w1a_mnist": (3_000,),
    "cnv_1w1a_cifar10": (300,),
}
"""The same for those that only tell how good the fit is."""

LARGE = {"ice40": ("lfc_1w1a_mnist", "cnv_1w1a_cifar10")}
"""Networks that are larger than any device of a family."""


def network_samples(
    family: str, models: Path | None, results: Results, only: Sequence[str] | None = None
) -> list[Sample]:
    """The units of the network that lies here, and of those in `models`, at a few rates each; or
    only of some of these, by the names of their files."""
    device = largest_device(family)
    paths = [MNIST, *sorted(models.glob("*.onnx"), key=_size)] if models is not None else [MNIST]
    found: list[Sample] = []
    for path in paths:
        if path.stem in LARGE.get(family, ()) or (only and path.stem not in only):
            continue
        fitted = GOALS.get(path.stem, ())
        for fps in (*fitted, *HELD_OUT.get(path.stem, ())):
            name = f"{path.stem} {fps:,g}"
            inputs = ("uint8/255",) if "tfc" in path.stem or path == MNIST else ()
            goal = HardwareGoal(device.name, device.clock, fps)
            ladder = Ladder(path, inputs, goal.passes(), name=path.stem)
            try:
                design = design_of(ladder.dataflow)
            except IrcError as error:
                print(f"{name}: {error}", flush=True)
                continue
            samples = design_samples(name, design, ladder.hw, family, results)
            found += [replace(sample, held_out=fps not in fitted) for sample in samples]
            print(f"{family}: {name}", flush=True)
    return found


def _size(path: Path) -> int:
    return path.stat().st_size
