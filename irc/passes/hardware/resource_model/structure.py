"""What a unit is made of, as far as it decides its area: counts by name, and memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from irc.passes.hardware.resource_model.memories import Memory


@dataclass(frozen=True)
class Structure:
    """`kind` has coefficients of its own; `counts` are what these are multiplied with."""

    kind: str
    counts: Mapping[str, float] = field(default_factory=dict[str, float])
    memories: tuple[Memory, ...] = ()
    multipliers: int = 0
    """Multiplications that may go into a DSP block each."""
    product_width: int = 0
    """Bits of their products."""


def counter_bits(*counts: int) -> int:
    """Bits of counters modulo each of these; one that counts to 1 is none."""
    return sum((count - 1).bit_length() for count in counts)
