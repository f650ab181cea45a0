"""Look-up tables of multi-bit products: bit-planes against multipliers, as Yosys maps both.

    python benchmarks/products.py --family ice40 --bits 1 2 4 8

For weights and activations of each width, the sums of a few products are synthesised alone, between
registers; the last column is what `products = auto` takes. Weights are signed, activations
unsigned, one bit is bipolar, and `t` stands for weights −1, 0 and +1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

from irc.backends import toolchain
from irc.backends.verilog.printer import print_design
from irc.dialects import bnn
from irc.dialects.dataflow_products import product_luts, smaller_products
from irc.dialects.dense import DenseAttr, element_range, element_width
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.numbers import total
from irc.passes.hardware.units.products import products_for

FAMILIES = {
    "ice40": "synth_ice40 -top {}",
    "xc7": "synth_xilinx -family xc7 -nodsp -noiopad -noclkbuf -top {}",
    "ecp5": "synth_ecp5 -nodsp -nowidelut -top {}",
}
"""Synthesis without DSP blocks: what is compared is look-up tables."""

STYLES = ("planes", "multiply")


def weights_of(kind: str, lanes: int, rows: int) -> DenseAttr:
    """Rows of weights of a width; `t` is ternary. What they are decides only the encoding."""
    if kind == "1":
        return DenseAttr.from_numpy(np.ones((rows, lanes), np.int8), bnn.bipolar)
    element_type = bnn.sint(2 if kind == "t" else int(kind))
    low, high = element_range(element_type)
    values = np.resize([-1, 0, 1] if kind == "t" else [low, high], (rows, lanes))
    return DenseAttr.from_numpy(values, element_type)


def input_of(bits: int) -> Attribute:
    """The type of activations of a width."""
    return bnn.bipolar if bits == 1 else bnn.uint(bits)


def module_of(
    name: str, weights: DenseAttr, inputs: Attribute, style: str, lut_inputs: int
) -> hw.HWModuleOp:
    """For each row the sum of as many products as it has weights, which come from a port."""
    rows, lanes = weights.shape
    products = products_for(style, weights, inputs, rows, lanes, lut_inputs)
    in_width, weight_width = lanes * element_width(inputs), products.rom_bits().shape[1]
    ports = [Port.input("x", in_width), Port.input("w", weight_width), Port.output("y", 32 * rows)]
    b = HwBuilder(name, [*CLOCK_RESET, *ports], public=True)
    beat = b.delay("beat", products.arranged(b, b.input("x")), None)
    results = products.emit_rows(b, [beat] * rows, b.delay("weights", b.input("w"), None))
    sums = [b.zext(b.delay("sum", total(b, terms).value, None), 32) for terms in results]
    b.output("y", b.concat(*sums))
    return b.finish()


def look_up_tables(cells: dict[str, int]) -> int:
    """Look-up tables of a netlist; a carry cell of ECP5 holds two."""
    single = sum(count for cell, count in cells.items() if cell.startswith(("LUT", "SB_LUT")))
    return single + 2 * cells.get("CCU2C", 0)


def synthesise(modules: list[hw.HWModuleOp], family: str) -> dict[str, int]:
    """Look-up tables of each module, by name."""
    names = [module.sym_name.data for module in modules]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        script: list[str] = []
        for module in modules:
            for file in print_design(ModuleOp([module])):
                (Path(folder) / file.name).write_text(file.text, encoding="utf-8")
                script.append(f"read_verilog {file.name}")
        script.append("design -save all")
        for name in names:
            script += ["design -load all", FAMILIES[family].format(name)]
            script += [f"tee -q -o {name}.json stat -json -top {name}"]
        (Path(folder) / "run.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
        command = [*toolchain.yosys_command(), "-q", "-s", "run.ys"]
        subprocess.run(command, cwd=folder, check=True)
        found: dict[str, int] = {}
        for name in names:
            text = (Path(folder) / f"{name}.json").read_text(encoding="utf-8")
            found[name] = look_up_tables(_cells(json.loads(text), name))
    return found


def _cells(report: dict[str, Any], name: str) -> dict[str, int]:
    modules = {key.lstrip("\\"): value for key, value in report["modules"].items()}
    return modules[name]["num_cells_by_type"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", choices=FAMILIES, default="ice40", help="(default: ice40)")
    parser.add_argument("--bits", nargs="+", type=int, default=list(range(1, 9)))
    parser.add_argument("--weights", nargs="+", help="their widths, where others than of inputs")
    parser.add_argument("--lanes", type=int, default=8, help="products (default: %(default)s)")
    parser.add_argument(
        "--rows", type=int, default=1, help="rows with the same inputs (default: %(default)s)"
    )
    options = parser.parse_args()
    lanes, rows = options.lanes, options.rows
    lut_inputs = 6 if options.family == "xc7" else 4
    widths = options.weights or [*(("t",) if 2 in options.bits else ()), *map(str, options.bits)]
    pairs = [(w, x) for w in widths for x in options.bits if (w, x) != ("1", 1)]
    modules = [
        module_of(f"{s}_w{w}_x{x}", weights_of(w, lanes, rows), input_of(x), s, lut_inputs)
        for w, x in pairs
        for s in STYLES
    ]
    luts = synthesise(modules, options.family)
    print(f"{options.family}, {lanes} lanes, {rows} rows")
    print("weights  inputs  planes  (model)  multiply  (model)  auto")
    wrong = lost = 0
    for w, x in pairs:
        weights, inputs = weights_of(w, lanes, rows), input_of(x)
        planes, multiply = (luts[f"{s}_w{w}_x{x}"] for s in STYLES)
        models = [round(lanes * rows * product_luts(s, weights, inputs)) for s in STYLES]
        choice = smaller_products(weights, inputs)
        taken = planes if choice == "planes" else multiply
        excess = taken / min(planes, multiply) - 1
        wrong, lost = wrong + (excess > 0), max(lost, excess)
        print(
            f"{w:>7} {x:>7} {planes:>7} {models[0]:>8} {multiply:>9} {models[1]:>8}  {choice}"
            + (f"  +{excess:.0%}" if excess else "")
        )
    print(f"{len(pairs) - wrong} of {len(pairs)} choices are the smaller, at worst +{lost:.0%}")


if __name__ == "__main__":
    main()
