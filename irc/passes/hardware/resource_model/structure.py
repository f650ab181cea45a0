"""What a unit is made of, as far as it decides its area: look-up tables by part, registers, and
memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from irc.passes.hardware.resource_model.memories import Memory


@dataclass(frozen=True)
class Structure:
    """`luts` are those that the emitted logic comes to, part by part, were every part mapped by
    itself; what a family's synthesis makes of a look-up table of a part is its coefficient.
    `registers` are bits, those behind memories apart."""

    kind: str
    luts: Mapping[str, float] = field(default_factory=dict[str, float])
    registers: float = 0
    memories: tuple[Memory, ...] = ()
    dsps: int = 0
    """DSP blocks that products become."""


def counter_bits(*counts: int) -> int:
    """Bits of counters modulo each of these; one that counts to 1 is none."""
    return sum((count - 1).bit_length() for count in counts)
