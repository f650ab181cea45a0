"""Parsing the command line of `irc`, and the options that several of its subcommands share."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from irc.errors import UsageError
from irc.near_misses import did_you_mean

_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)$")
"""What argparse says of a name that it does not know."""


class Parser(argparse.ArgumentParser):
    """A parser of whole option names whose errors are one message, not a screen of usage.

    Parsers of subcommands are made from the same class.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings
        )

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` that offers a near miss and says where help is to be found."""
        if choice := _CHOICE.search(message):
            message += did_you_mean(choice[1], re.findall(r"'([^']*)'", choice[2]))
        raise UsageError(f"{message}\n({self.prog} --help explains all options)")

    def unknown_argument(self, argument: str) -> NoReturn:
        """Raise a `UsageError` for an argument that nothing takes, with a near miss."""
        if not argument.startswith("-"):
            self.error(f"unexpected argument '{argument}'")
        known = [name for action in self._actions for name in action.option_strings]
        self.error(f"unknown option '{argument}'{did_you_mean(argument.split('=')[0], known)}")


def add_model(parser: argparse.ArgumentParser, what: str = "the model, .onnx or .mlir") -> None:
    """The positional model file and how its inputs are declared."""
    parser.add_argument("model", metavar="MODEL", help=what)
    add_input(parser)


def add_input(parser: argparse.ArgumentParser, default: str = "") -> None:
    """How inputs are declared, and what holds where that is left out."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=TYPE",
        help="what a float input is made from: NAME=uint8/255 says a uint8 divided by 255; "
        "also int8/128, uint4, bipolar, uint8*0.02-1; NAME= may be left out if there is one input"
        + (f" {default}" if default else ""),
    )


def add_fold(parser: argparse.ArgumentParser) -> None:
    """The folding file of the hardware."""
    parser.add_argument(
        "--fold",
        metavar="FILE",
        help='folding file for hardware, lines such as: layer "fc1" { pe = 16 simd = 49 }, '
        "with memory, mmv and products too; every verilog folder holds the one it was made with, "
        "folding.txt",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Where the table goes for machines."""
    parser.add_argument(
        "--json", metavar="FILE", help="also write what the table says as JSON ('-' for stdout)"
    )


def add_explain_rejections(parser: argparse.ArgumentParser) -> None:
    """Whether rewrites that were nearly made are listed."""
    parser.add_argument(
        "--explain-rejections",
        action="store_true",
        help="also list the rewrites that were nearly made, and what stopped each",
    )


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not '{text}'")
    return int(text)


def natural(text: str) -> int:
    """An integer of at least 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, not '{text}'")
    return int(text)
