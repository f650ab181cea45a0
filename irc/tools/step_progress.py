"""Progress on stderr for what takes longer than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

PATIENCE = 1.0
"""Seconds of work that nobody needs to hear of."""


class _CountColumn(ProgressColumn):
    """`120/2,000`, and nothing for steps that cannot be counted."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.completed:,.0f}/{task.total:,.0f}")


class StepProgress:
    """One line for the step at work; on a stderr that is no terminal, one plain line a step.

    Nothing appears before `PATIENCE` is over, by a timer: a step that hangs shows all the same.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _CountColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._shown = self._closed = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._show)
        self._timer.daemon = True
        self._timer.start()

    def __call__(self, name: str, done: int = 0, total: int | None = None) -> None:
        """Tell of `done` of `total` in the step `name`; without a total it cannot be counted."""
        with self._lock:
            if name != self._name:
                self._name = name
                if self._task is not None:
                    self._progress.remove_task(self._task)
                self._task = self._progress.add_task(name, total=total)
                self._say()
            assert self._task is not None
            self._progress.update(self._task, completed=done, total=total)

    def _show(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._shown = True
            if self._console.is_terminal:
                self._progress.start()
            self._say()

    def _say(self) -> None:
        if self._shown and self._name and not self._console.is_terminal and sys.stderr:
            print(f"{self._name} ...", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clear the line."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._shown and self._console.is_terminal:
                self._progress.stop()


@contextmanager
def step_progress() -> Generator[StepProgress]:
    """Progress that is cleared however the work ends."""
    progress = StepProgress()
    try:
        yield progress
    finally:
        progress.close()
