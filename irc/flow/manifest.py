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
from irc.flow.manifest_forms import (
    ANY_TEXT,
    CLOCK,
    COUNT,
    FILE,
    IDENTIFIER,
    Fields,
    Flag,
    Form,
    Maybe,
    Named,
    Number,
    Rows,
)

_LANGUAGES = {"c": "C", "verilog": "Verilog"}


def read_manifest(folder: Path, target: str, needed: Collection[str]) -> dict[str, Any]:
    """The manifest of a folder for `target`, with at least the keys `needed`.

    Raises `IrcError` where there is none, or one of another target or version, or one that says
    something of another form: names in it are safe in scripts and paths.
    """
    path, command = folder / MARKER, f"`irc compile --target {target}`"
    manifest = load_manifest(folder, command)
    if manifest.get("target") != target:
        raise IrcError(f"{path}: not of a {_LANGUAGES[target]} folder; write one with {command}")
    if missing := set(needed) - set(manifest):
        raise IrcError(f"{path}: lacks {', '.join(sorted(missing))}; written by another version?")
    if wrong := _FORMS[target].wrong(manifest, ""):
        raise IrcError(f"{path}: {wrong}; written by another version?")
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


def is_inside(name: object) -> bool:
    """Whether a name in a manifest is a plain path below the folder, and no option of a program."""
    if not isinstance(name, str) or not name or name.startswith(("-", "/", "@")):
        return False
    parts = name.replace("\\", "/").split("/")
    return ".." not in parts and ":" not in parts[0] and name.isprintable()


_WIDEST = 1 << 24
"""Bits or beats of a stream: what is made for more would fill the memory."""

_STREAM = Fields(
    {
        "shape": Rows(COUNT),
        "element": ANY_TEXT,
        "lanes": Number(1, _WIDEST),
        "lane_bits": Number(1, _WIDEST),
        "beats": Number(1, _WIDEST),
        "bits": Number(1, _WIDEST),
    }
)

_USAGE = Fields(
    {"luts": COUNT, "flipflops": COUNT, "block_rams": Number(fraction=True), "dsps": COUNT}
)

_VERILOG: dict[str, Form] = {
    "generator": ANY_TEXT,
    "top": IDENTIFIER,
    "sources": Named(FILE, Fields({"crc32": COUNT})),
    "hex": Named(FILE, Fields({"words": COUNT, "digits": COUNT, "crc32": COUNT})),
    "input": _STREAM,
    "output": _STREAM,
    "cycles": Maybe(COUNT),
    "latency": Maybe(COUNT),
    "layers": Rows(Fields({"name": ANY_TEXT, "module": Maybe(IDENTIFIER)})),
    "estimate": Maybe(
        Fields(
            {
                "device": ANY_TEXT,
                "clock": Maybe(CLOCK),
                "modules": Named(IDENTIFIER, _USAGE),
                "total": _USAGE,
            }
        )
    ),
    "reload": Fields(
        {
            "bytes": COUNT,
            "shape": COUNT,
            "must_load": Flag(),
            "device": Maybe(ANY_TEXT),
            "clock": Maybe(CLOCK),
            "inputs": Rows(ANY_TEXT),
            "weights": Rows(ANY_TEXT),
            "layers": Rows(Named(ANY_TEXT, ANY_TEXT)),
        }
    ),
}

_C: dict[str, Form] = {
    "name": IDENTIFIER,
    "entry": IDENTIFIER,
    "files": Rows(FILE),
    "sources": Rows(FILE),
    "macs": COUNT,
    "arena_bytes": COUNT,
    "layers": Rows(
        Fields({"label": ANY_TEXT, "kernel": ANY_TEXT, "macs": COUNT, "within": Maybe(ANY_TEXT)})
    ),
}

_FORMS = {"verilog": Fields(_VERILOG, partial=True), "c": Fields(_C, partial=True)}
"""What commands take from manifests, by target; what else stands there is nobody's concern."""
