"""Options that several subcommands of `irc` share."""

from __future__ import annotations

import argparse


def add_model(parser: argparse.ArgumentParser, what: str = "the model, .onnx or .mlir") -> None:
    """The positional model file and how its inputs are declared."""
    parser.add_argument("model", metavar="MODEL", help=what)
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=TYPE",
        help="what a float input is made from: NAME=uint8/255 says a uint8 divided by 255; "
        "also int8/128, uint4, bipolar, uint8*0.02-1; NAME= may be left out if there is one input",
    )


def add_fold(parser: argparse.ArgumentParser) -> None:
    """The folding file of the hardware."""
    parser.add_argument(
        "--fold",
        metavar="FILE",
        help='folding file for hardware, lines such as: layer "fc1" { pe = 16 simd = 49 }; '
        "every verilog folder holds the one it was made with, folding.txt",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Where the table goes for machines."""
    parser.add_argument(
        "--json", metavar="FILE", help="also write what the table says as JSON ('-' for stdout)"
    )


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value
