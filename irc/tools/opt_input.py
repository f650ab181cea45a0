"""What `irc-opt` reads: a model, IR text, or its pieces under the line numbers of the file."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from irc.errors import UsageError
from irc.loading import STDIN_NAME, decode_text, format_of, read_bytes

SPLIT_MARK = re.compile(r"^// -----[ \t]*\r?$", re.MULTILINE)

NEAR_MARK = re.compile(r"^[ \t]*//[ \t]*-{3,}[ \t]*\r?$", re.MULTILINE)
"""What somebody may have meant as a mark."""


@dataclass
class Piece:
    """One input: its name for messages, and its text; or of a model the bytes, if it was read."""

    name: str
    text: str | None
    data: bytes | None = None


def read_pieces(arguments: argparse.Namespace) -> list[Piece]:
    """The input, or with `--split-input-file` its pieces; raises `IrcError` and `UsageError`."""
    name: str | None = arguments.input
    if name is None or name == "-":
        return _stdin_pieces(arguments)
    kind = arguments.frontend or format_of(
        name, ", or say what the file is with '--frontend onnx|mlir'"
    )
    if kind == "onnx":
        _check_text(arguments, name)
        return [Piece(name, None)]
    return _pieces(arguments, name, read_bytes(name))


def _stdin_pieces(arguments: argparse.Namespace) -> list[Piece]:
    if sys.stdin.isatty():
        print("reading IR text from the keyboard; Ctrl-D ends it", file=sys.stderr)
    buffer = getattr(sys.stdin, "buffer", None)
    data = buffer.read() if buffer is not None else sys.stdin.read().encode()
    if arguments.frontend == "onnx":
        _check_text(arguments, STDIN_NAME)
        return [Piece(STDIN_NAME, None, data)]
    return _pieces(arguments, STDIN_NAME, data)


def _check_text(arguments: argparse.Namespace, name: str) -> None:
    """Refuse for a model what only a text can hold."""
    wanted = {
        "--split-input-file": arguments.split_input_file,
        "--verify-diagnostics": arguments.verify_diagnostics,
    }
    for option, given in wanted.items():
        if given:
            raise UsageError(f"{name}: {option} reads comments of IR text, and this is a model")


def _pieces(arguments: argparse.Namespace, name: str, data: bytes) -> list[Piece]:
    text = decode_text(data, name)
    return list(split(name, text)) if arguments.split_input_file else [Piece(name, text)]


def split(name: str, text: str) -> Iterator[Piece]:
    """The pieces between `// -----` lines; warns of lines that are nearly such.

    Blank lines in front of each piece keep the line numbers of the whole file.
    """
    for near in NEAR_MARK.finditer(text):
        if not SPLIT_MARK.match(text, near.start()):
            line = text.count("\n", 0, near.start()) + 1
            print(
                f"{name}:{line}:1: warning: '{near[0].strip()}' does not split the input; the mark "
                "is '// -----', alone on its line",
                file=sys.stderr,
            )
    start = 0
    for end in [*(match.start() for match in SPLIT_MARK.finditer(text)), len(text)]:
        yield Piece(name, "\n" * text.count("\n", 0, start) + text[start:end])
        start = text.find("\n", end) + 1 or len(text)
