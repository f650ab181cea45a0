"""A folder held against its manifest: what changed since irc wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from irc.backends.output import MARKER
from irc.backends.seal import MADE, OUTPUTS, file_entry
from irc.errors import IrcError
from irc.flow.made_from import versions
from irc.flow.manifest import is_inside, load_manifest

COMMANDS = "`irc compile` or `irc synth`"


@dataclass(frozen=True)
class ManifestReport:
    """What a manifest says, and what is otherwise: files by path in the folder.

    `added` are files that irc did not write, such as what a simulator leaves; `inputs` tells of
    each file that was given whether it is one that the folder was made from. `others` are
    installed versions that differ from those that made it: name to both.
    """

    folder: str
    generator: str
    made_from: list[dict[str, Any]]
    options: dict[str, Any]
    versions: dict[str, str]
    files: int
    changed: list[str]
    missing: list[str]
    added: list[str]
    inputs: dict[str, str]
    others: dict[str, tuple[str, str]]

    @property
    def is_intact(self) -> bool:
        """Whether every file is as it was written, and every file given is one that went in."""
        return not self.changed and not self.missing and OTHER not in self.inputs.values()


OTHER = "other"
"""What a file is that the folder was not made from."""


def check_manifest(folder: Path, inputs: Sequence[Path] = ()) -> ManifestReport:
    """Hold a folder against its manifest, and files against those that it was made from.

    Raises `IrcError` where there is no manifest with hashes, and for files that cannot be read.
    """
    manifest = load_manifest(folder, COMMANDS)
    entries = _table(manifest.get(OUTPUTS))
    if not entries:
        raise IrcError(
            f"{folder / MARKER}: holds no hashes of the files; written by an older version of irc, "
            "or by something else"
        )
    for name in entries:
        if not is_inside(name):
            raise IrcError(f"{folder / MARKER}: names {name!r}, which is no file of this folder")
    made = _table(manifest.get(MADE))
    made_from = [_table(entry) for entry in _list(made.get("inputs"))]
    known = {name: str(text) for name, text in _table(made.get("versions")).items()}
    changed, missing = _compare(folder, entries)
    present = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    installed = versions()
    return ManifestReport(
        folder=str(folder),
        generator=str(manifest.get("generator", "")),
        made_from=made_from,
        options=_table(made.get("options")),
        versions=known,
        files=len(entries),
        changed=changed,
        missing=missing,
        added=sorted(present - set(entries) - {MARKER}),
        inputs={str(path): _role(path, made_from) for path in inputs},
        others={
            name: (version, installed[name])
            for name, version in known.items()
            if name in installed and installed[name] != version
        },
    )


def _compare(folder: Path, entries: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The files that changed, and those that are gone."""
    changed: list[str] = []
    missing: list[str] = []
    for name, entry in sorted(entries.items()):
        path = folder / name
        if not path.is_file():
            missing.append(name)
        elif _entry(path) != entry:
            changed.append(name)
    return changed, missing


def _entry(path: Path) -> dict[str, Any]:
    try:
        return file_entry(path)
    except OSError as error:
        raise IrcError(f"{path}: cannot be read: {error.strerror or error}") from None


def _role(path: Path, made_from: list[dict[str, Any]]) -> str:
    """What a file was to the folder, by its content."""
    if not path.is_file():
        raise IrcError(f"{path}: no such file")
    digest = _entry(path)["sha256"]
    return next((str(e.get("role")) for e in made_from if e.get("sha256") == digest), OTHER)


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
