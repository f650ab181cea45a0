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
    ice40 = device.family.name == "ice40"
    tool, text = ("nextpnr-ice40", "placed.asc") if ice40 else ("nextpnr-ecp5", "placed.config")
    constraints, option = ("--pcf", "pcf") if ice40 else ("--lpf", "lpf")
    router2 = not ice40 and luts >= ROUTER2_CELLS
    arguments = [
        *device.route,
        *(["--router", "router2"] if router2 else []),
        "--json",
        NETLIST_JSON,
        "--asc" if ice40 else "--textcfg",
        text,
        "--report",
        REPORT,
        "--freq",
        f"{clock:g}",
        "--seed",
        str(seed),
        "--timing-allow-fail",
        *([constraints, pins] if pins else [f"--{option}-allow-unconstrained"]),
    ]
    run_tool(tool, arguments, folder, "nextpnr.log", watcher)
    report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    clocks = [timing["achieved"] for timing in report["fmax"].values()]
    if not clocks:
        raise IrcError(f"{tool} found no clock in the design")
    bitstream = "bitstream.bin" if ice40 else "bitstream.bit"
    packer = ("icepack", [text, bitstream]) if ice40 else ("ecppack", [text, bitstream])
    run_tool(packer[0], packer[1], folder, "pack.log")
    used = {
        name: (entry["used"], entry["available"])
        for name, entry in report["utilization"].items()
        if entry["used"]
    }
    return Routed(min(clocks), used, bitstream)
