"""Doing what a page of the documentation says: writing its files, typing its commands.

A page is Markdown. In it

- a fenced block after `<!-- file: NAME -->` is the whole content of that file;
- a `console` block holds commands behind `$ `, continued in the next line after a backslash, each
  followed by what it prints, on stdout and stderr together. A line `…` stands for any number of
  lines, and `…` within a line for any text. Nothing is compared where nothing follows a command;
- a `console` block after `<!-- not run -->` is for the reader alone; after
  `<!-- instead: COMMAND -->` that command runs in its place, where the reader's would change the
  environment of the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:^<!-- (?P<note>file: [^\n]+|instead: [^\n]+|not run) -->\n+)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

SECONDS = 600
"""After so long a command has failed."""


@dataclass(frozen=True)
class FileBlock:
    """A file to write."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command to type, and what it should print; `None` where the page does not say."""

    text: str
    output: str | None
    line: int


def steps_of(page: str) -> Iterator[FileBlock | Command]:
    """What a page asks its reader to do, in order."""
    for block in FENCE.finditer(page):
        note, text = block["note"] or "", block["text"]
        if note.startswith("file: "):
            yield FileBlock(note.removeprefix("file: "), text)
        elif block["language"] == "console" and note != "not run":
            line = page.count("\n", 0, block.start("text")) + 1
            if note:
                yield Command(note.removeprefix("instead: "), None, line)
            else:
                yield from _commands(text, line)


def _commands(text: str, first_line: int) -> Iterator[Command]:
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"line {first_line}: a console block begins with '$ '"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        words = [lines[start].removeprefix("$ ")]
        body = start + 1
        while words[-1].endswith("\\"):
            words.append(lines[body])
            body += 1
        output = "\n".join(lines[body:end]).strip("\n")
        yield Command("\n".join(words), output or None, first_line + start)


def matches(expected: str, printed: str) -> bool:
    """Whether a command printed what the page says, trailing blanks apart."""
    pattern = ""
    for line in expected.splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            parts = (re.escape(part) for part in line.rstrip().split("…"))
            pattern += "[^\n]*?".join(parts) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


def follow(page: Path, folder: Path, environment: dict[str, str] | None = None) -> int:
    """Do what `page` says in `folder`; returns how many commands ran.

    Raises `AssertionError` with page, line, command and output where a command fails, or prints
    something else. `environment` is added to that of the commands.
    """
    folders = [os.path.dirname(sys.executable), os.environ["PATH"]]
    env = {
        **os.environ,
        # As wide as the pages, without colours.
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join(folders),
        "PYTHONPATH": "",
        # What is meant for the tests that run this is not meant for those of a page.
        "PYTEST_ADDOPTS": "",
        **(environment or {}),
    }
    ran = 0
    for step in steps_of(page.read_text(encoding="utf-8")):
        if isinstance(step, FileBlock):
            path = folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            continue
        run = subprocess.run(
            ["bash", "-c", step.text],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        where = f"{page.name}:{step.line}: $ {step.text}"
        fails = (step.output or "").startswith("error") or "\nerror" in (step.output or "")
        assert (run.returncode != 0) == fails, (
            f"{where}\nexit status {run.returncode}\n{run.stdout}"
        )
        if step.output is not None:
            assert matches(step.output, run.stdout), (
                f"{where}\nthe page says\n{step.output}\nbut it prints\n{run.stdout}"
            )
        ran += 1
    return ran
