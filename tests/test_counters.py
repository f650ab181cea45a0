"""Counters of passes reach whoever collects them, and nobody else."""

from __future__ import annotations

from irc.counters import collect, count


def test_counts_add_up_in_the_innermost_collection() -> None:
    count("lost")
    with collect() as outer:
        count("a")
        with collect() as inner:
            count("a", 2)
            count("b", 0)
        count("a", 3)
    count("lost")
    assert dict(outer) == {"a": 4}
    assert dict(inner) == {"a": 2, "b": 0}
