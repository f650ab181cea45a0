"""Stages of a matrix-vector unit: MHz, look-up tables and flip-flops; and the delays of devices.

    python benchmarks/pipelining.py                         # 256 lanes, on three devices
    python benchmarks/pipelining.py --devices up5k --simd 256 --stages 1 2 3
    python benchmarks/pipelining.py --logs */nextpnr.log    # what paths of other designs took

A layer of random bits with a threshold a row, two rows at a time, is synthesised as `irc synth`
does it, and placed and routed between shift registers, for it has more ports than there are pins.
*Cells* are on the longest path of the netlist, by Yosys. *Levels*, *carries* and *memory* are what
`irc/passes/hardware/path_depths.py` finds on the longest path of the unit: look-up tables, bits of
carry chains, and whether a block RAM is at its start. With `--seeds 0` nothing is routed.
The second table is what nextpnr says of its longest path, ns a level with all wires; the delays in
`irc/passes/hardware/delays.py` are from such tables. An `m` marks a start at a block RAM.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from finn import random_network
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import SSAValue

from irc.api import run_passes
from irc.backends.synth.devices import Device, device_named
from irc.backends.synth.place_route import place_and_route
from irc.backends.synth.tools import run_tool
from irc.backends.synth.yosys import synthesise
from irc.backends.verilog.printer import print_design
from irc.dialects.dataflow import Folding
from irc.interp.rtl_comb import width_of_type
from irc.passes.hardware.design import DEVICE, design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.lanes import spread_lanes
from irc.passes.hardware.path_depths import Path as LogicPath
from irc.passes.hardware.path_depths import longest_paths

ROWS, PE, SYNAPSE_FOLDS = 4, 2, 4

REGISTERS = "t:TRELLIS_FF t:SB_DFF* t:FD?E %u %u"
"""Yosys' selection of flip-flops."""


@dataclass(frozen=True)
class Point:
    """What was measured, and the longest path: tables, carries, block RAMs."""

    device: str
    simd: int
    stages: int
    luts: int
    flipflops: int
    cells: int
    """On the longest path of the netlist."""
    mhz: float | None
    path: tuple[int, int, int]
    end: str
    log: str
    """nextpnr's, of the last seed."""


def design_of_layer(device: Device, simd: int, stages: int, memory: str) -> ModuleOp:
    """The hardware of one layer."""
    network = random_network((simd * SYNAPSE_FOLDS, ROWS), last_threshold=True)
    module = run_passes(network, "convert-bnn-to-dataflow")
    design = design_of(module)
    design.function.attributes[DEVICE] = StringAttr(device.name)
    refold(design.layers[0], Folding(PE, simd, memory, stages=stages))
    spread_lanes(design)
    return run_passes(module, "insert-width-converters,convert-dataflow-to-hw")


def frame(core: hw.HWModuleOp) -> hw.HWModuleOp:
    """Shift registers around the ports of a design."""
    ports = [p for p in core.module_type.ports if p.port_name.data not in ("aclk", "aresetn")]
    b = HwBuilder("frame", [*CLOCK_RESET, Port.input("x", 1), Port.output("y", 1)], public=True)
    widths = {p.port_name.data: width_of_type(p.type) for p in ports}
    inputs = [p.port_name.data for p in ports if p.dir.data.is_input_like()]
    total = sum(widths[name] for name in inputs)
    shift = b.reg("shift", total, None)
    shift.set_next(b.concat(b.trunc(shift.value, total - 1), b.input("x")))
    given: dict[str, SSAValue] = {}
    low = 0
    for name in inputs:
        given[name] = b.delay(f"{name}_q", b.extract(shift.value, low, widths[name]), None)
        low += widths[name]
    found = b.instance("core", core, given)
    taken = b.reg("taken", sum(b.width(value) for value in found.values()), None)
    caught = b.delay("caught", b.concat(*found.values()), None)
    rest = b.concat(b.const(0, 1), b.extract(taken.value, 1, b.width(taken.value) - 1))
    taken.set_next(b.mux(b.input("x"), caught, rest))
    b.output("y", b.bit(taken.value, 0))
    return b.finish()


def measure(device: Device, simd: int, stages: int, memory: str, seeds: int) -> Point:
    """Synthesise, place and route; the median of several seeds."""
    module = design_of_layer(device, simd, stages, memory)
    core = next(op for op in module.ops if isinstance(op, hw.HWModuleOp))
    name = core.sym_name.data
    longest = longest_paths(module, name, 6 if device.family.lut_name == "LUT6" else 4)
    module.body.block.add_op(frame(core))
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        folder = Path(scratch)
        files = print_design(module)
        for file in files:
            (folder / f"{file.name}.v").write_text(file.text, encoding="utf-8")
            for data, text in file.hex_files.items():
                (folder / data).write_text(text, encoding="utf-8")
        sources = [f"{file.name}.v" for file in files]
        found = synthesise(device.family, "frame", name, sources, folder, lambda line: None)
        cells = _cells_in_a_row(folder)
        clocks, log = list[float](), ""
        if device.route and seeds:
            for seed in range(1, seeds + 1):
                done = place_and_route(
                    device, found.total.luts, folder, 400, seed, None, lambda line: None
                )
                clocks.append(done.fmax)
            log = (folder / "nextpnr.log").read_text(encoding="utf-8")
    used = found.total
    slowest: LogicPath = longest[0]
    return Point(
        device.name,
        simd,
        stages,
        used.luts,
        used.flipflops,
        cells,
        float(np.median(clocks)) if clocks else None,
        (slowest.depth.levels, slowest.depth.carries, slowest.depth.memories),
        slowest.end,
        log,
    )


@dataclass(frozen=True)
class Breakdown:
    """nextpnr's critical path: ns from the clock to the first wire, of tables with the wires to and
    between them, and of carries; a register that is packed with a table counts as one."""

    start: float
    levels: int
    level: float
    carries: int
    carry: float

    @property
    def is_from_memory(self) -> bool:
        """Whether the path starts at a block RAM: no register takes as long."""
        return self.start > 2 * self.level / max(1, self.levels)


_HOP = re.compile(r"Info:\s+(clk-to-q|routing|logic|setup)\s+([\d.]+)\s+[\d.]+ \w+ (\S+)")
_PACKED = 0.8
"""ns of a set-up that holds a table, on iCE40."""


def breakdown(log: str) -> Breakdown | None:
    """What the last critical path of a log of nextpnr consists of; `None` where there is none."""
    parts = log.split("Critical path report for clock")
    hops = _HOP.findall(parts[-1].split("Critical path report for cross")[0])
    if len(parts) == 1 or not hops:
        return None
    start = level = carry = 0.0
    levels = carries = 0
    for kind, text, name in hops:
        time = float(text)
        if kind == "clk-to-q":
            start = time
        elif kind == "logic" and re.search("CARRY|COUT|FCO", name):
            carry, carries = carry + time, carries + 1
        else:
            level += time
            levels += kind == "logic" or (kind == "setup" and time > _PACKED)
    return Breakdown(start, levels, level, carries, carry)


def _cells_in_a_row(folder: Path) -> int:
    """Cells on the longest path between registers, as Yosys counts them."""
    run_tool(
        "yosys", ["-p", f"read_json netlist.json; delete {REGISTERS}; ltp"], folder, "levels.log"
    )
    found = re.search(r"length=(\d+)", (folder / "levels.log").read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


def print_delays(logs: Sequence[tuple[str, str]]) -> None:
    """What a level, a carry and a start took in each log, by its name."""
    print("start   levels  ns a level  carries  ns a carry  log")
    for name, text in logs:
        found = breakdown(text)
        if found is None:
            continue
        level = found.level / max(1, found.levels)
        carry = found.carry / max(1, found.carries)
        start = f"{found.start:.2f}{'m' if found.is_from_memory else ' '}"
        print(f"{start} {found.levels:>8} {level:>11.2f} {found.carries:>8} {carry:>11.2f}  {name}")


def table(points: Iterator[Point]) -> list[Point]:
    """Print points as they come."""
    print("device     SIMD  stages    LUTs     FFs   cells     MHz  levels  carries  memory  end")
    kept: list[Point] = []
    for point in points:
        levels, carries, memories = point.path
        speed = "" if point.mhz is None else f"{point.mhz:.1f}"
        print(
            f"{point.device:10} {point.simd:>4} {point.stages:>7} {point.luts:>7} "
            f"{point.flipflops:>7} {point.cells:>7} {speed:>7} {levels:>7} {carries:>8} "
            f"{memories:>7}  {point.end}",
            flush=True,
        )
        kept.append(point)
    return kept


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", nargs="+", default=["up5k", "hx8k", "ecp5-25k"])
    parser.add_argument("--simd", nargs="+", type=int, default=[256])
    parser.add_argument("--stages", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--memory", default="auto", help="where weights lie (default: auto)")
    parser.add_argument(
        "--seeds", type=int, default=1, help="of which the median is taken; 0: no routing"
    )
    parser.add_argument("--logs", nargs="+", type=Path, help="nextpnr's, instead of measuring")
    parser.add_argument("--json", type=Path, help="write the points there too")
    options = parser.parse_args()
    if options.logs:
        print_delays([(str(path), path.read_text(encoding="utf-8")) for path in options.logs])
        return
    points: list[Point] = []
    for name in options.devices:
        device = device_named(name)
        points += table(
            measure(device, simd, stages, options.memory, options.seeds)
            for simd in options.simd
            for stages in options.stages
        )
    if any(point.log for point in points):
        print_delays([(f"{p.device}, {p.simd} lanes, {p.stages} stages", p.log) for p in points])
    if options.json:
        options.json.write_text(json.dumps([asdict(point) for point in points]), encoding="utf-8")


if __name__ == "__main__":
    main()
