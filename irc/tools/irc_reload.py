"""`irc reload`: the weights of a retrained network, for the hardware of an earlier one."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_input, add_json

DESCRIPTION = """\
Make the configuration stream that loads a retrained network into hardware that
`irc compile --target verilog --reloadable` wrote for one of the same shape. The stream is written
as it is sent, and beside it as text, a byte a line (.hex).

  irc compile net.onnx --target verilog --reloadable --input x=uint8/255 -o net_hw
  irc reload net_hw retrained.onnx -o weights.bin

The stream names the shape of its network and ends with a checksum; hardware of another shape
refuses it. Send the bytes to s_axis_cfg in order, one a beat, TLAST with the last one, or give the
file to board/host.py --weights; README.md in the folder says more.
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "reload",
        help="make the stream that loads other weights into hardware",
        description=DESCRIPTION,
    )
    parser.add_argument("folder", metavar="DIR", help="the folder of the hardware")
    parser.add_argument("model", metavar="MODEL", help="the retrained model, .onnx or .mlir")
    add_input(parser, "(default: as for the model that the hardware was compiled from)")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="weights.bin",
        help="the file to write (default: %(default)s)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from pathlib import Path

    from irc.flow.reload import reload_weights
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, show, write_json

    check_writable(options.json)
    with step_progress() as progress:
        report = reload_weights(
            Path(options.folder),
            options.model,
            Path(options.output),
            tuple(options.input),
            progress,
        )
    show(
        f"{report.bytes} bytes, {report.cycles} cycles at a byte a cycle",
        "send them to s_axis_cfg in order, one a beat, TLAST with the last one"
        + ("; or board/host.py --weights" if report.has_board else ""),
        f"wrote {' and '.join(report.files)}",
        json=options.json,
    )
    write_json(options.json, report)
    return 0
