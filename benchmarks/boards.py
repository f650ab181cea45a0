"""A trained network on every board that open tools make a bitstream for: clock and look-up tables.

    python benchmarks/boards.py --model ../shared/models/tfc_1w1a_mnist.onnx --input uint8/255
    python benchmarks/boards.py --model NET.onnx --boards tangnano9k --reloadable

Each row is one `irc compile --target verilog --board` with the folding that `--fps` chooses, and
one `irc synth`: core, bridge and clock, at the board's pins. MHz are nextpnr's beside those that
the board's PLL makes. What the tools wrote stays in a folder. Exits with 1 where a clock is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irc.backends.boards.board import board_names, load_board

IRC = Path(sys.executable).with_name("irc")

HEADINGS = (
    "board",
    "device",
    "LUTs",
    "around the core",
    "block RAMs",
    "MHz",
    "of",
    "frames a second",
)


def routed_boards() -> list[str]:
    """The boards whose device can be placed and routed."""
    return [name for name in board_names() if load_board(name).device.route]


def synthesised(model: Path, options: Sequence[str], board: str, kept: Path) -> dict[str, Any]:
    """What `irc synth --json` says of the network on a board."""
    folder, report = kept / board, kept / f"{board}.json"
    target = ("--target", "verilog", "--board", board)
    _irc("compile", str(model), *target, *options, "-o", str(folder))
    report.unlink(missing_ok=True)
    # A clock that is missed is not an error of the tools': the report says so.
    _irc("synth", str(folder), "--json", str(report), may_exit=(0, 1))
    if not report.exists():
        raise SystemExit(f"irc synth failed for {board}")
    return json.loads(report.read_text(encoding="utf-8"))


def _irc(*arguments: str, may_exit: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run([IRC, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in may_exit:
        raise SystemExit(f"irc {' '.join(arguments)}\n{done.stdout}")


def row(found: dict[str, Any]) -> str:
    """A line of the table."""
    around = found["around"]
    cells = (
        found["board"],
        found["device"],
        f"{found['total']['luts'] + around['luts']:,}",
        f"{around['luts']:,}",
        f"{found['total']['block_rams'] + around['block_rams']:g}",
        f"{found['fmax']:.1f}",
        f"{found['clock']:g}",
        f"{found['frames_per_second']:,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    boards = routed_boards()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", help="what a float input is made from")
    parser.add_argument("--fps", type=float, default=100_000, help="frames a second of the core")
    parser.add_argument("--boards", nargs="+", choices=boards, default=boards)
    parser.add_argument("--reloadable", action="store_true", help="with weights that are loaded")
    parser.add_argument("--kept", type=Path, default=Path("build/boards"), help="what was written")
    options = parser.parse_args()
    options.kept.mkdir(parents=True, exist_ok=True)
    given = ["--fps", f"{options.fps:g}"]
    given += ["--input", options.input] if options.input else []
    given += ["--reloadable"] if options.reloadable else []
    missed = False
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}", flush=True)
    for board in options.boards:
        start = time.monotonic()
        found = synthesised(options.model, given, board, options.kept)
        missed |= found["fmax"] < found["clock"]
        print(row(found), flush=True)
        print(f"{board}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
