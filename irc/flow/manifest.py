"""The manifest of a folder that `irc compile` wrote: what later commands know about it."""

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
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrcError(
            f"{path}: {error.strerror}; expected a folder that {command} wrote"
        ) from None
    except ValueError as error:
        raise IrcError(f"{path}: not JSON: {error}") from None
    manifest = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if manifest.get("target") != target:
        raise IrcError(f"{path}: not of a {_LANGUAGES[target]} folder; write one with {command}")
    if missing := set(needed) - set(manifest):
        raise IrcError(f"{path}: lacks {', '.join(sorted(missing))}; written by another version?")
    return manifest
