"""Whole networks on the devices, placed and routed: look-up tables, clock, frames a second.

    python benchmarks/rates.py --models ../shared/models
    python benchmarks/rates.py --models ../shared/models --rows tfc-up5k tfc-ecp5-25k

Each row is one `irc compile --target verilog` with the folding file of the row's name from
`benchmarks/foldings/`, or with the folding that `--fps` chooses for the frames that are to be
reached, and one `irc synth`: trained weights, the core between shift registers, no
board around it. Frames a second are what nextpnr's clock gives for the cycles of a frame. What the
tools wrote stays in a folder, for a look at their logs. Exits with 1 where a row misses the frames
or the clock that it is to reach.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDINGS = Path(__file__).with_name("foldings")
IRC = Path(sys.executable).with_name("irc")


@dataclass(frozen=True)
class Row:
    """A network on a device, and what it is to reach."""

    model: str
    device: str
    clock: float
    """MHz that are to be met."""
    frames: int
    """Frames a second, more than which are to be reached."""
    inputs: str | None = None
    """What a float input is made from."""
    aim: float | None = None
    """MHz that stages and place and route aim at, where these are more."""
    solved: bool = False
    """Whether `--fps` chooses the folding, for the device's own clock."""


TFC, CNV = "tfc_1w1a_mnist.onnx", "cnv_1w1a_cifar10.onnx"
ROWS = {
    "tfc-up5k": Row(TFC, "up5k", 24, 100_000, "uint8/255"),
    "tfc-up5k-fps": Row(TFC, "up5k", 24, 100_000, "uint8/255", solved=True),
    "tfc-ecp5-25k": Row(TFC, "ecp5-25k", 100, 2_000_000, "uint8/255"),
    "cnv-ecp5-85k": Row(CNV, "ecp5-85k", 50, 3_000, aim=70),
}


def synthesised(row: Row, name: str, models: Path, kept: Path, seed: int) -> dict[str, Any]:
    """What `irc synth --json` says of a row."""
    folder, report = kept / name, kept / f"{name}.json"
    inputs = ["--input", row.inputs] if row.inputs else []
    target = ["--device", row.device]
    target += [] if row.solved else ["--clock", f"{row.aim or row.clock:g}"]
    fold = ["--fps", str(row.frames)] if row.solved else ["--fold", str(FOLDINGS / f"{name}.txt")]
    model = str(models / row.model)
    _irc("compile", model, *inputs, "--target", "verilog", *target, *fold, "-o", str(folder))
    report.unlink(missing_ok=True)
    # A clock that is missed is not an error of the tools': the report says so.
    _irc("synth", str(folder), *target, "--seed", str(seed), "--json", str(report), may_exit=(0, 1))
    if not report.exists():
        raise SystemExit(f"irc synth failed for {name}")
    return json.loads(report.read_text(encoding="utf-8"))


def _irc(*arguments: str, may_exit: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run([IRC, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in may_exit:
        raise SystemExit(f"irc {' '.join(arguments)}\n{done.stdout}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, required=True, help="folder of the trained models")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=[*ROWS])
    parser.add_argument("--seed", type=int, default=1, help="of the placer")
    parser.add_argument("--kept", type=Path, default=Path("build/rates"), help="what was written")
    options = parser.parse_args()
    options.kept.mkdir(parents=True, exist_ok=True)
    missed = False
    print(
        "row             LUT4s  flip-flops  block RAMs   MHz  cycles  frames/s  at least  minutes"
    )
    for name in options.rows:
        row = ROWS[name]
        start = time.perf_counter()
        said = synthesised(row, name, options.models, options.kept, options.seed)
        minutes = (time.perf_counter() - start) / 60
        total = said["total"]
        missed |= said["fmax"] < row.clock or said["frames_per_second"] <= row.frames
        print(
            f"{name:14} {total['luts']:>6,} {total['flipflops']:>11,} {total['block_rams']:>11g}"
            f" {said['fmax']:>5.1f} {said['cycles']:>7,} {said['frames_per_second']:>9,.0f}"
            f" {row.frames:>9,} {minutes:>8.1f}",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
