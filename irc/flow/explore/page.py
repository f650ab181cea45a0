"""Explore a model and write the page."""

from __future__ import annotations

from pathlib import Path

from irc.backends.explore.page import page_text
from irc.backends.output import write_files
from irc.errors import IrcError, UsageError
from irc.flow.explore.data import page_data
from irc.flow.explore.exploration import TARGETS, explore
from irc.flow.explore.stages import RecordedLadder


def write_page(
    ladder: RecordedLadder, path: str | None = None, targets: tuple[str, ...] = TARGETS
) -> Path:
    """Write the page of a model, whole or not at all, and return where it is.

    It is NAME.html in the current folder unless `path` is given. Raises `IrcError` for what can't
    be compiled for any of the targets, or written.
    """
    if path is not None and (not path or "\0" in path):
        raise UsageError(f"output {path!r}: expected the name of a file")
    output = Path(path if path is not None else f"{ladder.name}.html")
    # What can be told before the work is told before it.
    if output.is_dir():
        raise IrcError(f"{output}: is a folder; give the name of a file")
    if not output.parent.is_dir():
        raise IrcError(f"{output}: there is no folder '{output.parent}'")
    if output.exists() and Path(ladder.path).exists() and output.samefile(ladder.path):
        raise UsageError(f"output {output}: is the model; give the name of another file")
    found = explore(ladder, targets)
    if ladder.observer is not None:
        ladder.observer("write the page")
    text = page_text(f"{output.stem}: irc explore", page_data(found))
    write_files({output: text.encode()})
    return output
