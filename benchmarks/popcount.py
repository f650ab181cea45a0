"""Counting matches of bits with weights: a plain XNOR and popcount against what the compiler makes.

    python benchmarks/popcount.py                        # all families, 16 to 1024 bits
    python benchmarks/popcount.py --family xc7 --bits 32 64

Both count, between registers, in how many places x equals w. *Naive* is the XNOR and popcount that
one would write, which Yosys makes an adder tree of. *Ours* takes x and w in the forms of
`irc/passes/hardware/units/counting.py`: weights are stored so; those of x take the tables of
the column *encoder* once, however many rows count with the same x. MHz are of HX8K and ECP5-25K,
registers to registers; for Xilinx 7, which has no open place and route, logic levels stand there.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from irc.backends.synth.devices import DEVICES, Device
from irc.backends.synth.place_route import place_and_route
from irc.backends.synth.tools import run_tool
from irc.backends.synth.yosys import synthesise
from irc.backends.verilog.printer import print_design
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.counting import count_matches, forms_of, matching_forms

FAMILIES = {"xc7": ("xc7", 6), "ecp5": ("ecp5-25k", 4), "ice40": ("hx8k", 4)}
"""The device of a family, and the inputs of its look-up tables."""

BITS = (16, 32, 64, 128, 256, 512, 1024)

CORE = "core"


def naive(bits: int) -> hw.HWModuleOp:
    """XNOR and popcount."""
    b = _core(bits)
    x, w = b.delay("xq", b.input("x"), None), b.delay("wq", b.input("w"), None)
    b.output("y", b.delay("yq", b.popcount(b.xnor(x, w)), None))
    return b.finish()


def ours(bits: int, lut_inputs: int) -> hw.HWModuleOp:
    """The count from forms, which x and w come in."""
    b = _core(bits)
    x, w = b.delay("xq", b.input("x"), None), b.delay("wq", b.input("w"), None)
    digits, _ = count_matches(b, matching_forms(b, [x], w, bits), lut_inputs)
    b.output("y", b.delay("yq", b.concat(*reversed(digits)), None))
    return b.finish()


def encoder(bits: int) -> hw.HWModuleOp:
    """The forms of x."""
    b = HwBuilder(CORE, [*CLOCK_RESET, Port.input("x", bits), Port.output("y", bits)], public=True)
    x = b.delay("xq", b.input("x"), None)
    b.output("y", b.delay("yq", b.concat(*reversed(forms_of(b, b.slices(x, 1)))), None))
    return b.finish()


def _core(bits: int) -> HwBuilder:
    ports = [Port.input("x", bits), Port.input("w", bits), Port.output("y", bits.bit_length())]
    return HwBuilder(CORE, [*CLOCK_RESET, *ports], public=True)


def frame(core: hw.HWModuleOp, bits: int) -> hw.HWModuleOp:
    """Shift registers around the core, for there are more ports than pins."""
    pins = [Port.input("x", 1), Port.input("w", 1), Port.output("y", 1)]
    b = HwBuilder("frame", [*CLOCK_RESET, *pins], public=True)
    shifted: dict[str, SSAValue] = {}
    for name in ("x", "w"):
        register = b.reg(f"shift_{name}", bits, None)
        register.set_next(b.concat(b.trunc(register.value, bits - 1), b.input(name)))
        shifted[name] = register.value
    count = b.instance("count", core, shifted)["y"]
    taken = b.reg("taken", bits.bit_length(), None)
    following = b.concat(b.const(0, 1), b.extract(taken.value, 1, bits.bit_length() - 1))
    taken.set_next(b.mux(b.input("aresetn"), b.xor(following, count), following))
    b.output("y", b.bit(taken.value, 0))
    return b.finish()


@dataclass(frozen=True)
class Measured:
    """Look-up tables of a core, and MHz or, without place and route, levels of logic."""

    luts: int
    speed: str


def measure(core: hw.HWModuleOp, device: Device, bits: int, *, routed: bool = True) -> Measured:
    """Synthesise a core; place and route it where that can be done."""
    modules = [core]
    place = bool(device.route) and routed
    if place:
        modules.append(frame(core, bits))
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        files = print_design(ModuleOp(modules))
        for file in files:
            (folder / f"{file.name}.v").write_text(file.text, encoding="utf-8")
        sources = [f"{file.name}.v" for file in files]
        top = "frame" if place else CORE
        found = synthesise(device.family, top, CORE, sources, folder, lambda line: None)
        if place:
            done = place_and_route(
                device, found.total.luts, folder, 200, 1, None, lambda line: None
            )
            return Measured(found.total.luts, f"{done.fmax:.0f} MHz")
        return Measured(found.total.luts, f"{_levels(folder)} levels")


def _levels(folder: Path) -> int:
    """Cells on the longest path between registers."""
    run_tool("yosys", ["-p", "read_json netlist.json; ltp -noff"], folder, "levels.log")
    found = re.search(r"length=(\d+)", (folder / "levels.log").read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=[*FAMILIES])
    parser.add_argument("--bits", nargs="+", type=int, default=BITS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    figures: list[dict[str, object]] = []
    print("family   bits   naive  a bit  speed          ours  a bit  speed       encoder")
    for family in options.family:
        name, lut_inputs = FAMILIES[family]
        device = next(device for device in DEVICES if device.name == name)
        for bits in options.bits:
            plain = measure(naive(bits), device, bits)
            new = measure(ours(bits, lut_inputs), device, bits)
            shared = measure(encoder(bits), device, bits, routed=False)
            print(
                f"{family:6} {bits:>6} {plain.luts:>7} {plain.luts / bits:>6.2f}  {plain.speed:10}"
                f" {new.luts:>8} {new.luts / bits:>6.2f}  {new.speed:10} {shared.luts:>8}",
                flush=True,
            )
            row = {"family": family, "bits": bits, "encoder": shared.luts}
            row |= {"naive": plain.luts, "naive_speed": plain.speed}
            figures.append({**row, "ours": new.luts, "ours_speed": new.speed})
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
