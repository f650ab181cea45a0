"""Boards, read from TOML files: those in `data/`, or a user's own; see docs/boards.md."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from irc.backends.boards.keys import Table
from irc.backends.synth.devices import DEVICES, Device, device_named
from irc.errors import IrcError, UsageError

PLLS = {
    "ice40": ("SB_PLL40_PAD", "SB_PLL40_CORE", "SB_HFOSC", "none"),
    "ecp5": ("EHXPLLL", "none"),
    "gowin": ("rPLL", "none"),
    "xc7": ("none",),
}
"""What may make the core's clock, by family of devices."""

BRIDGES = ("uart", "spi", "axi")


@dataclass(frozen=True)
class Clock:
    """Frequencies in MHz: at the pin (or of the oscillator in the device), and of the core."""

    pin: str | None
    frequency: float
    core: float
    pll: str
    tolerance: float
    """By how much the frequency may be off, as a fraction."""


@dataclass(frozen=True)
class Uart:
    """`rx` is where the FPGA receives."""

    rx: str
    tx: str
    baud: int


@dataclass(frozen=True)
class Spi:
    """The FPGA is the peripheral: it drives `miso`."""

    cs: str
    sck: str
    mosi: str
    miso: str


@dataclass(frozen=True)
class Leds:
    """`active` turns at every result, `failed` is lit from an error to the next good frame."""

    active: str | None
    failed: str | None
    active_low: bool


@dataclass(frozen=True)
class Button:
    """A button that resets the design."""

    pin: str
    active_low: bool


@dataclass(frozen=True)
class Board:
    """A board; what it lacks is `None`."""

    name: str
    description: str
    device: Device
    part: str | None
    """The maker's name of the device, for the maker's tools."""
    bridge: str
    """What connects the core unless told otherwise."""
    program: tuple[str, ...] | None
    """The command that loads `{bitstream}`, if there is one."""
    clock: Clock
    uart: Uart | None
    spi: Spi | None
    leds: Leds | None
    reset: Button | None
    levels: dict[str, tuple[str, int]]
    """Pins that are held at a level, by name."""
    io_standard: str | None
    standards: dict[str, str]
    """Of pins that have another one, by pin."""

    def standard(self, pin: str) -> str | None:
        """The electrical standard of a pin."""
        return self.standards.get(pin, self.io_standard)


def board_names() -> list[str]:
    """The boards that come with the package."""
    folder = resources.files("irc.backends.boards") / "data"
    names = [entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return sorted(name.removesuffix(".toml") for name in names)


def load_board(name_or_path: str) -> Board:
    """A board by name, or from a file where the name ends in `.toml`.

    Raises `UsageError` for an unknown name, `IrcError` with file and key for what is wrong in one.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise IrcError(f"{path}: {error.strerror}; expected a board file") from None
        except UnicodeDecodeError:
            raise IrcError(f"{path}: not UTF-8 text; expected a board file") from None
        return read_board(text, path.stem, str(path))
    if name_or_path not in board_names():
        raise UsageError(
            f"unknown board '{name_or_path}'; expected {', '.join(board_names())}, "
            "or the path of a .toml file"
        )
    file = resources.files("irc.backends.boards") / "data" / f"{name_or_path}.toml"
    return read_board(file.read_text("utf-8"), name_or_path, f"{name_or_path}.toml")


def read_board(text: str, name: str, source: str) -> Board:
    """The board that a TOML text describes; `source` names it in errors."""
    try:
        table = Table(source, "", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise IrcError(f"{source}: not TOML: {error}") from None
    device = device_named(table.choice("device", [device.name for device in DEVICES]))
    levels, io = table.table("levels"), table.table("io")
    board = Board(
        name=name,
        description=table.text("description"),
        device=device,
        part=table.text_or_none("part"),
        bridge=table.choice("bridge", BRIDGES, "uart"),
        program=table.texts("program") if "program" in table.values else None,
        clock=_clock(table.required("clock"), device),
        uart=_uart(table.table("uart")),
        spi=_spi(table.table("spi")),
        leds=_leds(table.table("leds")),
        reset=_button(table.table("reset")),
        levels={} if levels is None else _levels(levels),
        io_standard=_io(io, device),
        standards={} if io is None else _standards(io),
    )
    table.finish()
    return board


def _clock(table: Table, device: Device) -> Clock:
    pll = table.choice("pll", PLLS[device.family.name])
    clock = Clock(
        pin=None if pll == "SB_HFOSC" else table.pin("pin"),
        frequency=table.number("frequency", 0.1, 1000),
        core=table.number("core", 0.1, 1000),
        pll=pll,
        tolerance=table.number("tolerance", 0, 0.5, 0.0),
    )
    table.finish()
    return clock


def _uart(table: Table | None) -> Uart | None:
    if table is None:
        return None
    uart = Uart(table.pin("rx"), table.pin("tx"), int(table.number("baud", 300, 20_000_000)))
    table.finish()
    return uart


def _spi(table: Table | None) -> Spi | None:
    if table is None:
        return None
    spi = Spi(table.pin("cs"), table.pin("sck"), table.pin("mosi"), table.pin("miso"))
    table.finish()
    return spi


def _leds(table: Table | None) -> Leds | None:
    if table is None:
        return None
    leds = Leds(table.pin_or_none("active"), table.pin_or_none("failed"), table.flag("active_low"))
    table.finish()
    return leds


def _button(table: Table | None) -> Button | None:
    if table is None:
        return None
    button = Button(table.pin("pin"), table.flag("active_low"))
    table.finish()
    return button


def _levels(table: Table) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for name in table.names():
        entry = table.required(name)
        found[name] = (entry.pin("pin"), int(entry.number("level", 0, 1)))
        entry.finish()
    return found


def _io(table: Table | None, device: Device) -> str | None:
    """Needed where the constraints of a family name it."""
    if device.family.name == "ice40":
        return None
    if table is None:
        return "LVCMOS33"
    return table.text("standard")


def _standards(table: Table) -> dict[str, str]:
    """Pins by the standards of their banks."""
    banks = table.table("banks")
    found: dict[str, str] = {}
    if banks is not None:
        for name in banks.names():
            bank = banks.required(name)
            found |= dict.fromkeys(bank.texts("pins"), bank.text("standard"))
            bank.finish()
    table.finish()
    return found
