"""Which integers lie so close to a threshold that float32 rounding may decide.

The reference may sum floats in any order, and runtimes differ in how they evaluate some
operators. The errors of that are stated on the operations; here they become intervals of integers
at which the quantized result is in doubt. None at all means: exact for any evaluation order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from irc.passes.analysis.chain import Chain
from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.threshold_search import (
    CodeFunction,
    bisected,
    integers_by_channel,
    is_tabulated,
)

Array = npt.NDArray[Any]


class Ambiguity(NamedTuple):
    """The reachable integers from `first` to `last` of one channel."""

    channel: int
    first: int
    last: int


def find_ambiguous(chain: Chain, full: Reachable) -> list[Ambiguity]:
    """All integers whose result another order of evaluation could change, `full` one a channel.

    The bounds of a monotone chain are monotone too: each level is in doubt from where the upper
    bound passes it to where the lower one does, both found by bisection.
    """
    if chain.is_reproducible:
        return []
    if is_tabulated(chain, full):
        return tabulate_ambiguous(chain, full)
    direction = chain.direction()
    assert direction is not None
    found = _bisected(chain, full, np.broadcast_to(direction < 0, full.low.shape))
    return _merged(found, full)


def _bisected(chain: Chain, full: Reachable, falling: Array) -> list[Ambiguity]:
    least, most = chain.code_bounds(np.stack([full.low, full.high], axis=1))
    levels = np.arange(int(least.min()) + 1, int(most.max()) + 1)
    is_lower = np.arange(2 * len(levels)) < len(levels)

    def both(integers: Array) -> Array:
        return np.where(is_lower, *chain.code_bounds(integers))

    low, high = np.split(bisected(both, full, falling, np.tile(levels, 2)), 2, axis=1)
    first = np.where(falling[:, None], low, high)
    last = np.where(falling[:, None], high, low) - full.step[:, None]
    return [
        Ambiguity(int(c), int(first[c, i]), int(last[c, i])) for c, i in np.argwhere(first <= last)
    ]


def tabulate_ambiguous(chain: CodeFunction, full: Reachable) -> list[Ambiguity]:
    """The same by looking at every integer."""
    found: list[Ambiguity] = []
    for channel, integers, one in integers_by_channel(chain, full):
        least, most = one.code_bounds(integers)
        found += [Ambiguity(channel, int(x), int(x)) for x in integers[least != most]]
    return _merged(found, full)


def _merged(found: list[Ambiguity], full: Reachable) -> list[Ambiguity]:
    """The same integers in order, neighbours joined."""
    joined: list[Ambiguity] = []
    for channel, first, last in sorted(found):
        step = int(full.step[channel])
        previous = joined[-1] if joined else None
        if previous and previous.channel == channel and first <= previous.last + step:
            joined[-1] = Ambiguity(channel, previous.first, max(previous.last, last))
        else:
            joined.append(Ambiguity(channel, first, last))
    return joined
