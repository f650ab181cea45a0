"""From a file or a text to a module: `.onnx` models and IR text, every operation located."""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr, UnknownLoc
from xdsl.ir import Operation
from xdsl.parser import Parser

from irc.errors import IrcError, UsageError
from irc.universe import Registry, discover

STDIN_NAME = "<stdin>"

FORMATS = {".onnx": "onnx", ".mlir": "mlir"}
"""Which file is read how."""


class LocatingParser(Parser):
    """xDSL's parser, which also notes for every operation the line and column it came from.

    An explicit `loc(...)` in the text wins.
    """

    def __init__(self, ctx: Context, text: str, name: str) -> None:
        super().__init__(ctx, text, name)
        self._text = text
        self._file = StringAttr(name)
        self._line_starts = _line_starts(text)

    def parse_operation(self) -> Operation:
        """Parse one operation; its location is that of its name, after `%result =`."""
        start = self.pos
        op = super().parse_operation()
        if isinstance(op.location, UnknownLoc):
            op.location = self._locate(start)
        return op

    def _locate(self, start: int) -> FileLineColLoc:
        if self._text[start] == "%":
            start = self._text.index("=", start) + 1
            while self._text[start].isspace():
                start += 1
        line = bisect_right(self._line_starts, start)
        column = start - self._line_starts[line - 1] + 1
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(column))


def _line_starts(text: str) -> list[int]:
    starts = [0]
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return starts


def new_context(registry: Registry | None = None, *, allow_unregistered: bool = False) -> Context:
    """A context that knows every dialect in the registry; each is imported when first met."""
    ctx = Context(allow_unregistered=allow_unregistered)
    for name, factory in (registry or discover()).dialects.items():
        ctx.register_dialect(name, factory)
    return ctx


def parse_text(ctx: Context, text: str, name: str = "<text>") -> ModuleOp:
    """Parse IR text; raises xDSL's `ParseError` with line and column, `IrcError` for none."""
    if not text.strip():
        raise IrcError(f"{name}: the file is empty; expected IR text, such as a func.func")
    return LocatingParser(ctx, text, name).parse_module()


def decode_text(data: bytes, name: str) -> str:
    """Bytes as IR text; raises `IrcError` for what isn't text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise IrcError(
            f"{name}:{line}: not IR text: byte 0x{data[error.start]:02x} is not valid UTF-8 "
            "(an ONNX model is recognised by the extension .onnx, or by '--frontend onnx')"
        ) from None


def format_of(name: str) -> str:
    """`onnx` or `mlir`, by the extension; raises `UsageError` for any other."""
    extension = os.path.splitext(name)[1].lower()
    try:
        return FORMATS[extension]
    except KeyError:
        raise UsageError(
            f"{name}: unknown extension '{extension}'; expected {' or '.join(FORMATS)}, or say "
            "which it is with '--frontend'"
        ) from None


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file; raises `IrcError` that names it."""
    try:
        return Path(path).read_bytes()
    except IsADirectoryError:
        raise IrcError(f"{path}: is a folder; give the file itself") from None
    except FileNotFoundError:
        raise IrcError(f"{path}: no such file{_similar_file(Path(path))}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise IrcError(f"{path}: cannot be read: {reason}") from None


def _similar_file(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f" (folder '{path.parent}' does not exist)"
    close = get_close_matches(path.name, names, 1, 0.8)
    return f"; did you mean '{path.parent / close[0]}'?" if close else ""


def load_onnx(source: str | os.PathLike[str] | bytes) -> ModuleOp:
    """Import an ONNX file, or its bytes, at the `onnx` level."""
    from irc.frontend.import_onnx import import_model

    return import_model(source)


def load_file(ctx: Context, path: str | os.PathLike[str]) -> ModuleOp:
    """Read a `.onnx` model or a `.mlir` text, by the extension."""
    name = os.fspath(path)
    if format_of(name) == "onnx":
        return load_onnx(name)
    return parse_text(ctx, decode_text(read_bytes(name), name), name)


