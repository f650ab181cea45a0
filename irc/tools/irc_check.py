"""`irc check`: what in a model stands in the way of which target."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any

from irc.tools.arguments import add_explain_rejections, add_json, add_model

DESCRIPTION = """\
Say what each target supports of a model: every obstacle at once, with the node's name, before
anything is compiled. Exits with 1 if there is any.

  irc check net.onnx --input x=uint8/255
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="say what each target supports of a model",
        description=DESCRIPTION,
    )
    add_model(parser)
    add_json(parser)
    add_explain_rejections(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.flow.check import check
    from irc.flow.ladder import Ladder
    from irc.rejections import Recorder, recording
    from irc.tools.rejection_table import rejection_table
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_tables, check_writable, show, write_json

    check_writable(options.json)
    recorder = Recorder() if options.explain_rejections else None
    with step_progress() as progress, recording(recorder) if recorder else nullcontext():
        result = check(Ladder(options.model, tuple(options.input), observer=progress))
    explained = () if recorder is None else (rejection_table(recorder),)
    show(*check_tables(result), *explained, json=options.json)
    write_json(options.json, result)
    return 1 if result.findings else 0
