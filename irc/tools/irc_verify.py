"""`irc verify`: the same inputs at every level, compared with ONNX Runtime."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_fold, add_json, add_model, positive

DEFAULT_RTL_LIMIT = 100

DESCRIPTION = """\
Run the same inputs through the model at every level, from ONNX Runtime down to simulated
Verilog, and compare all results: integers must be equal, floats within 4 units in the last
place of the frame's largest result. Any disagreement makes it exit with 1 and name the first
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
        default="onnx,bnn,dataflow,packed,c,rtl",
        metavar="LIST",
        help="comma-separated; the first in this order is the reference (default: %(default)s)",
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
    from irc.flow.frames import load_data
    from irc.flow.ladder import Ladder
    from irc.flow.options import pass_options
    from irc.flow.verify import check_levels, verify
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, show, verify_lines, write_json

    levels = check_levels([level.strip() for level in options.levels.split(",")])
    check_writable(options.json)
    with step_progress() as progress:
        data = load_data(options.data).limited(options.limit)
        ladder = Ladder(options.model, tuple(options.input), pass_options(options.fold), progress)
        result = verify(ladder, data, levels, options.rtl_limit, progress)
    show(*verify_lines(result), json=options.json)
    write_json(options.json, result)
    return 0 if result.agrees else 1
