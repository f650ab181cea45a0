"""A netlist without cells: what a simulator reads that knows nothing of a device."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from irc.backends.synth.devices import Family
from irc.backends.synth.tools import run_tool
from irc.backends.synth.yosys import CORE_VERILOG
from irc.errors import IrcError

_MODELS = {
    # Ports with default values are not Verilog-2005.
    "ice40": "-D NO_ICE40_DEFAULT_ASSIGNMENTS +/ice40/cells_sim.v",
    "ecp5": "+/ecp5/cells_sim.v",
    "gowin": "+/gowin/cells_sim.v",
    "xc7": "+/xilinx/cells_sim.v",
}
"""Where Yosys keeps the simulation models of the cells of a family."""


def write_simulation_netlist(family: Family, synthesised: Path, core: str, target: Path) -> None:
    """Replace the cells of a core's netlist in `synthesised` by Yosys' simulation models of them.

    Raises `IrcError` where there is no netlist, or a cell has no model: block RAMs of ECP5, Gowin
    and Xilinx have none.
    """
    netlist = synthesised / CORE_VERILOG
    if not netlist.is_file():
        raise IrcError(f"{netlist}: missing; expected a folder that `irc synth` wrote")
    script = "; ".join(
        [
            f"read_verilog {CORE_VERILOG}",
            f"read_verilog {_MODELS[family.name]}",
            f"hierarchy -check -top {core}",
            "proc",
            "flatten",
            "opt_clean",
            f"write_verilog -noattr {target.name}",
        ]
    )
    with tempfile.TemporaryDirectory(dir=synthesised, prefix=".netlist-") as name:
        work = Path(name)
        shutil.copyfile(netlist, work / CORE_VERILOG)
        run_tool("yosys", ["-p", script], work, "yosys.log")
        shutil.copyfile(work / target.name, target)
