"""From a file to a module: `.onnx` models and IR text."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.errors import IrcError, UsageError
from irc.parsing import parse_text
from irc.universe import Registry, discover
from irc.verifying import verify_module

STDIN_NAME = "<stdin>"

FORMATS = {".onnx": "onnx", ".mlir": "mlir"}
"""Which file is read how."""


def new_context(registry: Registry | None = None, *, allow_unregistered: bool = False) -> Context:
    """A context that knows every dialect in the registry; each is imported when first met."""
    ctx = Context(allow_unregistered=allow_unregistered)
    for name, factory in (registry or discover()).dialects.items():
        ctx.register_dialect(name, factory)
    return ctx


def decode_text(data: bytes, name: str) -> str:
    """Bytes as IR text; raises `IrcError` for what isn't text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise IrcError(
            f"{name}:{line}: not IR text: byte 0x{data[error.start]:02x} is not valid UTF-8 "
            "(an ONNX model is known by the extension .onnx, or by '--frontend onnx')"
        ) from None


def format_of(name: str, otherwise: str = "") -> str:
    """`onnx` or `mlir`, by the extension; raises `UsageError` for any other.

    `otherwise` tells what else a user can do then.
    """
    extension = os.path.splitext(name)[1].lower()
    if extension not in FORMATS and os.path.isdir(name):
        raise IrcError(f"{name}: is a folder; give the file itself")
    if extension not in FORMATS:
        what = f"unknown extension '{extension}'" if extension else "no extension"
        raise UsageError(f"{name}: {what}; expected {' or '.join(FORMATS)}{otherwise}")
    return FORMATS[extension]


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
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f" (there is no folder '{path.parent}')"
    close = get_close_matches(path.name, names, 1, 0.8)
    return f"; did you mean '{path.parent / close[0]}'?" if close else ""


def load_onnx(source: str | os.PathLike[str] | bytes) -> ModuleOp:
    """Import an ONNX file, or its bytes, at the `onnx` level; raises `IrcError` that names it."""
    # Here, not above: reading IR text must not wait for the onnx package.
    from irc.frontend.import_onnx import import_model

    return import_model(source)


def load_file(ctx: Context, path: str | os.PathLike[str]) -> ModuleOp:
    """Read a `.onnx` model or a `.mlir` text, by the extension; a text is verified.

    Raises `IrcError`, xDSL's `ParseError` or its `VerifyException`.
    """
    name = os.fspath(path)
    kind = format_of(name)
    if kind == "onnx":
        return load_onnx(name)
    module = parse_text(ctx, decode_text(read_bytes(name), name), name)
    # Whoever works on it may rely on what its operations promise.
    verify_module(module)
    return module
