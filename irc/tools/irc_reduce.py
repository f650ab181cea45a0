"""`irc-reduce`: shrink failing IR text to the smallest that still fails."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# Nothing else is imported here: until `main` runs, Ctrl-C ends in Python's own traceback.

DESCRIPTION = """\
Shrink IR text that makes a command fail to the smallest found that makes it fail in the same way:
with the same exit code and, with --match, the same message.

Operations, functions, constants, attributes and extents of tensors go as far as the failure stays;
every candidate parses, and verifies if the file does. The same file and command give the same
result. Ctrl-C ends the search and keeps the smallest found by then.
"""

EPILOG = """\
examples:
  irc-reduce net.mlir --test 'irc-opt {} -p my-pass' --match 'KeyError' -o small.mlir
                                                     a pass that fails, small enough to read
  irc-reduce net.mlir --test 'irc-opt {} -p my-pass --check-each' --match 'changed what'
                                                     a pass that changes results
  irc-reduce crash.mlir --test 'irc-opt --run-reproducer {}'
                                                     what --crash-reproducer wrote
  irc-reduce net.mlir --interesting-if-zero --test 'irc-opt {} -p fold-thresholds | grep -q steps'
                                                     any property that a command can test

exit code: 0 done, 1 a failure, such as a test that finds nothing in FILE, 2 wrong usage,
130 interrupted, with the smallest so far written.
"""


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; raises `UsageError`, and `SystemExit(0)` after `--help`."""
    from irc.tools.arguments import Parser, positive

    parser = Parser(prog="irc-reduce", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("file", metavar="FILE", help="IR text, .mlir")
    parser.add_argument(
        "--test",
        required=True,
        metavar="COMMAND",
        help="the command, run by the shell; {} in it is the file to test, which else is its last "
        "argument",
    )
    parser.add_argument(
        "--match", metavar="TEXT", help="text that the command has to print for the same failure"
    )
    parser.add_argument(
        "--interesting-if-zero",
        action="store_true",
        help="what is sought makes the command exit with 0",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write; standard output without it"
    )
    parser.add_argument(
        "--timeout",
        type=positive,
        default=60,
        metavar="SECONDS",
        help="for one run of the command, 60 by default; one that takes longer finds nothing",
    )
    parser.add_argument(
        "--most-tests", type=positive, metavar="N", help="stop after so many runs of the command"
    )
    parser.add_argument(
        "--load",
        action="append",
        default=[],
        metavar="FILE.py",
        help="make the dialects of a Python file available to the parser",
    )
    parser.add_argument(
        "--allow-unregistered-dialect",
        action="store_true",
        help="accept operations, types and attributes of unknown dialects",
    )
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.unknown_argument(unknown[0])
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code."""
    try:
        from irc.main_guard import main_guard

        return main_guard(lambda: _run(parse_arguments(arguments)))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    # Here: --help must not wait for xDSL.
    from irc.tools.reduce_driver import run

    return run(options)


if __name__ == "__main__":
    sys.exit(main())
