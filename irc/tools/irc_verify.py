"""`irc verify`: the same inputs at every level, compared with ONNX Runtime."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from irc.tools.arguments import add_fold, add_json, add_model, positive

DEFAULT_RTL_LIMIT = 100

MAX_LAYERS = 3
"""Layers that one note names."""

DESCRIPTION = """\
Run the same inputs through the model at every level, from ONNX Runtime down to simulated
Verilog, and compare all results: integers must be equal, floats within 4 units in the last
place of the frame's largest result or what the model's own float32 sums may be off. Any
disagreement makes it exit with 1 and name the first
image, level and value that differ.

  irc verify net.onnx --data test.npz --input x=uint8/255
  irc verify net.onnx --data test.npz --levels onnx,c --limit 1000
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "verify",
        help="run the same inputs at every level and compare",
        description=DESCRIPTION,
    )
    add_model(parser)
    parser.add_argument(
        "--data",
        required=True,
        metavar="FILE",
        help=".npz with the inputs as x and, if known, the classes as y; or .npy with the inputs",
    )
    parser.add_argument(
        "--levels",
        metavar="LIST",
        help="comma-separated; the first in this order is the reference (default: "
        "onnx,bnn,dataflow,packed,c,rtl, without onnx for IR text of another level)",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="use only the first N inputs")
    parser.add_argument(
        "--rtl-limit",
        type=positive,
        default=DEFAULT_RTL_LIMIT,
        metavar="N",
        help="simulate only the first N inputs (default: %(default)s)",
    )
    add_fold(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.flow.check import ambiguous_layers
    from irc.flow.frames import load_data
    from irc.flow.ladder import Ladder
    from irc.flow.levels import LEVELS
    from irc.flow.options import pass_options
    from irc.flow.verify import check_levels, verify
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, show, verify_lines, write_json

    asked: list[str] = options.levels.split(",") if options.levels is not None else list(LEVELS)
    levels = check_levels([level.strip() for level in asked])
    check_writable(options.json)
    with step_progress() as progress:
        data = load_data(options.data).limited(options.limit)
        ladder = Ladder(options.model, tuple(options.input), pass_options(options.fold), progress)
        if options.levels is None and ladder.level != "onnx":
            levels.remove("onnx")
        result = verify(ladder, data, levels, options.rtl_limit, progress)
    if "onnx" not in levels and options.levels is None:
        _note(
            f"{options.model} is text at level {ladder.level}, behind the ONNX model: the others "
            f"are compared with level {result.reference}"
        )
    if result.reference == "onnx" and not result.agrees:
        layers = [layer.node for layer in ambiguous_layers(ladder.function)]
        if layers:
            _note(
                f"the model's own float32 rounding decides at some sums in front of "
                f"{_listed(layers)}; 'irc check' names them. Where only those disagree, "
                "no level is wrong: another machine may answer either way"
            )
    show(*verify_lines(result), json=options.json)
    write_json(options.json, result)
    return 0 if result.agrees else 1


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_LAYERS])
    left = len(names) - MAX_LAYERS
    return shown if left <= 0 else f"{shown} and {left} more"
