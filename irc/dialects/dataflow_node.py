"""What every unit of a dataflow design can be asked: how fast, how late, how large.

Cycles are exact: equal to simulation of the generated hardware. Resources are estimates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from xdsl.irdl import IRDLOperation


@dataclass(frozen=True)
class Resources:
    """An estimate: look-up tables, flip-flops, and bits that ought to lie in block RAM."""

    luts: int = 0
    flipflops: int = 0
    block_bits: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.luts + other.luts,
            self.flipflops + other.flipflops,
            self.block_bits + other.block_bits,
        )


@dataclass(frozen=True)
class Folding:
    """How much of a layer is worked on at once; `memory` is where its weights lie, `products` how
    it multiplies, `mmv` how many neighbouring vectors meet the same weights at once, `stages` the
    registers that products and their sum pass on the way to the accumulator; None is what suits the
    clock, or one."""

    pe: int = 1
    simd: int = 1
    memory: str = "auto"
    products: str = "auto"
    mmv: int = 1
    stages: int | None = None


UNFOLDED = Folding()
"""One multiplication a cycle."""

MEMORIES = ("auto", "block", "distributed", "logic", "spram")
"""Where weights may lie: chosen by size, in block RAM, in look-up tables, or nowhere: as constants
in logic that works on all of them in every cycle. Weights that are loaded at run time may also lie
in the large single-ported RAM of iCE40 UltraPlus."""


class DataflowNode(IRDLOperation, ABC):
    """Interface of the operations that become a hardware unit with streams in and out."""

    @abstractmethod
    def cycles(self) -> int:
        """Initiation interval: cycles from one frame to the next, when neither side stalls."""

    @abstractmethod
    def latency(self) -> int:
        """Cycles from the first beat taken to the first beat given, when neither side stalls."""

    @abstractmethod
    def resources(self) -> Resources:
        """An estimate of what the unit takes."""

    def macs(self) -> int:
        """Multiply-accumulate operations a frame."""
        return 0

    def weight_bits(self) -> int:
        """Bits of weights."""
        return 0


class FoldedNode(DataflowNode):
    """A node that computes, and may do so in more or fewer cycles.

    `pe` elements of the result are worked on at once, each from `simd` elements of the input, for
    `mmv` neighbours in space; the output stream has `pe` lanes for each of these.
    """

    @property
    @abstractmethod
    def layer_name(self) -> str:
        """The name that folding files and reports call it by."""

    @property
    @abstractmethod
    def folding(self) -> Folding:
        """The current folding."""

    @abstractmethod
    def set_folding(self, folding: Folding) -> None:
        """Set the properties; the caller gives the output stream its new lanes."""

    @abstractmethod
    def pe_choices(self) -> list[int]:
        """Possible values of PE, ascending."""

    @abstractmethod
    def simd_choices(self) -> list[int]:
        """Possible values of SIMD with any PE, ascending; empty where there is no such choice."""

    def mmv_choices(self) -> list[int]:
        """Possible values of MMV where PE covers all rows, ascending."""
        return [1]

    def stage_choices(self) -> list[int]:
        """Possible numbers of stages, ascending; empty where there is no such choice."""
        return []

    def unfit(self, folding: Folding) -> str | None:
        """Why PE, SIMD and MMV, each of them a possible value, do not go together."""
        return None

    def product_choices(self) -> tuple[str, ...]:
        """Possible ways to multiply; none where nothing is multiplied."""
        return ()

    @abstractmethod
    def folded_cycles(self, folding: Folding) -> int:
        """What `cycles` would be under another folding."""

    @abstractmethod
    def folded_area(self, folding: Folding) -> int:
        """Roughly the look-up tables that another folding takes, memories aside."""

    @abstractmethod
    def input_lanes(self) -> int:
        """Elements a beat that the unit takes."""


def divisors(number: int) -> list[int]:
    """All divisors, ascending."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return small + [number // d for d in reversed(small) if d * d != number]
