"""A branch of a network, as its sum with another one sees it: float functions of an integer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.analysis.chain import Chain, Link, direction_of, float_bounds, floats_of
from irc.passes.analysis.function_chain import exact_chain
from irc.passes.analysis.ranges import RangeAnalysis, Reachable

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Branch:
    """Element-wise float functions of the cast of an exact value, channel by channel."""

    source: SSAValue
    links: Sequence[Link]
    reachable: Reachable

    @property
    def channels(self) -> int:
        """How many channels differ, in their constants or in what they can hold."""
        constants = [len(a) for link in self.links for a in link.arrays if a is not None]
        return max(*constants, self.reachable.channels, 1)

    @property
    def is_reproducible(self) -> bool:
        """Whether every runtime computes the same bits."""
        return all(link.is_reproducible for link in self.links)

    @property
    def is_monotone(self) -> bool:
        """Whether each channel never falls or never rises, its float32 roundings included."""
        return direction_of(self.links) is not None and self.is_accurate

    @property
    def is_accurate(self) -> bool:
        """Whether no function is one that mathematics libraries approximate."""
        return not any(link.is_approximated for link in self.links)

    def part(self, start: int, stop: int) -> Branch:
        """The channels from `start` up to `stop` alone."""
        arrays = (self.reachable.low, self.reachable.high, self.reachable.step)
        some = (a if len(a) == 1 else a[start:stop] for a in arrays)
        return Branch(
            self.source, [link.part(start, stop) for link in self.links], Reachable(*some)
        )

    def floats(self, integers: Array) -> Array:
        """The float32 results for integers [C, n]; raises `IrcError` at NaN or infinity."""
        return floats_of(self.links, integers)

    def values(self) -> int:
        """How many integers the channel that can hold most of them can hold."""
        full = self.reachable
        return int(((full.high - full.low) // full.step).max()) + 1

    def integers(self, channels: int) -> Array:
        """All that the channels can hold [C, n]; the largest repeated in those of fewer."""
        full = self.reachable.expanded(channels)
        count = (full.high - full.low) // full.step
        places = np.minimum(np.arange(int(count.max()) + 1), count[:, None])
        return full.low[:, None] + places * full.step[:, None]


def match_branch(value: SSAValue, analysis: RangeAnalysis) -> Branch | None:
    """See a float value as a branch; `None` where it does not come from an exact one.

    Raises `IrcError` where a constant differs between pixels.
    """
    found = exact_chain(value)
    if found is None:
        return None
    reachable = analysis.of(found.source)
    assert reachable is not None
    return Branch(found.source, [Link.of(op) for op in found.functions], reachable)


@dataclass(frozen=True)
class SumChain:
    """`tail(lhs(a) + rhs(b))`: a code from two integers, channel by channel, in float32."""

    lhs: Branch
    rhs: Branch
    tail: Chain

    @property
    def channels(self) -> int:
        """How many channels differ."""
        return max(self.lhs.channels, self.rhs.channels, self.tail.channels)

    @property
    def is_reproducible(self) -> bool:
        """Whether every runtime computes the same bits."""
        parts = (self.lhs, self.rhs, self.tail)
        return all(part.is_reproducible for part in parts)

    def part(self, start: int, stop: int) -> SumChain:
        """The channels from `start` up to `stop` alone."""
        lhs, rhs = self.lhs.part(start, stop), self.rhs.part(start, stop)
        return SumChain(lhs, rhs, self.tail.part(start, stop))

    def swapped(self) -> SumChain:
        """The same sum, the other way round."""
        return SumChain(self.rhs, self.lhs, self.tail)

    def falls(self) -> Array | None:
        """Where the code falls as a rises, a mask over all channels; `None` if it does neither."""
        of_lhs, of_tail = direction_of(self.lhs.links), self.tail.direction()
        if of_lhs is None or of_tail is None or not self.lhs.is_accurate:
            return None
        return np.broadcast_to(of_lhs * of_tail < 0, (self.channels,))

    def codes(self, a: Array, b: Array) -> Array:
        """The codes of pairs [C, n] of integers."""
        return self.tail.codes(self.lhs.floats(a) + self.rhs.floats(b))

    def code_bounds(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Smallest and largest code that any order of evaluation can give for pairs [C, n]."""
        of_lhs, of_rhs = float_bounds(self.lhs.links, a), float_bounds(self.rhs.links, b)
        with np.errstate(all="ignore"):
            low, high = (x + y for x, y in zip(of_lhs, of_rhs, strict=True))
        return self.tail.bounds_from(low, high)


@dataclass(frozen=True)
class DiagonalChain:
    """A sum of two branches that begin with the same integer: a code from that one."""

    chain: SumChain

    @property
    def quantizer(self) -> bnn.Quantizer:
        """Where it ends."""
        return self.chain.tail.quantizer

    def channel(self, index: int) -> DiagonalChain:
        """One channel alone."""
        return DiagonalChain(self.chain.part(index, index + 1))

    def codes(self, integers: Array) -> Array:
        """The codes for integers [C, n]."""
        return self.chain.codes(integers, integers)

    def code_bounds(self, integers: Array) -> tuple[Array, Array]:
        """Smallest and largest code that any order of evaluation can give."""
        return self.chain.code_bounds(integers, integers)
