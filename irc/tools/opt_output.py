"""Writing a result to a file whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from irc.errors import IrcError
from irc.main_guard import discard_output


def write_result(text: str | bytes, path: str | None) -> None:
    """Write to standard output (`None` or `-`) or to a file; raises `IrcError` that names it.

    A regular file is written beside its place and then moved there: until the text is complete,
    what was there before stays. Devices and pipes are written to directly.
    """
    if path is None or path == "-":
        _write_stdout(text)
        return
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = None
    try:
        if mode is None or stat.S_ISREG(mode):
            _replace(Path(os.path.realpath(path)), text, mode)
        else:
            with open(path, "wb") as file:
                file.write(_encoded(text))
    except BrokenPipeError:
        raise
    except IsADirectoryError:
        raise _cannot_be_written(path, "it is a folder") from None
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        missing = f"there is no folder '{folder}'"
        reason = f"'{folder}' takes no files" if os.path.isdir(folder) else missing
        raise _cannot_be_written(path, reason) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _cannot_be_written(path, reason) from None


def check_place(path: str | None) -> None:
    """Raise, before any work, the `IrcError` that `write_result` would for a folder, and for a
    file in a folder that does not exist."""
    if path is None or path == "-":
        return
    if os.path.isdir(path):
        raise _cannot_be_written(path, "it is a folder")
    if not os.path.isdir(folder := os.path.dirname(path) or "."):
        raise _cannot_be_written(path, f"there is no folder '{folder}'")


def _cannot_be_written(path: str, reason: str) -> IrcError:
    return IrcError(f"{path}: cannot be written: {reason}")


def _write_stdout(text: str | bytes) -> None:
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise IrcError("standard output is closed; give a file with -o")
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise IrcError(f"standard output cannot be written: {error.strerror}") from None


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _replace(path: Path, text: str | bytes, mode: int | None) -> None:
    if mode is None:
        # What open() would give: mkstemp makes files that only their owner can read.
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_encoded(text))
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
