"""The devices that designs are folded and synthesised for: what each holds, and its clock.

The tools that serve them are in `irc.backends.synth.devices`; passes need the figures alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from irc.errors import UsageError


@dataclass(frozen=True)
class DeviceFigures:
    """What a device holds, in its maker's units."""

    name: str
    description: str
    family: str
    """`ice40`, `ecp5`, `gowin` or `xc7`: devices that the same cells are mapped to."""
    luts: int
    block_rams: float
    dsps: int
    clock: float
    """MHz that is assumed, and that place and route aim at, unless another is asked for."""
    lut_name: str

    @property
    def lut_inputs(self) -> int:
        """Inputs of a look-up table."""
        return int(self.lut_name.removeprefix("LUT"))


FIGURES = (
    DeviceFigures(
        "up5k",
        "Lattice iCE40 UltraPlus 5K (iCEBreaker, UPduino)",
        "ice40",
        luts=5280,
        block_rams=30,
        dsps=8,
        clock=24,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "hx8k",
        "Lattice iCE40 HX8K",
        "ice40",
        luts=7680,
        block_rams=32,
        dsps=0,
        clock=60,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "ecp5-25k",
        "Lattice ECP5 25K (Colorlight i5)",
        "ecp5",
        luts=24288,
        block_rams=56,
        dsps=28,
        clock=100,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "ecp5-85k",
        "Lattice ECP5 85K (ULX3S)",
        "ecp5",
        luts=83640,
        block_rams=208,
        dsps=156,
        clock=100,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "gw1nr-9c",
        "Gowin GW1NR-9C (Tang Nano 9K)",
        "gowin",
        luts=8640,
        block_rams=26,
        dsps=20,
        clock=54,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "gw2a-18c",
        "Gowin GW2A-18C, GW2AR-18C (Tang Nano 20K)",
        "gowin",
        luts=20736,
        block_rams=46,
        dsps=48,
        clock=81,
        lut_name="LUT4",
    ),
    DeviceFigures(
        "xc7",
        "AMD 7 series, synthesis only (Arty A7-35T's figures)",
        "xc7",
        luts=20800,
        block_rams=50,
        dsps=90,
        clock=100,
        lut_name="LUT6",
    ),
)
"""Every device that is known."""


def figures_of(name: str) -> DeviceFigures:
    """The device of that name; raises `UsageError` that lists them."""
    for device in FIGURES:
        if device.name == name:
            return device
    raise UsageError(
        f"unknown device '{name}'; expected {', '.join(device.name for device in FIGURES)}"
    )
