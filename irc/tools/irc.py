"""The command-line tool `irc`: compile, verify, run and check models."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# Nothing else is imported here: until `main` runs, Ctrl-C ends in Python's own traceback.

DESCRIPTION = """\
Compile binary and low-bit neural networks from ONNX to verified Verilog and portable C.

  irc check net.onnx                                       what each target supports of it
  irc compile net.onnx --target c --input x=uint8/255      a folder with C, its test and README
  irc verify net.onnx --data test.npz --input x=uint8/255  the same images at every level
  irc profile net-c --cpu cortex-m4                        instructions and memory on a core
  irc synth net-verilog --device up5k                      LUTs, clock and bitstream
  irc reload net-verilog retrained.onnx -o weights.bin     other weights for --reloadable hardware
  irc explore net.onnx -o net.html                         a page: every level, pass, threshold
  irc manifest net-verilog                                 is it as irc wrote it, and of what
  irc fuzz --seconds 600                                   faults of irc itself, by random files
"""

EPILOG = """\
irc-opt runs single passes and shows what lies between ONNX and the targets.
Exit status: 0 for success, 1 for a failure or a disagreement, 2 for wrong usage.
"""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; raises `UsageError`, and `SystemExit(0)` after `--help`.

    The modules of the subcommands import what they need when they are run: help must not wait
    for NumPy and xDSL.
    """
    from irc.diagnostics import EXIT_USAGE
    from irc.tools.arguments import Parser

    parser = Parser(prog="irc", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    from irc.tools import (
        irc_check,
        irc_compile,
        irc_explore,
        irc_fuzz,
        irc_manifest,
        irc_profile,
        irc_quantize,
        irc_reload,
        irc_run,
        irc_synth,
        irc_verify,
    )

    for module in (
        irc_check,
        irc_compile,
        irc_verify,
        irc_run,
        irc_quantize,
        irc_profile,
        irc_synth,
        irc_reload,
        irc_explore,
        irc_manifest,
        irc_fuzz,
    ):
        module.add_parser(commands)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands.choices.get(options.command, parser).unknown_argument(unknown[0])
    if options.command is None and not options.version:
        parser.print_help(sys.stderr)
        raise SystemExit(EXIT_USAGE)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code."""
    try:
        from irc.main_guard import main_guard

        return main_guard(lambda: _run(arguments))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    options = parse_arguments(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"irc {version('irc-bnn')}")
        return 0
    try:
        return options.run(options)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError):
            raise
        from irc.diagnostics import report

        return report(error, _source_of(error, options))


def _source_of(error: BaseException, options: argparse.Namespace) -> str | None:
    """The file that a message is about: the model, unless it begins with another one."""
    others = [vars(options).get(name) for name in ("data", "fold", "output", "json", "folder")]
    named = [f"{other}:" for other in others if other]
    named += [f"{others[-1]}/"] if others[-1] else []
    return None if str(error).startswith((*named, "standard output")) else options.model


if __name__ == "__main__":
    sys.exit(main())
