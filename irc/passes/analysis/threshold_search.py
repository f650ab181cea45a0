"""Exact thresholds for a chain of float functions between an integer and a quantizer.

Such a chain is a function of one integer a channel. It is evaluated in float32, operation by
operation, as the ONNX model is; where it is monotone the places at which the quantized result
changes are found by bisection over the reachable integers, elsewhere by tabulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from irc.errors import IrcError
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.ranges import Reachable, visible_codes

Array = npt.NDArray[Any]

MAX_TABLE = 1 << 24
"""Most integers that are tabulated for one channel of a chain that is not monotone."""

MAX_TABLES = 1 << 27
"""Most integers that are tabulated for all channels of one that is, but for its roundings."""


class CodeFunction(Protocol):
    """A function from integers [C, n] to codes, such as `Chain`."""

    @property
    def quantizer(self) -> Operation:
        """What an error names."""
        ...

    def channel(self, index: int) -> CodeFunction:
        """The function for one channel alone."""
        ...

    def codes(self, integers: Array) -> Array:
        """The codes in float32, operation by operation."""
        ...

    def code_bounds(self, integers: Array) -> tuple[Array, Array]:
        """Smallest and largest code that any order of evaluation can give."""
        ...


@dataclass(frozen=True)
class Steps:
    """A function from integers to codes: `code(x) = bias + Σ_i steps[c, i]·[x >= at[c, i]]`.

    `at` and `steps` are int64 of shape [C, T]. A threshold that is never reached is one step
    above the largest reachable integer.
    """

    at: Array
    steps: Array
    bias: int

    def as_bits(self, full: Reachable) -> Steps | None:
        """Bits 0 and 1 instead of the codes −1 and +1; `None` where another code occurs."""
        at, codes, seen = visible_codes(self.at, self.steps, self.bias, full)
        if not bool((np.abs(codes) == 1)[seen].all()):
            return None
        # A code that nobody sees takes the value of the one before it.
        places: Array = np.where(seen, np.indices(codes.shape)[1], -1)
        latest: Array = np.maximum.accumulate(places, axis=1)
        bits = np.take_along_axis(codes > 0, np.maximum(latest, 0), axis=1) & (latest >= 0)
        starts = np.concatenate([full.low[:, None], at], axis=1)
        return trimmed(Steps(starts, np.diff(bits.astype(np.int64), axis=1, prepend=0), 0), full)


@dataclass(frozen=True)
class Levels:
    """A monotone function to codes: a rising channel c is at level `bottom + 1 + i` or above
    where `x >= at[c, i]`, a falling one where `x < at[c, i]`.

    `at` is int64 [C, L], `falling` a mask over channels.
    """

    at: Array
    falling: Array
    bottom: int

    def flipped(self, where: Array, full: Reachable) -> Levels:
        """The function of −x in the channels of the mask `where`: `x < t` iff `−x >= s − t`.

        s is the step between reachable integers, of which `t − s` is the largest below t.
        """
        mirrored = full.step[:, None] - self.at
        return Levels(
            np.where(where[:, None], mirrored, self.at), self.falling ^ where, self.bottom
        )

    def steps(self, full: Reachable) -> Steps:
        """As steps; `full` is what is reachable, with an entry a channel."""
        steps = np.broadcast_to(np.where(self.falling, -1, 1)[:, None], self.at.shape)
        if not bool(self.falling.any()):
            return trimmed(Steps(self.at, steps, self.bottom), full)
        # A falling channel starts at the top: one step at the very bottom of its range lifts it.
        lift = np.where(self.falling, self.at.shape[1], 0)[:, None]
        at = np.concatenate([full.low[:, None], self.at], axis=1)
        return trimmed(Steps(at, np.concatenate([lift, steps], axis=1), self.bottom), full)


NEARBY = 8
"""How many reachable integers from where it is expected a change is looked for first."""


def bisected(
    function: Callable[[Array], Array],
    full: Reachable,
    falling: Array,
    levels: Array,
    near: Array | None = None,
) -> Array:
    """Where a monotone function passes each of `levels` [L], for all channels at once.

    `function` maps integers [C, n] to codes. The result [C, L] is the smallest reachable
    integer at which a rising channel is at the level or above, and a falling one below it; one
    step above the largest where there is none. The cost is one evaluation of the function per
    bit of the largest range; less where all results are near those expected, `near` [C, L].
    """
    below = np.full((len(full.low), len(levels)), -1, np.int64)
    low, step = full.low[:, None], full.step[:, None]
    count = (full.high[:, None] - low) // step + 1
    above = np.broadcast_to(count, below.shape).copy()

    def is_changed(places: Array) -> Array:
        # A finished search may point outside; what it reads there is not used.
        codes = function(low + np.clip(places, 0, count - 1) * step)
        return np.where(falling[:, None], codes < levels, codes >= levels)

    if near is not None and int(count.max(initial=0)) > NEARBY**2:
        expected = (near - low) // step
        first, last = expected - NEARBY, expected + NEARBY
        below = np.where((first >= 0) & ~is_changed(first), first, below)
        above = np.where((last < count) & is_changed(last), last, above)
    while bool((above - below > 1).any()):
        middle = (below + above) // 2
        changed = is_changed(middle)
        unfinished = above - below > 1
        above = np.where(unfinished & changed, middle, above)
        below = np.where(unfinished & ~changed, middle, below)
    return low + above * step


def find_levels(chain: Chain, full: Reachable, direction: Array) -> Levels:
    """The thresholds of a monotone chain.

    `full` has an entry a channel, as has `direction` (see `Chain.direction`).
    """
    ends = chain.codes(np.stack([full.low, full.high], axis=1))
    bottom, top = int(ends.min()), int(ends.max())
    falling = np.broadcast_to(direction < 0, full.low.shape)
    at = bisected(chain.codes, full, falling, np.arange(bottom + 1, top + 1))
    return Levels(at, falling, bottom)


def is_tabulated(chain: Chain, full: Reachable) -> bool:
    """Whether bisection could miss a change.

    Functions that libraries approximate wobble by a unit in the last place, so that they are
    tabulated too, unless that takes too long: what bisection misses then is in the margin.
    """
    if chain.direction() is None:
        return True
    integers = int(((full.high - full.low) // full.step + 1).sum())
    return chain.wobbles and integers <= MAX_TABLES


def integers_by_channel(
    chain: CodeFunction, full: Reachable
) -> Iterator[tuple[int, Array, CodeFunction]]:
    """Each channel's number, its reachable integers [1, n], and the chain for that channel.

    Raises `IrcError` where they are more than `MAX_TABLE`.
    """
    for channel in range(len(full.low)):
        low, high, step = (int(a[channel]) for a in (full.low, full.high, full.step))
        if (high - low) // step >= MAX_TABLE:
            raise IrcError(
                f"channel {channel} of a function that is not monotone has "
                f"{(high - low) // step + 1} possible inputs; at most {MAX_TABLE} are tabulated",
                chain.quantizer.location,
            )
        yield channel, np.arange(low, high + 1, step)[None, :], chain.channel(channel)


def tabulate(chain: CodeFunction, full: Reachable) -> Steps:
    """Every reachable integer, channel by channel: a step wherever the result changes."""
    found: list[tuple[Array, Array]] = []
    for _, integers, one in integers_by_channel(chain, full):
        jumps = np.diff(one.codes(integers)[0], prepend=0)
        where = np.flatnonzero(jumps)
        found.append((integers[0, where], jumps[where]))
    width = max(len(at) for at, _ in found)
    at = np.tile((full.high + full.step)[:, None], (1, width))
    steps = np.zeros_like(at)
    for channel, (where, jumps) in enumerate(found):
        at[channel, : len(where)] = where
        steps[channel, : len(jumps)] = jumps
    return trimmed(Steps(at, steps, 0), full)


def trimmed(found: Steps, full: Reachable) -> Steps:
    """Without the columns that no channel reaches or that every channel always has."""
    never = (found.at > full.high[:, None]) | (found.steps == 0)
    always = (found.at <= full.low[:, None]) & (found.steps == found.steps[:1])
    constant = always.all(axis=0)
    keep = ~(never.all(axis=0) | constant)
    bias = found.bias + int(found.steps[0, constant].sum()) if found.at.size else found.bias
    return Steps(found.at[:, keep], found.steps[:, keep], bias)
