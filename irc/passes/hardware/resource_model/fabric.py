"""What the look-up tables and carry chains of a family make of the primitives that units are
written in.

Widths from which Yosys takes a carry chain are those of `yosys/techlibs` (`ice40/arith_map.v`,
`lattice/arith_map_ccu2c.v`, `xilinx/arith_map.v`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from irc.passes.hardware.resource_model.memories import choice_luts
from irc.passes.hardware.resource_model.structure import counter_bits


@dataclass(frozen=True)
class Fabric:
    """The logic of a family."""

    lut_inputs: int
    widest_without_carry: int
    """Bits of sums that are made of look-up tables alone."""
    carry_pairs: bool
    """Whether a carry cell holds two bits, and takes as many look-up tables."""
    chain_chooses: bool
    """Whether the look-up table of a bit in a chain has room to choose its operand."""
    bare_carries: bool
    """Whether a carry cell needs no look-up table of its own."""
    least_dsp_width: int | None
    """Bits of a product from which Yosys makes it a DSP block by itself, if it does."""

    def has_dsp(self, product_width: int) -> bool:
        """Whether a product of so many bits becomes a DSP block."""
        return self.least_dsp_width is not None and product_width >= self.least_dsp_width

    def add(self, width: int) -> float:
        """The sum of two numbers, or a comparison of two."""
        if width <= self.widest_without_carry:
            # A carry and a sum a bit, but for the first two bits, whose carry the next ones hold.
            return max(width, 2 * width - 2)
        return width + width % 2 if self.carry_pairs else width

    def equal(self, width: int) -> float:
        """A comparison with a constant for equality."""
        return 0 if width < 1 else max(1, -(-(width - 1) // (self.lut_inputs - 1)))

    def at_least(self, width: int, constant: int) -> float:
        """A comparison of an unsigned number with a constant: zeros at the end of that do not
        count, and what one table of four has not inputs for is a carry chain."""
        compared = width - ((constant & -constant).bit_length() - 1) if constant else 0
        if self.lut_inputs >= 6 or compared <= self.lut_inputs:
            return self.equal(compared) if compared > 1 else 0
        return 0 if self.bare_carries else self.add(compared)

    def choice(self, words: int) -> float:
        """Choosing among so many words, a bit."""
        return choice_luts(words, self.lut_inputs)

    def counters(self, *counts: int) -> float:
        """Counters modulo each of these, which say when they are about to wrap."""
        total = 0.0
        for count in counts:
            width = counter_bits(count)
            if width:
                total += self.add(width) + self.equal(width) + (count != 1 << width)
        return total

    def around(self, width: int, depth: int) -> float:
        """A position plus a step, both below `depth`, modulo that."""
        if depth == 1 << width:
            return self.add(width)
        # The sum, and one adder that says whether the depth goes off, and takes it off.
        return 2 * self.add(width + 1) + width


FULL_ADDER = 2
"""Tables of a full adder, in every family."""

FABRICS = {
    "ice40": Fabric(4, 2, False, False, bare_carries=True, least_dsp_width=None),
    "ecp5": Fabric(4, 4, True, False, bare_carries=False, least_dsp_width=4),
    "gowin": Fabric(4, 2, False, False, bare_carries=False, least_dsp_width=8),
    "xc7": Fabric(6, 2, False, True, bare_carries=False, least_dsp_width=9),
}
"""By family."""


@cache
def compressor_luts(heights: tuple[int, ...], largest: int, lut_inputs: int) -> int:
    """Tables of a count that `units.counting.add_columns` adds up, of columns of so many bits and
    at most `largest`."""
    digits = largest.bit_length()
    pending = [*heights, *[0] * (digits + 3)]
    luts = 0
    for place in range(digits):
        height = pending[place]
        while height > 1:
            taken = min(height, 6 if lut_inputs >= 6 and height > 3 else 3)
            outputs = taken.bit_length()
            luts += min(outputs, digits - place)
            for further in range(1, outputs):
                pending[place + further] += 1
            height -= taken - 1
    return luts


@cache
def full_adders(heights: tuple[int, ...]) -> int:
    """Full adders that leave two bits a column, as Yosys' `maccmap` takes them."""
    count, carried = 0, 0
    for height in heights:
        there = height + carried
        carried = max(0, there - 1) // 2
        count += carried
    while carried > 2:
        carried = (carried - 1) // 2
        count += carried
    return count


def plane_heights(counts: Sequence[int]) -> tuple[int, ...]:
    """The columns of bits that count as much as these powers of two."""
    heights = [0] * max(count.bit_length() for count in counts)
    for count in counts:
        heights[count.bit_length() - 1] += 1
    return tuple(heights)
