"""Output folders that appear whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from irc.errors import IrcError

MARKER = "manifest.json"
"""The file that marks a folder as written by irc, hence as one that irc may replace."""

MARKER_TEXT = '"generator": "irc'


def is_ours(path: Path) -> bool:
    """Whether irc wrote this folder."""
    try:
        return MARKER_TEXT in (path / MARKER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _check_replaceable(path: Path, shown: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise IrcError(f"{shown}: exists and is not a folder; choose another output folder")
    if any(path.iterdir()) and not is_ours(path):
        raise IrcError(
            f"{shown}: exists, is not empty and was not made by irc; "
            "choose another output folder or remove it"
        )


def describe_os_error(error: OSError, path: Path) -> IrcError:
    """An operating system error in words, about the output folder `path`."""
    reasons = {
        errno.ENOSPC: "no space left on the device",
        errno.EDQUOT: "disk quota exceeded",
        errno.EROFS: "the file system is read-only",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EEXIST: "a part of the path is not a folder",
        errno.ENOTDIR: "a part of the path is not a folder",
    }
    reason = reasons.get(error.errno or 0) or error.strerror or str(error)
    return IrcError(f"{path}: cannot write: {reason}; nothing was left behind")


@contextmanager
def atomic_dir(path: Path) -> Generator[Path]:
    """A temporary folder beside `path` that takes its place at the end.

    An existing folder is replaced only if irc made it (see `MARKER`) or if it is empty. Whatever
    goes wrong, interrupts included, the temporary folder is removed and the old one stays; so are
    the folders above it that had to be made. Raises `IrcError` for paths that cannot be written.
    """
    shown, temporary = path, None
    missing: list[Path] = []
    try:
        # A symbolic link to a folder keeps pointing at it.
        path = path.resolve()
        _check_replaceable(path, shown)
        missing = [parent for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        temporary.chmod(0o755)
        yield temporary
        _replace(temporary, path)
    except OSError as error:
        raise describe_os_error(error, shown) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        for folder in missing:
            # Only those that are still empty go.
            with suppress(OSError):
                folder.rmdir()


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write single files, each whole or not at all; raises `IrcError` where that fails."""
    for path, data in contents.items():
        temporary = path.with_name(f".{path.name}.partial")
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise describe_os_error(error, path) from error


def _replace(temporary: Path, path: Path) -> None:
    """Rename `temporary` to `path`, moving an old folder out of the way first."""
    if not path.exists():
        temporary.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    try:
        path.rename(old / path.name)
        try:
            temporary.rename(path)
        except BaseException:
            (old / path.name).rename(path)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
