"""Counters that passes publish, for `irc-opt --pass-statistics`.

A pass, of this project or of somebody else's, counts what it does in one line:

    from irc.counters import count

    count("channels removed", 3)

Patterns need not: `apply_greedily` counts each of its patterns whenever it changes something.
Where nobody collects, counting does nothing, so that a pass never has to ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_COLLECTOR: ContextVar[Counter[str] | None] = ContextVar("irc_counters", default=None)


def count(name: str, amount: int = 1) -> None:
    """Add `amount` to the counter `name` of the pass that is running.

    `name` says in words what was counted, as a reader of the table would: `thresholds removed`.
    """
    counters = _COLLECTOR.get()
    if counters is not None:
        counters[name] += amount


@contextmanager
def collect() -> Generator[Counter[str]]:
    """Collect what is counted inside the `with`; an inner one keeps its counts to itself."""
    counters: Counter[str] = Counter()
    token = _COLLECTOR.set(counters)
    try:
        yield counters
    finally:
        _COLLECTOR.reset(token)
