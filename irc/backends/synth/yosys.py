"""Synthesis with Yosys: a netlist, and how many cells each module of the design takes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.synth.devices import Family
from irc.backends.synth.tools import Watcher, run_tool

STATISTICS = "cells.json"
NETLIST_JSON = "netlist.json"
NETLIST_VERILOG = "netlist.v"
CORE_VERILOG = "core.v"
"""The same before modules were merged, so that the core can be told from what is around it."""


@dataclass(frozen=True)
class Usage:
    """What a part of a design takes; block RAMs in the maker's unit."""

    luts: int = 0
    flipflops: int = 0
    block_rams: float = 0
    dsps: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.luts + other.luts,
            self.flipflops + other.flipflops,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )

    def less(self, other: Usage) -> Usage:
        """What is left of this without `other`."""
        return self + other.times(-1)

    def times(self, count: int) -> Usage:
        """As much, so many times."""
        return Usage(
            self.luts * count, self.flipflops * count, self.block_rams * count, self.dsps * count
        )


@dataclass(frozen=True)
class Module:
    """A module that the core holds, with everything in it."""

    name: str
    count: int
    """How often the core holds it; `usage` is of one."""
    usage: Usage


@dataclass(frozen=True)
class Synthesis:
    """Cells of the core: what it holds in modules, and its own besides; and of all around it."""

    total: Usage
    modules: list[Module]
    own: Usage
    whole: Usage
    """Of the top module, the core included."""


def synthesise(
    family: Family, top: str, core: str, sources: list[str], folder: Path, watcher: Watcher
) -> Synthesis:
    """Run Yosys on `sources` in `folder`; leaves netlists of `top` as JSON and Verilog there.

    Modules are kept apart until all is mapped, so that every cell belongs to a layer. Counts are
    of the module `core`, which is `top` or lies in it. Raises `IrcError`.
    """
    script = "; ".join(
        [
            f"read_verilog {' '.join(sources)}",
            *mapping(family, top),
            f"tee -q -o {STATISTICS} stat -json",
            f"write_verilog -noattr {CORE_VERILOG}",
            "flatten",
            "opt_clean",
            *([family.pads] if family.pads else []),
            f"write_json {NETLIST_JSON}",
            f"write_verilog -noattr {NETLIST_VERILOG}",
        ]
    )
    run_tool("yosys", ["-p", script], folder, "yosys.log", watcher)
    statistics: dict[str, Any] = json.loads((folder / STATISTICS).read_text(encoding="utf-8"))
    cells: dict[str, dict[str, int]] = {
        name.removeprefix("\\"): module.get("num_cells_by_type", {})
        for name, module in statistics["modules"].items()
    }
    inside = [
        Module(kind, count, _usage(kind, cells, family))
        for kind, count in cells[core].items()
        if kind in cells
    ]
    own = {kind: count for kind, count in cells[core].items() if kind not in cells}
    whole = _usage(top, cells, family)
    return Synthesis(_usage(core, cells, family), inside, cells_used(own, family), whole)


def mapping(family: Family, top: str) -> list[str]:
    """The commands that map a design to the cells of a family.

    For the 7 series, Yosys' own flow weighs look-up tables by their inputs, as if two small ones
    always shared one of six inputs, and gives more of them: here each counts as one. What stands
    around that is the end of `synth_xilinx`, step by step.
    """
    command = f"{family.synthesis} -top {top}"
    if family.name != "xc7":
        return [command]
    return [
        f"{command} -run begin:map_luts",
        "opt_expr -mux_undef -noclkinv",
        "opt_merge",
        "abc -luts 1,1,1,1,1,1",
        "opt_merge",
        "clean",
        "xilinx_srl -fixed -minlen 3",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "xilinx_dffopt",
        "opt_lut_ins -tech xilinx",
        f"{command} -run finalize:edif",
    ]


def _usage(name: str, cells: dict[str, dict[str, int]], family: Family) -> Usage:
    """What a module takes with everything in it."""
    own = {kind: count for kind, count in cells[name].items() if kind not in cells}
    used = cells_used(own, family)
    for kind, count in cells[name].items():
        if kind in cells:
            used += _usage(kind, cells, family).times(count)
    return used


def cells_used(cells: dict[str, int], family: Family) -> Usage:
    """What cells of these types take."""
    counts = Counter(cells)
    return Usage(
        sum(each * counts[kind] for kind, each in family.luts.items()),
        sum(count for kind, count in cells.items() if kind.startswith(family.flipflops)),
        sum(each * counts[kind] for kind, each in family.block_rams.items()),
        sum(count for kind, count in cells.items() if kind in family.dsps),
    )
