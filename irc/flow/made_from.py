"""What an output was made from: files with their hashes, options, and versions of what made it.

Nothing here depends on when, where or by whom: the same inputs, options and versions give the
same text. Of a file's place only its name counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from irc.backends.seal import file_entry
from irc.flow.board_project import BoardChoice
from irc.flow.ladder import Ladder
from irc.frontend.onnx_files import external_files
from irc.interp.data_files import Data
from irc.plain_text import comment_line

PACKAGES = {"irc": "irc-bnn", "xdsl": "xdsl", "numpy": "numpy", "onnx": "onnx"}
"""What has a say in the result, and what it is called on PyPI."""

_FILE_OPTIONS = ("file",)
"""Options of passes that name a file: the file is an input, and its folder says nothing."""


def versions() -> dict[str, str]:
    """The versions that are installed, by name."""
    return {name: version(package) for name, package in PACKAGES.items()}


def made_from(
    ladder: Ladder,
    options: Mapping[str, Any],
    data: Data | None = None,
    board: BoardChoice | None = None,
) -> dict[str, Any]:
    """For manifests: `inputs`, `options` and `versions`.

    `options` are those beside the ladder's own; what is `None` is left out.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if board is not None:
        choice = {"bridge": board.bridge, "baud": board.baud, "clock": board.clock}
        given["board"] = {"name": board.board.name}
        given["board"] |= {name: value for name, value in choice.items() if value is not None}
    given["name"] = ladder.name
    given["input"] = list(ladder.inputs)
    given["passes"] = {
        name: {option: [_shown(option, value) for value in values] for option, values in of.items()}
        for name, of in sorted(ladder.options.items())
        if of and name != "declare-inputs"
    }
    return {
        "inputs": list(_inputs(ladder, data, board)),
        "options": given,
        "versions": versions(),
    }


def as_comment(made: Mapping[str, Any]) -> str:
    """The same as the first lines of an IR text."""
    made_by = ", ".join(f"{name} {text}" for name, text in made["versions"].items())
    lines = [f"made by {made_by}"]
    for entry in made["inputs"]:
        lines.append(f"{entry['role']}: {entry['file']}, SHA-256 {entry['sha256']}")
    lines.append(f"options: {json.dumps(made['options'])}")
    return "".join(f"// {comment_line(line)}\n" for line in lines)


def _shown(option: str, value: Any) -> Any:
    return Path(str(value)).name if option in _FILE_OPTIONS else value


def _inputs(
    ladder: Ladder, data: Data | None, board: BoardChoice | None
) -> Iterator[dict[str, Any]]:
    yield from _entry("model", ladder.path)
    for name in external_files(ladder.path):
        yield from _entry("weights", os.path.join(os.path.dirname(ladder.path), name), name)
    for option, values in ladder.options.get("set-folding", {}).items():
        if option in _FILE_OPTIONS:
            for value in values:
                yield from _entry("folding", str(value))
    if board is not None and board.file is not None:
        yield from _entry("board", board.file)
    if data is not None:
        yield from _entry("data", data.source)


def _entry(role: str, path: str, name: str | None = None) -> Iterator[dict[str, Any]]:
    # What was read from a pipe is not there a second time.
    with suppress(OSError):
        if Path(path).is_file():
            yield {"role": role, "file": name or Path(path).name, **file_entry(Path(path))}
