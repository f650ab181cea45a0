"""How long a path takes on a device: an estimate before place and route.

Those of the Lattice devices are from what nextpnr says of critical paths, which
`benchmarks/pipelining.py` prints for layers of its own and for logs of any design.
"""

from __future__ import annotations

from dataclasses import dataclass

from irc.errors import UsageError
from irc.passes.hardware.logic_depth import Depth

MARGIN = 1.1
"""How much longer than estimated a path may be: placements differ by as much."""


@dataclass(frozen=True)
class Delays:
    """Nanoseconds."""

    ends: float
    """From the clock to the output of a register, the first wire, and the set-up of the last."""
    level: float
    """A look-up table and the wire to the next one."""
    carry: float
    """A bit of a carry chain."""
    memory: float
    """What a block RAM takes longer than a register."""

    def of(self, path: Depth) -> float:
        """The time that a path takes."""
        return (
            self.ends
            + self.level * path.levels
            + self.carry * path.carries
            + self.memory * path.memories
        )

    def meets(self, path: Depth, mhz: float) -> bool:
        """Whether a path is estimated to be short enough for a clock, the margin included."""
        return self.of(path) * MARGIN <= 1000 / mhz


_ECP5 = Delays(0.6, 1.25, 0.06, 5.2)

_DELAYS = {
    # Tables on critical paths of designs took 2.9 to 3.9 ns with their wires. Block RAMs of both
    # iCE40 are as in Yosys' models of their cells: here no slower than registers.
    "up5k": Delays(1.4, 3.1, 0.35, 0.0),
    # From the counts of `benchmarks/popcount.py`: 7 levels in 7.3 ns.
    "hx8k": Delays(0.6, 1.1, 0.13, 1.6),
    # 1.0 to 1.6 ns a table; a block RAM takes 5.6 to 5.8 ns, a register 0.5.
    "ecp5-25k": _ECP5,
    "ecp5-85k": _ECP5,
    # Not measured, for there is no place and route: data sheet DS181, speed grade -1, gives 0.12 ns
    # for a table, 0.03 for a bit of carry and 2.1 for a block RAM; wires are as long as both.
    "xc7": Delays(1.0, 0.8, 0.03, 1.7),
}


def delays_of(device: str) -> Delays:
    """The delays of a device; raises `UsageError` where none are known."""
    if device not in _DELAYS:
        raise UsageError(f"no delays are known of device '{device}'")
    return _DELAYS[device]
