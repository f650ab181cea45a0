"""How long a path takes on a device: an estimate before place and route.

Those of iCE40 and ECP5 are what `benchmarks/pipelining.py --fit` finds: the delays that explain
best which clocks nextpnr reaches with layers of 16 to 256 lanes.
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


_ECP5 = Delays(4.0, 0.76, 0.06, 3.1)
"""Within 4 % of the clocks of the designs that they were fitted to."""

_DELAYS = {
    # Within 5 % in the median of designs of 16 and of 256 lanes; wires are longer in larger ones,
    # which take up to 28 % longer. Block RAMs of both iCE40 are as in Yosys' models of their
    # cells: here no slower than registers.
    "up5k": Delays(0.28, 4.1, 0.65, 0.0),
    # Within 10 % of designs of 16 and of 128 lanes.
    "hx8k": Delays(1.9, 1.2, 0.13, 0.0),
    "ecp5-25k": _ECP5,
    "ecp5-85k": _ECP5,
    # From critical paths of TFC: a table takes 0.5 to 1.1 ns, its wire 0.3 to 2.2, a block RAM 2.3
    # and 3.5 ns to its output.
    "gw1nr-9c": Delays(1.4, 1.75, 0.06, 3.0),
    "gw2a-18c": Delays(0.7, 1.0, 0.04, 2.1),
    # Not measured, for there is no place and route: data sheet DS181, speed grade -1, gives 0.12 ns
    # for a table, 0.03 for a bit of carry and 2.1 for a block RAM; wires are as long as both.
    "xc7": Delays(1.0, 0.8, 0.03, 1.7),
}


def delays_of(device: str) -> Delays:
    """The delays of a device; raises `UsageError` where none are known."""
    if device not in _DELAYS:
        raise UsageError(f"no delays are known of device '{device}'")
    return _DELAYS[device]
