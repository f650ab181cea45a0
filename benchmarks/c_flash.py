"""Flash and RAM of generated C: weights beside their bits, thresholds, arena.

    python benchmarks/c_flash.py --models ../shared/models
    python benchmarks/c_flash.py --models ../shared/models --word 8 --json figures.json

For each network the bytes of its weights, how many times their bits these are, the other constants
(thresholds and the like) and the arena; with --layers the same for each layer. The exit code is 1
where a network is over one of the limits: weights in 1.03 times their bits; 300 bytes of arena for
TFC, 20 KB for CNV.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from irc.backends.c.source import CSource, emit_c
from irc.flow.firmware import FirmwareOptions
from irc.flow.ladder import Ladder

MODELS = {
    "tfc_1w1a_mnist": ("0=uint8/255",),
    "tfc_1w2a_mnist": ("0=uint8/255",),
    "lfc_1w1a_mnist": (),
    "cnv_1w1a_cifar10": (),
}
"""Networks, and what is said about their inputs."""

MOST_PER_BIT = 1.03
MOST_ARENA = {"tfc_1w1a_mnist": 300, "cnv_1w1a_cifar10": 20_000}


@dataclass(frozen=True)
class Figure:
    """What a network takes, in bytes but for `weight_bits`."""

    name: str
    weight_bits: int
    weights: int
    per_bit: float
    other_constants: int
    arena: int

    @property
    def is_over(self) -> bool:
        """Whether a limit is broken."""
        too_wide = self.per_bit > MOST_PER_BIT
        return too_wide or self.arena > MOST_ARENA.get(self.name, self.arena)


def compiled(folder: Path, name: str, word: int) -> CSource:
    """The C of a model."""
    options = FirmwareOptions(word=word).passes()
    return emit_c(Ladder(str(folder / f"{name}.onnx"), MODELS[name], options).packed)


def figure_of(name: str, source: CSource) -> Figure:
    """The figures of a network."""
    return Figure(
        name,
        source.weight_bits,
        source.weight_bytes,
        source.weight_ratio,
        source.flash_bytes - source.weight_bytes,
        source.arena_bytes,
    )


def row(figure: Figure) -> str:
    """A line of the table."""
    return (
        f"{figure.name:<18}{figure.weight_bits:>12,}{figure.weights:>10,}{figure.per_bit:>9.3f}"
        f"{figure.other_constants:>9,}{figure.arena:>8,}{'  over' if figure.is_over else ''}"
    )


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", type=Path, required=True, help="folder with the ONNX files")
    parser.add_argument("--word", type=int, default=32, choices=(8, 16, 32, 64))
    parser.add_argument("--layers", action="store_true", help="print each layer as well")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    print(
        f"{'network':<18}{'weight bits':>12}{'weights':>10}{'per bit':>9}{'others':>9}{'arena':>8}"
    )
    found: list[Figure] = []
    for name in MODELS:
        source = compiled(options.models, name, options.word)
        found.append(figure_of(name, source))
        print(row(found[-1]))
        for layer in source.layers if options.layers else ():
            if layer.weights:
                ratio = 8 * layer.weights / layer.weight_bits
                rest = layer.flash - layer.weights
                print(
                    f"  {layer.label:<16}{layer.weight_bits:>12,}{layer.weights:>10,}"
                    f"{ratio:>9.3f}{rest:>9,}"
                )
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(figure) for figure in found], indent=2) + "\n")
    return int(any(figure.is_over for figure in found))


if __name__ == "__main__":
    sys.exit(main())
