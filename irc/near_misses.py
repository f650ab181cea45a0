"""`did you mean 'x'?`: what a misspelt name probably stands for.

Only the standard library is imported here, so that `--help` answers at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

NEARNESS = 0.6
"""Ratio of equal letters, as `difflib` counts them, from which on a name is offered."""


def did_you_mean(name: str, known: Iterable[str], nearness: float = NEARNESS) -> str:
    """`; did you mean 'x'?`, or nothing where no known name is near.

    A second name is offered only where it is about as near as the first. Case does not count, nor
    does `_` for `-`.
    """
    wanted = _plain(name)
    spelt = {_plain(other): other for other in known}
    close = get_close_matches(wanted, list(spelt), 2, nearness)
    ratios = [SequenceMatcher(None, wanted, other).ratio() for other in close]
    near = [
        spelt[other] for other, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - 0.1
    ]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
