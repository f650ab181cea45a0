"""Whole networks at several foldings, as samples."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from xdsl.dialects.builtin import StringAttr

from calibration.results import Results
from calibration.samples import (
    Built,
    Sample,
    design_samples,
    largest_device,
    synthesise_designs,
)
from irc.errors import IrcError
from irc.flow.ladder import Ladder
from irc.flow.lowering import Options
from irc.passes.hardware.design import DEVICE, design_of
from irc.passes.hardware.resource_model.estimate import estimate_design

ROOT = Path(__file__).resolve().parents[2]

MNIST = ROOT / "examples" / "mnist" / "mnist_64x3_1w1a.onnx"

FOLDINGS = ROOT / "benchmarks" / "foldings"

FASTER = (1, 16, 256, 2048)
"""How many times as fast as the smallest design networks are folded, as far as the largest device
of a family has room."""

SMALL_FASTER = (1, 16)
"""The same for the networks of the tests, of which there are many."""

FILES = {"cnv-ecp5-85k": "cnv_1w1a_cifar10", "tfc-ecp5-25k": "tfc_1w1a_mnist",
         "tfc-up5k": "tfc_1w1a_mnist"}  # fmt: skip
"""Folding files, by the network that they fold."""


@dataclass(frozen=True)
class Network:
    """A model, and what its inputs are made from."""

    name: str
    path: Path
    inputs: tuple[str, ...]
    faster: tuple[int, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether it only tells how good the fit is: half of all, by a hash of the name."""
        return bool(hashlib.sha256(self.name.encode()).digest()[0] % 2)


def networks(models: Path | None, folder: Path) -> Iterator[Network]:
    """The network that lies here, those in `models`, smallest first, and those of the tests, whose
    models are written to `folder`."""
    paths = [MNIST, *sorted(models.glob("*.onnx"), key=_size)] if models is not None else [MNIST]
    for path in paths:
        inputs = ("uint8/255",) if "tfc" in path.stem or path == MNIST else ()
        yield Network(path.stem, path, inputs, FASTER)
    yield from _of_the_tests(folder)


def _of_the_tests(folder: Path) -> Iterator[Network]:
    sys.path.insert(0, str(ROOT / "tests" / "networks"))
    try:
        from named_networks import NETWORKS  # pyright: ignore
        from residual_networks import KINDS, residual_network  # pyright: ignore
    finally:
        sys.path.pop(0)
    for kind in KINDS:
        yield _saved(folder, kind, residual_network(kind, 0), ("x=int8/128",))
    for name, make in NETWORKS.items():
        made = make("qonnx")
        yield _saved(folder, name, made.model, made.declarations)


def _saved(folder: Path, name: str, model: onnx.ModelProto, inputs: tuple[str, ...]) -> Network:
    path = folder / f"{name}.onnx"
    onnx.save(model, path)  # pyright: ignore[reportUnknownMemberType]
    return Network(name, path, inputs, SMALL_FASTER)


def network_samples(
    family: str, models: Path | None, results: Results, only: Sequence[str] | None = None
) -> list[Sample]:
    """The units of networks at a few foldings each; or only of some, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        found = [
            built
            for network in networks(models, Path(folder))
            if not only or network.name in only
            for built in _folded(network, family)
        ]
    # Whatever is known by then tells most if small ones come first.
    synthesise_designs(sorted(found, key=lambda built: built.luts), family, results)
    return [sample for built in found for sample in design_samples(built, family, results)]


def _folded(network: Network, family: str) -> Iterator[Built]:
    """A network at its foldings, those that fit the largest device of a family. They do not depend
    on what the models say now."""
    slowest = 10**12
    for factor in network.faster:
        options: Options = {"fold-layers": {"target_cycles": (slowest // factor,)}}
        try:
            built = _built(network, f"{network.name}_{factor}", options, family)
        except IrcError:
            # Some unit takes more cycles however it is folded.
            break
        if built.luts > largest_device(family).luts:
            break
        slowest = built.design.cycles() if factor == 1 else slowest
        yield built
    for file, name in FILES.items():
        if name == network.name and family in file.replace("up5k", "ice40"):
            options = {"set-folding": {"file": (str(FOLDINGS / f"{file}.txt"),)}}
            yield _built(network, f"{network.name}_by_file", options, family)


def _built(network: Network, name: str, options: Options, family: str) -> Built:
    """A network folded for a family."""
    ladder = Ladder(network.path, network.inputs, options, name=name)
    design = design_of(ladder.dataflow)
    design.function.attributes[DEVICE] = StringAttr(largest_device(family).name)
    luts = estimate_design(design, family)[1].luts
    return Built(
        f"{network.name} {design.cycles():,}",
        network.name,
        design,
        ladder.hw,
        luts,
        network.is_held_out,
    )


def _size(path: Path) -> int:
    return path.stat().st_size
