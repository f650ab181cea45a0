"""Place and route with nextpnr, and the bitstream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.synth.devices import Device
from irc.backends.synth.tools import Watcher, run_tool
from irc.backends.synth.yosys import NETLIST_JSON
from irc.errors import IrcError

REPORT = "timing.json"

ROUTER2_CELLS = 12_000
"""Look-up tables of an ECP5 design from which on nextpnr's router2 is taken. Its router1 reaches
higher clocks (104 MHz against 68 with 4,000), but had most arcs of a design with 20,000 left after
19 minutes, where router2 was done in less."""


@dataclass(frozen=True)
class Routed:
    """What nextpnr reports; clocks in MHz."""

    fmax: float
    utilisation: dict[str, tuple[int, int]]
    """Cells used and available, by the device's name for them."""
    bitstream: str


@dataclass(frozen=True)
class _Tools:
    """What places, routes and packs the designs of a family; `{pins}` is the constraint file."""

    nextpnr: str
    output: tuple[str, str]
    """Its option for what it writes, and the file."""
    pins: tuple[str, ...]
    loose: tuple[str, ...]
    """Its options where no pins are named."""
    packer: str
    bitstream: str


_TOOLS = {
    "ice40": _Tools(
        "nextpnr-ice40",
        ("--asc", "placed.asc"),
        ("--pcf", "{pins}"),
        ("--pcf-allow-unconstrained",),
        "icepack",
        "bitstream.bin",
    ),
    "ecp5": _Tools(
        "nextpnr-ecp5",
        ("--textcfg", "placed.config"),
        ("--lpf", "{pins}"),
        ("--lpf-allow-unconstrained",),
        "ecppack",
        "bitstream.bit",
    ),
    "gowin": _Tools(
        "nextpnr-himbaechel-gowin",
        ("--write", "placed.json"),
        ("--vopt", "cst={pins}"),
        (),
        "gowin_pack",
        "bitstream.fs",
    ),
}
"""By family."""


def place_and_route(
    device: Device,
    luts: int,
    folder: Path,
    clock: float,
    seed: int,
    pins: str | None,
    watcher: Watcher,
) -> Routed:
    """Place, route and pack the netlist in `folder`, a design of so many look-up tables; `pins` is
    a constraint file there, or none.

    A clock that is not met is reported, not an error. Raises `IrcError` where the design does not
    fit or the tools fail.
    """
    tools = _TOOLS[device.family.name]
    router2 = device.family.name == "ecp5" and luts >= ROUTER2_CELLS
    option, placed = tools.output
    arguments = [
        *device.route,
        *(["--router", "router2"] if router2 else []),
        "--json",
        NETLIST_JSON,
        option,
        placed,
        "--report",
        REPORT,
        "--freq",
        f"{clock:g}",
        "--seed",
        str(seed),
        "--timing-allow-fail",
        *([part.format(pins=pins) for part in tools.pins] if pins else tools.loose),
    ]
    run_tool(tools.nextpnr, arguments, folder, "nextpnr.log", watcher)
    report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    clocks = [timing["achieved"] for timing in report["fmax"].values()]
    if not clocks:
        raise IrcError(f"{tools.nextpnr} found no clock in the design")
    # The Gowin packer wants its file behind the options, the others before the result.
    result = ["-o", tools.bitstream, placed] if device.pack else [placed, tools.bitstream]
    run_tool(tools.packer, [*device.pack, *result], folder, "pack.log")
    used = {
        name: (entry["used"], entry["available"])
        for name, entry in report["utilization"].items()
        if entry["used"]
    }
    return Routed(min(clocks), used, tools.bitstream)
