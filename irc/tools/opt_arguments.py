"""The command line of `irc-opt`: options, help that teaches, and near misses explained.

Only the standard library is imported here, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from irc.errors import UsageError

LEVELS = ("onnx", "bnn", "dataflow", "hw", "packed")

DESCRIPTION = """\
Read a neural network or its IR, run passes on it, and print the result.

The input is an ONNX model (.onnx) or IR text (.mlir, or standard input). The result goes to
standard output or to the file given with -o, everything else to standard error.
"""

EXAMPLES = """\
examples:
  irc-opt net.onnx                            the model as the compiler reads it
  irc-opt net.onnx --elide-constants          the same without a screenful of weights
  irc-opt net.onnx --compile-to=bnn --input 0=uint8/255
                                              down to integers; the input is a uint8 / 255
  irc-opt net.onnx --compile-to=hw -t 'verilog{top=net}' -o net.v
  irc-opt net.onnx --compile-to=packed -t 'c{name=net}' -o net.c
  irc-opt layer.mlir -p 'canonicalize,fold-thresholds'
                                              chosen passes, in this order
  irc-opt layer.mlir -p 'declare-inputs{inputs="0=uint8/255"}'
                                              a pass with an option
  irc-opt layer.mlir --load my_pass.py -p my-pass
                                              a pass of your own, from a Python file
  irc-opt net.onnx --compile-to=bnn --print-ir-after-change --elide-constants > /dev/null
                                              watch what each pass does
  cat layer.mlir | irc-opt -p fold-thresholds --timing

exit code: 0 done, 1 the input or a pass failed, 2 wrong usage.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a usage text that hides the message."""
        raise UsageError(f"{message}\n(irc-opt --help explains all options)")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; raises `UsageError`, and `SystemExit(0)` after `--help`."""
    parser = _build()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        raise UsageError(_unknown_argument(parser, unknown[0]))
    return arguments


def _unknown_argument(parser: argparse.ArgumentParser, argument: str) -> str:
    if not argument.startswith("-"):
        return f"unexpected argument '{argument}': irc-opt reads one input file"
    known = [name for action in parser._actions for name in action.option_strings]  # pyright: ignore[reportPrivateUsage]
    close = get_close_matches(argument.split("=")[0], known, 1, 0.6)
    hint = f"; did you mean '{close[0]}'?" if close else " (irc-opt --help lists all options)"
    return f"unknown option '{argument}'{hint}"


def _build() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="irc-opt",
        usage="irc-opt [OPTIONS] [FILE]",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument(
        "input", nargs="?", metavar="FILE", help=".onnx or .mlir; - or nothing for standard input"
    )
    _add_input(parser.add_argument_group("input"))
    _add_passes(parser.add_argument_group("passes"))
    _add_output(parser.add_argument_group("output"))
    _add_observation(parser.add_argument_group("watching passes (on standard error)"))
    _add_lists(parser.add_argument_group("what there is"))
    return parser


def _add_input(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    group.add_argument(
        "-f",
        "--frontend",
        choices=("onnx", "mlir"),
        help="how to read the input, where the extension does not say it",
    )
    group.add_argument(
        "--input",
        dest="declared_inputs",
        action="append",
        default=[],
        metavar="NAME=TYPE",
        help="what the network's input really is, as in 0=uint8/255 (a uint8 divided by 255) or "
        "x=bipolar; for the pass declare-inputs; may be given for each input",
    )
    group.add_argument(
        "--split-input-file",
        action="store_true",
        help="treat the pieces between '// -----' lines as separate inputs",
    )
    group.add_argument(
        "--allow-unregistered-dialect",
        action="store_true",
        help="accept operations, types and attributes of unknown dialects in IR text",
    )


def _add_passes(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    group.add_argument(
        "-p",
        "--passes",
        action="append",
        default=[],
        metavar="PIPELINE",
        help="passes to run, separated by commas, options in braces: 'a{x=1 y=2},b'; "
        "after those of --compile-to",
    )
    group.add_argument(
        "--compile-to",
        choices=LEVELS,
        metavar="LEVEL",
        help=f"run the named pipelines from the input's level to one of {', '.join(LEVELS)}",
    )
    group.add_argument(
        "--with",
        dest="settings",
        action="append",
        default=[],
        metavar="PASS{OPTIONS}",
        help="options for a pass of the pipelines, as in --with 'declare-inputs{inputs=…}'",
    )
    group.add_argument(
        "--load",
        action="append",
        default=[],
        metavar="FILE.py",
        help="make the passes, dialects, targets and universes of a Python file available",
    )
    group.add_argument(
        "--disable-verify",
        action="store_true",
        help="do not verify the input and the result of every pass",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    group.add_argument("-o", "--output", metavar="FILE", help="where to write; whole or not at all")
    group.add_argument(
        "-t",
        "--target",
        default="mlir",
        metavar="TARGET{OPTIONS}",
        help="what to print: mlir (the default), verilog{top=…}, c{name=…} or another of "
        "--list-targets",
    )
    group.add_argument(
        "--elide-constants",
        action="store_true",
        help="cut long constants short: for reading, does not parse back",
    )
    group.add_argument(
        "--print-op-generic", action="store_true", help="print operations in MLIR's generic form"
    )
    group.add_argument(
        "--print-debuginfo", action="store_true", help="print the location of every operation"
    )


def _add_observation(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    group.add_argument(
        "--print-ir-after-all", action="store_true", help="print the IR after every pass"
    )
    group.add_argument(
        "--print-ir-after-change",
        action="store_true",
        help="print the IR after every pass that changed it",
    )
    group.add_argument(
        "--print-ir-diff", action="store_true", help="print what each pass changed, as a diff"
    )
    group.add_argument("--timing", action="store_true", help="print how long everything took")


def _add_lists(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    group.add_argument("--list-passes", action="store_true", help="every pass with its options")
    group.add_argument(
        "--list-pipelines",
        action="store_true",
        help="the passes of --compile-to, and why each is there",
    )
    group.add_argument("--list-dialects", action="store_true", help="every dialect")
    group.add_argument("--list-targets", action="store_true", help="every target with its options")
    group.add_argument("--version", action="store_true", help="print the version and exit")
    group.add_argument("-h", "--help", action="help", help="print this and exit")
