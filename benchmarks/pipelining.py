"""Stages of a matrix-vector unit: MHz, look-up tables and flip-flops; and the delays of devices.

    python benchmarks/pipelining.py                         # 256 lanes, on three devices
    python benchmarks/pipelining.py --devices up5k --simd 256 --stages 1 2 3
    python benchmarks/pipelining.py --devices up5k --simd 16 64 256 --json up5k.json
    python benchmarks/pipelining.py --fit up5k.json         # the delays that explain these clocks
    python benchmarks/pipelining.py --logs */nextpnr.log    # what paths of other designs took

A layer of random bits with a threshold a row, or several, two rows at a time, is synthesised as
`irc synth` does it, and placed and routed between shift registers, for it has more ports than there
are pins.
*Cells* are on the longest path of the netlist, by Yosys. *Levels*, *carries* and *memory* are what
`irc/passes/hardware/path_depths.py` finds on the longest path of the unit: look-up tables, bits of
carry chains, and whether a block RAM is at its start. With `--seeds 0` nothing is routed.
The second table is what nextpnr says of its longest path, ns a level with all wires; an `m` marks a
start at a block RAM. The third, also `--fit` of points that `--json` wrote, is the delays that
explain the clocks best: those of `irc/passes/hardware/delays.py` come from there.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from critical_paths import print_delays
from delay_fit import Clocked, print_fit
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
from irc.passes.hardware.delays import delays_of
from irc.passes.hardware.design import DEVICE, design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.lanes import spread_lanes
from irc.passes.hardware.logic_depth import Depth
from irc.passes.hardware.path_depths import all_paths, longest_paths

PE, SYNAPSE_FOLDS = 2, 4

REGISTERS = "t:TRELLIS_FF t:SB_DFF* t:FD?E %u %u"
"""Yosys' selection of flip-flops."""


@dataclass(frozen=True)
class Point:
    """What was measured."""

    device: str
    rows: int
    simd: int
    stages: int
    memory: str
    levels: int
    """Thresholds a row."""
    luts: int
    flipflops: int
    cells: int
    """On the longest path of the netlist."""
    mhz: float | None
    path: tuple[int, int, int]
    """Tables, carries, block RAMs of the longest path, and where it ends."""
    end: str
    log: str
    """nextpnr's, of the last seed."""

    @property
    def name(self) -> str:
        """What it is a point of."""
        thresholds = f", {self.levels} thresholds" if self.levels > 1 else ""
        memory = f", weights {self.memory}" if self.memory != "auto" else ""
        return f"{self.device}, {self.simd} lanes, {self.stages} stages{memory}{thresholds}"


def design_of_layer(
    device: Device, rows: int, simd: int, stages: int, memory: str, levels: int
) -> ModuleOp:
    """The hardware of one layer."""
    network = random_network((simd * SYNAPSE_FOLDS, rows), last_threshold=True, levels=levels)
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


def measure(
    device: Device, rows: int, simd: int, stages: int, memory: str, levels: int, seeds: int
) -> Point:
    """Synthesise, place and route; the median of several seeds."""
    module = design_of_layer(device, rows, simd, stages, memory, levels)
    core = next(op for op in module.ops if isinstance(op, hw.HWModuleOp))
    name = core.sym_name.data
    delays, lut_inputs = delays_of(device.name), device.figures.lut_inputs
    longest = longest_paths(module, name, lut_inputs, delays.of)[0]
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
    return Point(
        device.name,
        rows,
        simd,
        stages,
        memory,
        levels,
        used.luts,
        used.flipflops,
        cells,
        float(np.median(clocks)) if clocks else None,
        longest.depth,
        longest.end,
        log,
    )


def _cells_in_a_row(folder: Path) -> int:
    """Cells on the longest path between registers, as Yosys counts them."""
    run_tool(
        "yosys", ["-p", f"read_json netlist.json; delete {REGISTERS}; ltp"], folder, "levels.log"
    )
    found = re.search(r"length=(\d+)", (folder / "levels.log").read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


def table(points: Iterator[Point]) -> list[Point]:
    """Print points as they come."""
    print(
        "device     SIMD  stages  thresholds    LUTs     FFs   cells     MHz  levels  carries"
        "  memory  end"
    )
    kept: list[Point] = []
    for point in points:
        levels, carries, memories = point.path
        speed = "" if point.mhz is None else f"{point.mhz:.1f}"
        print(
            f"{point.device:10} {point.simd:>4} {point.stages:>7} {point.levels:>11} "
            f"{point.luts:>7} {point.flipflops:>7} {point.cells:>7} {speed:>7} "
            f"{levels:>7} {carries:>8} {memories:>7}  {point.end}",
            flush=True,
        )
        kept.append(point)
    return kept


def depths_of(point: Point) -> list[Depth]:
    """The paths of a point's design, of which any may be the longest on a device."""
    device = device_named(point.device)
    module = design_of_layer(
        device, point.rows, point.simd, point.stages, point.memory, point.levels
    )
    core = next(op for op in module.ops if isinstance(op, hw.HWModuleOp))
    every = all_paths(module, core.sym_name.data, device.figures.lut_inputs)
    return sorted({path.depth for of_unit in every for path in of_unit})


def print_fits(points: Sequence[Point]) -> None:
    """What delays explain the points of each device."""
    for device in dict.fromkeys(point.device for point in points):
        designs = [
            Clocked(point.name, 1000 / point.mhz, depths_of(point))
            for point in points
            if point.device == device and point.mhz is not None
        ]
        if designs:
            print_fit(device, designs, delays_of(device))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", nargs="+", default=["up5k", "hx8k", "ecp5-25k"])
    parser.add_argument("--rows", type=int, default=4, help="of the layer (default: 4)")
    parser.add_argument("--simd", nargs="+", type=int, default=[256])
    parser.add_argument("--stages", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--memory", nargs="+", default=["auto"], help="where weights lie (default: auto)"
    )
    parser.add_argument(
        "--thresholds", nargs="+", type=int, default=[1], help="of a row (default: 1)"
    )
    parser.add_argument(
        "--seeds", type=int, default=1, help="of which the median is taken; 0: no routing"
    )
    parser.add_argument("--logs", nargs="+", type=Path, help="nextpnr's, instead of measuring")
    parser.add_argument(
        "--fit", nargs="+", type=Path, help="fit delays to points written earlier, not new ones"
    )
    parser.add_argument("--json", type=Path, help="write the points there too")
    options = parser.parse_args()
    if options.logs:
        print_delays([(str(path), path.read_text(encoding="utf-8")) for path in options.logs])
        return
    if options.fit:
        read = [each for path in options.fit for each in json.loads(path.read_text("utf-8"))]
        print_fits([Point(**each) for each in read])
        return
    choices = product(options.simd, options.stages, options.memory, options.thresholds)
    points = table(
        measure(device_named(name), options.rows, *choice, options.seeds)
        for name, choice in product(options.devices, list(choices))
    )
    if any(point.log for point in points):
        print_delays([(point.name, point.log) for point in points])
        print_fits(points)
    if options.json:
        options.json.write_text(json.dumps([asdict(point) for point in points]), encoding="utf-8")


if __name__ == "__main__":
    main()
