"""The devices that designs are synthesised for: what they hold, and how the tools call them."""

from __future__ import annotations

from dataclasses import dataclass

from irc.devices import FIGURES, DeviceFigures, figures_of


@dataclass(frozen=True)
class Family:
    """Devices that one flow of Yosys serves, and what its cells are called."""

    name: str
    synthesis: str
    """Yosys' command; its top module comes behind it."""
    luts: dict[str, int]
    """Look-up tables that a cell takes, by its type."""
    flipflops: tuple[str, ...]
    """How the types of cells that are flip-flops begin."""
    block_rams: dict[str, float]
    """Block RAMs that a cell takes, in the unit that the maker counts."""
    dsps: tuple[str, ...]
    lut_name: str
    pads: str = ""
    """Yosys' command that gives the flat top module its pads, where synthesis does so in every
    module or in none."""


ICE40 = Family(
    "ice40",
    "synth_ice40 -noflatten",
    {"SB_LUT4": 1},
    ("SB_DFF",),
    {"SB_RAM40_4K": 1},
    ("SB_MAC16",),
    "LUT4",
)

# Wide multiplexers cost more than they save: measured as up to 40 % more LUTs, no faster.
ECP5 = Family(
    "ecp5",
    "synth_ecp5 -noflatten -nowidelut",
    # A carry cell is two look-up tables; a RAM of 16x4 takes four, and two for its write port.
    {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
    ("TRELLIS_FF",),
    {"DP16KD": 1, "PDPW16KD": 1},
    ("MULT18X18D", "ALU54B"),
    "LUT4",
)

# Families of Gowin's differ in primitives that no design here has. Wide multiplexers as for ECP5.
GOWIN = Family(
    "gowin",
    "synth_gowin -noflatten -nowidelut -noiopads",
    # A bit of an adder, and one of a RAM of 16 words, takes the place of a look-up table.
    {
        **{f"LUT{inputs}": 1 for inputs in range(1, 5)},
        "ALU": 1,
        **{f"RAM16S{kind}{bits}": bits for kind in ("", "DP") for bits in (1, 2, 4)},
    },
    ("DFF",),
    dict.fromkeys(("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B", "pROM", "pROMX9"), 1),
    ("MULT9X9", "MULT18X18", "MULT36X36"),
    "LUT4",
    pads="iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O",
)

XC7 = Family(
    "xc7",
    "synth_xilinx -family xc7 -noiopad",
    {
        **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
        "INV": 1,
        "SRL16E": 1,
        "SRLC32E": 1,
        "RAM32X1S": 1,
        "RAM64X1S": 1,
        "RAM32X1D": 2,
        "RAM64X1D": 2,
        "RAM128X1S": 2,
        "RAM128X1D": 4,
        "RAM32M": 4,
        "RAM64M": 4,
    },
    ("FDRE", "FDSE", "FDCE", "FDPE"),
    {"RAMB18E1": 0.5, "RAMB36E1": 1},
    ("DSP48E1",),
    "LUT6",
)


@dataclass(frozen=True)
class Device:
    """One device: its family and what it holds. Without place and route, `route` is empty."""

    figures: DeviceFigures
    family: Family
    route: tuple[str, ...] = ()
    """nextpnr's options."""
    pack: tuple[str, ...] = ()
    """The packer's, where it has to know the device."""
    frame_pins: tuple[str, ...] = ()
    """Pins for the ports of a frame around a core, where nextpnr chooses none by itself."""

    @property
    def name(self) -> str:
        """As the command line calls it."""
        return self.figures.name

    @property
    def description(self) -> str:
        """Its maker's name for it, and boards that have it."""
        return self.figures.description

    @property
    def luts(self) -> int:
        """Look-up tables that it holds."""
        return self.figures.luts

    @property
    def block_rams(self) -> float:
        """Block RAMs that it holds, in the maker's unit."""
        return self.figures.block_rams

    @property
    def clock(self) -> float:
        """MHz that place and route aim at unless told otherwise."""
        return self.figures.clock


FAMILIES = {family.name: family for family in (ICE40, ECP5, GOWIN, XC7)}

_ROUTES = {
    "up5k": ("--up5k", "--package", "sg48"),
    "hx8k": ("--hx8k", "--package", "ct256"),
    "ecp5-25k": ("--25k", "--package", "CABGA381", "--speed", "6"),
    "ecp5-85k": ("--85k", "--package", "CABGA381", "--speed", "6"),
    "gw1nr-9c": ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
    "gw2a-18c": ("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"),
}
"""nextpnr's options by device; those without have none."""

_PACKS = {"gw1nr-9c": ("-d", "GW1N-9C"), "gw2a-18c": ("-d", "GW2A-18C")}
"""The packer's options by device."""

_FRAME_PINS = {"gw1nr-9c": ("52", "25", "26", "27"), "gw2a-18c": ("4", "25", "26", "27")}
"""By device; the first one has a way to the global clocks."""

DEVICES = tuple(
    Device(
        figures,
        FAMILIES[figures.family],
        _ROUTES.get(figures.name, ()),
        _PACKS.get(figures.name, ()),
        _FRAME_PINS.get(figures.name, ()),
    )
    for figures in FIGURES
)
"""Every device that `irc synth` knows."""


def device_named(name: str) -> Device:
    """The device of that name; raises `UsageError` that lists them."""
    figures = figures_of(name)
    return next(device for device in DEVICES if device.figures is figures)
