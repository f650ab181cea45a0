"""`irc run`: any level's module on data, in its interpreter."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_json, add_model, positive

DESCRIPTION = """\
Run a model, or the IR text of any level, on data, in the interpreter of its level.

  irc-opt net.onnx --compile-to=bnn --input x=uint8/255 -o net.mlir
  irc run net.mlir --data test.npz -o results.npy
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run",
        help="run a model or IR text on data",
        description=DESCRIPTION,
    )
    add_model(
        parser, "an .onnx model, or .mlir text of the level onnx, bnn, dataflow, packed or hw"
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help=".npz with x and perhaps y, or .npy"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N inputs")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the results, one row an input, as .npy; several outputs, by name, as .npz",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.flow.frames import load_data
    from irc.flow.run_ir import run_file
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, run_lines, show, write_array, write_json

    check_writable(options.json)
    check_writable(options.output)
    with step_progress() as progress:
        data = load_data(options.data).limited(options.limit)
        result = run_file(options.model, data, tuple(options.input), progress, array=options.output)
    write_array(options.output, result.outputs)
    show(*run_lines(result), json=options.json, array=options.output)
    write_json(options.json, result.summary())
    return 0
