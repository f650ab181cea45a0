"""The command line of `irc-opt`: options in groups, and near misses explained.

Only the standard library is imported here, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from irc.errors import UsageError
from irc.near_misses import did_you_mean
from irc.tools.arguments import natural
from irc.tools.opt_check_each import add_check_each, with_empty_value
from irc.tools.opt_help import DESCRIPTION, EXAMPLES

LEVELS = ("onnx", "bnn", "dataflow", "hw", "packed")

Group = argparse._ArgumentGroup  # pyright: ignore[reportPrivateUsage]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise instead of printing a usage text that hides the message."""
        raise UsageError(f"{message}\n(irc-opt --help explains all options)")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; raises `UsageError`, and `SystemExit(0)` after `--help`."""
    parser = _build()
    words = with_empty_value(sys.argv[1:] if argv is None else argv)
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        raise UsageError(_unknown_argument(parser, unknown[0]))
    return arguments


def _unknown_argument(parser: argparse.ArgumentParser, argument: str) -> str:
    if not argument.startswith("-"):
        return f"unexpected argument '{argument}': irc-opt reads one input file"
    known = [name for action in parser._actions for name in action.option_strings]  # pyright: ignore[reportPrivateUsage]
    hint = did_you_mean(argument.split("=")[0], known)
    return f"unknown option '{argument}'{hint or ' (irc-opt --help lists all options)'}"


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
    _add_printing(parser.add_argument_group("printing IR between passes (to standard error)"))
    _add_measuring(parser.add_argument_group("measuring passes (to standard error)"))
    _add_checking(parser.add_argument_group("finding what is wrong"))
    _add_lists(parser.add_argument_group("what there is"))
    return parser


def _one_of(kind: str, names: Sequence[str]) -> Callable[[str], str]:
    """An argument's type: one of some names, a near miss explained."""

    def check(text: str) -> str:
        if text not in names:
            hint = did_you_mean(text, names)
            raise argparse.ArgumentTypeError(
                f"unknown {kind} '{text}'{hint} (expected {', '.join(names)})"
            )
        return text

    return check


def _add_input(group: Group) -> None:
    group.add_argument(
        "-f",
        "--frontend",
        type=_one_of("frontend", ("onnx", "mlir")),
        metavar="{onnx,mlir}",
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


def _add_passes(group: Group) -> None:
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
        type=_one_of("level", LEVELS),
        metavar="LEVEL",
        help=f"run the named pipelines from the input's level to one of {', '.join(LEVELS)}",
    )
    group.add_argument(
        "--compile-from",
        type=_one_of("level", LEVELS),
        metavar="LEVEL",
        help="with --compile-to: the level to start from, where the input holds operations of "
        "several; without it, the furthest of them",
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


def _add_output(group: Group) -> None:
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
        *("--elide-large-constants", "--elide-constants"),
        action=argparse.BooleanOptionalAction,
        default=None,
        help="cut long constants short, for reading: the text does not parse back; by default "
        "done in what goes to standard error, and not in the result",
    )
    group.add_argument(
        "--print-op-generic", action="store_true", help="print operations in MLIR's generic form"
    )
    group.add_argument(
        "--print-debuginfo", action="store_true", help="print the location of every operation"
    )


def _add_printing(group: Group) -> None:
    for when in ("before", "after"):
        group.add_argument(
            f"--print-ir-{when}",
            action="append",
            default=[],
            metavar="PASS",
            help=f"print the IR {when} a pass; may be given several times",
        )
        group.add_argument(
            f"--print-ir-{when}-all",
            action="store_true",
            help=f"print the IR {when} every pass",
        )
    group.add_argument(
        "--print-ir-after-change",
        action="store_true",
        help="print the IR after a pass only if the pass changed it, and the change as a diff; "
        "of all passes, or of those that --print-ir-after names",
    )
    group.add_argument(
        "--print-ir-diff",
        action="store_true",
        help="the same with the diff alone",
    )
    group.add_argument(
        "--print-ir-after-failure",
        action="store_true",
        help="print the IR as a pass that failed has left it",
    )


def _add_measuring(group: Group) -> None:
    group.add_argument(
        "--timing", action="store_true", help="how long reading, passes and printing took"
    )
    group.add_argument(
        "--pass-statistics",
        action="store_true",
        help="what each pass did: how often each pattern was applied, what passes count, and "
        "operations before and after by name",
    )


def _add_checking(group: Group) -> None:
    add_check_each(group)
    _add_rejections(group)
    group.add_argument(
        "--verify-diagnostics",
        action="store_true",
        help="check errors, warnings and remarks against comments in the input such as "
        "'// expected-error@+1 {{part of the message}}'; exits with 1 where they differ",
    )
    group.add_argument(
        "--crash-reproducer",
        metavar="FILE.mlir",
        help="where a pass fails, write the IR that it was given and how to run it again",
    )
    group.add_argument(
        "--run-reproducer",
        metavar="FILE.mlir",
        help="run what --crash-reproducer wrote",
    )
    group.add_argument(
        "--pass-limit",
        type=natural,
        metavar="N",
        help="run only the first N passes, and say which was the last",
    )
    group.add_argument(
        "--bisect",
        metavar="COMMAND",
        help="find the first pass after which COMMAND FILE.mlir, run by the shell, fails; {} in "
        "COMMAND stands for the file; without -t, -o and options that watch passes",
    )


def _add_rejections(group: Group) -> None:
    group.add_argument(
        "--explain-rejections",
        action="store_true",
        help="which pattern nearly rewrote which operation, pass by pass, and what stopped it",
    )


def _add_lists(group: Group) -> None:
    group.add_argument(
        "--explain",
        metavar="PASS",
        help="what a pass does, its options with types and defaults, IR before and after it",
    )
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
