"""Passes that run others say which one is at work.

    for name, run in passes.items():
        with stage(name, module):
            run(module)

Observers of the pass then see its stages, too: `irc-opt --print-ir-after=streamline-linear` prints
the IR wherever `streamline` has come to that pass. Where nobody watches, nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


@dataclass(frozen=True)
class StageWatcher:
    """What is called with name and module before every stage, and when it has run or failed."""

    before: Callable[[str, ModuleOp], None]
    after: Callable[[str, ModuleOp], None]
    failed: Callable[[str, ModuleOp], None]


_WATCHER: ContextVar[StageWatcher | None] = ContextVar("irc_stages", default=None)


@contextmanager
def stage(name: str, module: ModuleOp) -> Generator[None]:
    """What runs inside the `with` is the pass `name`, at work on `module`; what it raises has a
    note that says so."""
    watcher = _WATCHER.get()
    if watcher is not None:
        watcher.before(name, module)
    try:
        yield
    except BaseException as error:
        error.add_note(f"in pass '{name}'")
        if watcher is not None:
            watcher.failed(name, module)
        raise
    if watcher is not None:
        watcher.after(name, module)


@contextmanager
def watch_stages(watcher: StageWatcher) -> Generator[None]:
    """Tell `watcher` of every stage inside the `with`."""
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)
