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
    """One line for the step at work; on a stderr that is no terminal, a plain line for each step
    that takes longer than `PATIENCE`.

    A timer shows it, so that a step that tells of nothing appears all the same.
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
        self._closed = self._started = False
        self._lock = threading.Lock()
        self._timer = self._start_timer("")

    def __call__(self, name: str, done: int = 0, total: int | None = None) -> None:
        """Tell of `done` of `total` in the step `name`; without a total it cannot be counted."""
        with self._lock:
            if name != self._name:
                self._name = name
                if self._task is not None:
                    self._progress.remove_task(self._task)
                self._task = self._progress.add_task(name, total=total)
                if not self._console.is_terminal:
                    self._timer.cancel()
                    self._timer = self._start_timer(name)
            assert self._task is not None
            self._progress.update(self._task, completed=done, total=total)

    def _start_timer(self, name: str) -> threading.Timer:
        timer = threading.Timer(PATIENCE, self._show, [name])
        timer.daemon = True
        timer.start()
        return timer

    def _show(self, name: str) -> None:
        with self._lock:
            if self._closed:
                return
            if self._console.is_terminal:
                self._started = True
                self._progress.start()
            elif name and name == self._name and sys.stderr:
                print(f"{name} ...", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clear the line."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._started:
                self._progress.stop()


@contextmanager
def step_progress() -> Generator[StepProgress]:
    """Progress that is cleared however the work ends."""
    progress = StepProgress()
    try:
        yield progress
    finally:
        progress.close()
