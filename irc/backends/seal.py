"""What a folder was made from and what is in it, in its manifest: see docs/manifest.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from irc.backends.output import MARKER

MADE, OUTPUTS = "made", "outputs"
"""Keys of the manifest: what went in, and hashes of what came out."""

_CHUNK = 1 << 20


def seal(folder: Path, made: Mapping[str, Any] | None) -> None:
    """Add to a folder's manifest what it was made from, and size and SHA-256 of every file.

    To be called last, before the folder takes its place.
    """
    path = folder / MARKER
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if made is not None:
        manifest[MADE] = made
    manifest[OUTPUTS] = {
        str(file.relative_to(folder).as_posix()): file_entry(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != path
    }
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def file_entry(path: Path) -> dict[str, Any]:
    """`bytes` and `sha256` of a file; raises `OSError`."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}
