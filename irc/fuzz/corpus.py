"""Valid files for the damage to begin with: random networks at every level, and their data."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from irc.errors import IrcError
from irc.flow.ladder import Ladder
from irc.fuzz.networks.choices import SeededChoices
from irc.fuzz.networks.random_mixed_network import RandomMixedNetwork, make_mixed_network
from irc.loading import format_of, read_bytes
from irc.passes.hardware.folding_file import format_folding
from irc.printing import print_ir

SAMPLES = 6
"""Networks of one corpus."""

LEVELS = ("bnn", "dataflow", "packed", "hw")
MAX_TEXT = 60_000
"""Characters of a text: parsing a larger one leaves no time for others."""


@dataclass(frozen=True)
class Sample:
    """A valid network: its ONNX file, how its input is declared, frames for it as `.npz` and
    `.npy`, its IR text by level, and its folding file. What it lacks is empty."""

    model: bytes = b""
    inputs: tuple[str, ...] = ()
    archive: bytes = b""
    array: bytes = b""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    folding: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The options that declare the input."""
        return tuple(part for text in self.inputs for part in ("--input", text))


@dataclass(frozen=True)
class Corpus:
    """Samples, and the board files that come with irc."""

    samples: tuple[Sample, ...]
    boards: dict[str, str]

    def having(self, *names: str) -> list[Sample]:
        """The samples that have all of these."""
        return [sample for sample in self.samples if all(getattr(sample, name) for name in names)]


def make_corpus(seed: int, files: Sequence[Path] = ()) -> Corpus:
    """The corpus of a seed, and further files `.onnx` and `.mlir`; raises `IrcError` for files
    that cannot be read."""
    samples = [_from_file(path) for path in files]
    folder = resources.files("irc.backends.boards") / "data"
    boards = {
        entry.name: entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
    for index in range(SAMPLES):
        samples.append(_sample(make_mixed_network(SeededChoices(hash_of(seed, index)))))
    return Corpus(tuple(samples), boards)


def hash_of(*numbers: int) -> int:
    """A seed that follows from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def _from_file(path: Path) -> Sample:
    data = read_bytes(path)
    if format_of(str(path)) == "onnx":
        return Sample(model=data)
    try:
        return Sample(texts={"": data.decode("utf-8")})
    except UnicodeDecodeError:
        raise IrcError(f"{path}: not UTF-8 text") from None


def _sample(network: RandomMixedNetwork) -> Sample:
    archive, array = io.BytesIO(), io.BytesIO()
    frames: Any = network.frames[:4]
    np.savez(archive, x=frames, y=np.zeros(len(frames), np.int64))
    np.save(array, frames)
    texts: dict[str, str] = {}
    folding = ""
    with tempfile.TemporaryDirectory(prefix="irc-fuzz-") as name:
        model = Path(name) / "net.onnx"
        model.write_bytes(network.model.SerializeToString(deterministic=True))
        ladder = Ladder(model, network.declarations)
        texts["onnx"] = print_ir(ladder.source)
        for level in LEVELS:
            try:
                module = getattr(ladder, level)
                texts[level] = print_ir(module)
                if level == "dataflow":
                    folding = format_folding(module)
            except IrcError:
                # Not every random network can be lowered to every level.
                continue
        data = model.read_bytes()
    short = {level: text for level, text in texts.items() if len(text) <= MAX_TEXT}
    return Sample(data, network.declarations, archive.getvalue(), array.getvalue(), short, folding)
