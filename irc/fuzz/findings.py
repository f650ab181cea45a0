"""Findings as folders: the files, how to run them again, and what was said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.output import atomic_dir
from irc.errors import IrcError
from irc.fuzz.job import RECIPE, Job, Tool, read_job
from irc.fuzz.limits import Limits
from irc.fuzz.sandbox import Outcome, run_job
from irc.fuzz.verdict import Fall, judge

SHOWN_BYTES = 20_000
"""So much of what was printed goes into a finding's README."""


@dataclass(frozen=True)
class Finding:
    """A fault, the folder that shows it, and what to type there."""

    kind: str
    place: str
    detail: str
    folder: str
    command: str


def write_finding(folder: Path, job: Job, fall: Fall, outcome: Outcome, origin: str) -> Finding:
    """Write the folder of a finding, whole or not at all; `origin` says how it was found."""
    target = folder / job.stem
    if target.exists():
        shutil.rmtree(target)
    with atomic_dir(target) as work:
        job.write(work)
        text = json.dumps({**job.recipe(), "found": str(fall).splitlines()[0]}, indent=2)
        (work / RECIPE).write_text(text + "\n", encoding="utf-8")
        (work / "README.md").write_text(_readme(job, fall, outcome, origin), encoding="utf-8")
    return Finding(fall.kind, fall.place, fall.detail, str(target), f"cd {target} && {job.command}")


def _readme(job: Job, fall: Fall, outcome: Outcome, origin: str) -> str:
    printed = outcome.output[-SHOWN_BYTES:].rstrip("\n")
    expected = "success" if job.must_succeed else "an answer, or an error that says what is wrong"
    return (
        f"# {fall.kind}\n\n{fall}\n\nIn this folder:\n\n    {job.command}\n\n"
        f"or, with limits of time and memory: `irc fuzz --replay .`\n\n"
        f"Expected: {expected}. Found by {origin}.\n\n```\n{printed}\n```\n"
    )


def folders_in(folder: Path) -> Iterator[Path]:
    """The folders of findings: the folder itself, or those inside it.

    Raises `IrcError` where there are none.
    """
    if (folder / RECIPE).is_file():
        yield folder
        return
    found = sorted(path.parent for path in folder.glob(f"*/{RECIPE}"))
    if not found:
        raise IrcError(f"{folder}: no finding of irc fuzz: no {RECIPE}, neither in folders inside")
    yield from found


def replay(folder: Path, tools: Mapping[str, Tool], limits: Limits) -> dict[str, Any]:
    """Run one finding again: its folder, and how it falls now, `None` where it does not."""
    job = read_job(folder)
    if job.tool not in tools:
        raise IrcError(f"{folder / RECIPE}: no tool '{job.tool}'; expected {', '.join(tools)}")
    fall = judge(run_job(job, tools, limits), job.must_succeed)
    return {
        "folder": str(folder),
        "command": job.command,
        "fall": None if fall is None else str(fall),
    }
