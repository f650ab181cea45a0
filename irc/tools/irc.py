"""The command-line tool `irc`: compile, verify, run and check models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from irc.diagnostics import EXIT_USAGE, main_guard, report

Command = Callable[[argparse.Namespace], int]

DESCRIPTION = """\
Compile binary and low-bit neural networks from ONNX to verified Verilog and portable C.

  irc check net.onnx                                       what each target supports of it
  irc compile net.onnx --target c --input x=uint8/255      a folder with C, its test and README
  irc verify net.onnx --data test.npz --input x=uint8/255  the same images at every level
"""

EPILOG = """\
irc-opt runs single passes and shows what lies between ONNX and the targets.
Exit status: 0 for success, 1 for a failure or a disagreement, 2 for wrong usage.
"""


def make_parser() -> argparse.ArgumentParser:
    """All subcommands; each module of a subcommand is imported when it is used."""
    parser = argparse.ArgumentParser(
        prog="irc",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    from irc.tools import irc_check, irc_compile, irc_run, irc_verify

    for module in (irc_check, irc_compile, irc_verify, irc_run):
        module.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code."""
    return main_guard(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"irc {version('irc-bnn')}")
        return 0
    if options.command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        return options.run(options)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError):
            raise
        return report(error, options.model)


if __name__ == "__main__":
    sys.exit(main())
