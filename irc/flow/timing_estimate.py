"""Which paths of a design will be too long for its clock, by an estimate before place and route."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from irc.devices import DeviceFigures
from irc.passes.hardware.delays import delays_of
from irc.passes.hardware.path_depths import Path, longest_paths


@dataclass(frozen=True)
class SlowPath:
    """The longest path of an instance, and the nanoseconds that it is estimated to take."""

    path: Path
    nanoseconds: float

    def __str__(self) -> str:
        path = self.path
        levels = f"{path.depth.levels} look-up table{'s' if path.depth.levels != 1 else ''}"
        return (
            f"{path.instance}: about {1000 / self.nanoseconds:.0f} MHz, for the path to "
            f"'{path.end}' is {levels} deep ({self.nanoseconds:.1f} ns)"
        )


def slow_paths(built: ModuleOp, top: str, device: DeviceFigures, mhz: float) -> list[SlowPath]:
    """The longest path of each instance that is estimated to miss a clock, longest first: of
    matrix-vector units, and of all else: thresholds, pools, what passes `tready` on."""
    delays = delays_of(device.name)
    found = [
        SlowPath(path, delays.of(path.depth))
        for path in longest_paths(built, top, device.lut_inputs, delays.of)
    ]
    slow = [each for each in found if each.nanoseconds > 1000 / mhz]
    return sorted(slow, key=lambda each: -each.nanoseconds)
