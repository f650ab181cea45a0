"""The manifest of a folder that `irc compile` wrote: what later commands know about it.

`docs/manifest.md` says what is in it; `irc.flow.manifest_check` holds a folder against it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from irc.backends.output import MARKER
from irc.errors import IrcError

_LANGUAGES = {"c": "C", "verilog": "Verilog"}


def read_manifest(folder: Path, target: str, needed: Collection[str]) -> dict[str, Any]:
    """The manifest of a folder for `target`, with at least the keys `needed`.

    Raises `IrcError` where there is none, or one of another target or version.
    """
    path, command = folder / MARKER, f"`irc compile --target {target}`"
    manifest = load_manifest(folder, command)
    if manifest.get("target") != target:
        raise IrcError(f"{path}: not of a {_LANGUAGES[target]} folder; write one with {command}")
    if missing := set(needed) - set(manifest):
        raise IrcError(f"{path}: lacks {', '.join(sorted(missing))}; written by another version?")
    for key in _PATHS:
        _check_paths(path, key, manifest.get(key, []))
    return manifest


def load_manifest(folder: Path, command: str = "`irc compile`") -> dict[str, Any]:
    """The manifest of any folder of ours, empty where it is no JSON object; raises `IrcError`
    where there is none, and says which `command` writes one."""
    path = folder / MARKER
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrcError(
            f"{path}: {error.strerror}; expected a folder that {command} wrote"
        ) from None
    except (ValueError, RecursionError) as error:
        raise IrcError(f"{path}: not JSON: {error}") from None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


_PATHS = ("sources", "hex", "files")
"""Keys whose entries are files of the folder, which compilers and simulators are called with."""


def is_inside(name: object) -> bool:
    """Whether a name in a manifest is a plain path below the folder, and no option of a program."""
    if not isinstance(name, str) or not name or name.startswith(("-", "/", "@")):
        return False
    parts = name.replace("\\", "/").split("/")
    return ".." not in parts and ":" not in parts[0] and name.isprintable()


def _check_paths(path: Path, key: str, names: object) -> None:
    if not isinstance(names, list | dict):
        raise IrcError(f"{path}: {key} is no list of files; written by another version?")
    for name in cast("list[object]", names):
        if not is_inside(name):
            raise IrcError(f"{path}: {key} names {name!r}, which is no file of this folder")
