"""One command line on files in a folder of its own, and what a person types to run it again."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from irc.errors import IrcError

Tool = Callable[[Sequence[str]], int]
"""A command-line tool as a function: takes arguments, prints, returns the exit status."""

RECIPE = "finding.json"
"""The file in a finding's folder that says how to run it."""


@dataclass(frozen=True)
class Job:
    """`tool` with `arguments`, in a folder that holds `name`, the damaged file, and `others`."""

    reader: str
    tool: str
    arguments: tuple[str, ...]
    name: str
    content: bytes
    others: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    must_succeed: bool = False
    """Whether the files are valid, so that an error would be wrong too."""

    @property
    def command(self) -> str:
        """What to type in the folder."""
        return shlex.join((self.tool, *self.arguments))

    @property
    def stem(self) -> str:
        """A name for the job that depends on nothing but itself."""
        digest = hashlib.sha256(self.command.encode() + b"\0" + self.content)
        return f"{self.reader}-{digest.hexdigest()[:12]}"

    def with_content(self, content: bytes) -> Job:
        """The same command on another file."""
        return replace(self, content=content)

    def write(self, folder: Path) -> None:
        """Write the files that the command reads."""
        for name, content in {**self.others, self.name: self.content}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def recipe(self) -> dict[str, Any]:
        """What `read_job` needs beside the files."""
        return {
            "reader": self.reader,
            "tool": self.tool,
            "arguments": list(self.arguments),
            "file": self.name,
            "others": sorted(self.others),
            "must_succeed": self.must_succeed,
        }


def read_job(folder: Path) -> Job:
    """The job in a finding's folder; raises `IrcError` where there is none."""
    path = folder / RECIPE
    try:
        found = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        return Job(
            str(found["reader"]),
            str(found["tool"]),
            tuple(str(argument) for argument in found["arguments"]),
            str(found["file"]),
            (folder / str(found["file"])).read_bytes(),
            {str(name): (folder / str(name)).read_bytes() for name in found["others"]},
            bool(found.get("must_succeed", False)),
        )
    except OSError as error:
        raise IrcError(
            f"{error.filename}: {error.strerror}; expected what irc fuzz wrote"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IrcError(f"{path}: not of a finding of irc fuzz: {error!r}") from None
