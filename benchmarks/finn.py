"""FINN's networks at FINN's own rates: cycles and look-up tables on Xilinx 7.

    python benchmarks/finn.py --models ../shared/models             # hours; what is done is kept
    python benchmarks/finn.py --networks SFC-fix LFC-fix
    python benchmarks/finn.py --networks SFC-max --memory block     # weights in block RAM
    python benchmarks/finn.py --layer                               # one layer, on three families

Weights are the trained ones of LFC and CNV where the folder of models has them, and random ones of
the same shape elsewhere. Every layer is folded to FINN's cycles a frame. Each module of a design is
synthesised by itself, as `irc synth` does it, and the figures are added, for as a whole the larger
ones take Yosys hours; of modules that differ only in what memories and their registers hold, one
is. Figures are kept in a folder under the hash of the module's text, so that the script can be
stopped, and goes on where it was. FINN's look-up tables are those published for ZC706 at 200 MHz.

`--layer` is one layer of 1024 × 1024 bits alone, at SIMD 32 and PE 32, with random thresholds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from xdsl.dialects import hw
from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

import irc
from irc.api import run_passes
from irc.backends.synth.devices import XC7, Family, device_named
from irc.backends.synth.yosys import Usage, synthesise
from irc.backends.verilog.printer import VerilogFile, print_module
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.dialects.dense import DenseAttr
from irc.passes.hardware.design import DEVICE, Design, design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.lanes import possible_foldings, spread_lanes
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class Network:
    """A network of FINN's, its published figures, and what is aimed at."""

    cycles: int
    luts: int
    aim: int
    sizes: tuple[int, ...] = ()
    """Of dense layers, for random weights."""
    model: str = ""
    """File of trained weights."""


SFC, LFC = (784, 256, 256, 256, 10), (784, 1024, 1024, 1024, 10)
LFC_MODEL, CNV_MODEL = "lfc_1w1a_mnist.onnx", "cnv_1w1a_cifar10.onnx"
NETWORKS = {
    "SFC-fix": Network(16400, 5155, 2600, SFC),
    "LFC-fix": Network(16400, 5636, 2800, LFC, LFC_MODEL),
    "CNV-fix": Network(17200, 29274, 14500, model=CNV_MODEL),
    "SFC-max": Network(16, 91131, 45000, SFC),
    "LFC-max": Network(128, 82988, 41000, LFC, LFC_MODEL),
    "CNV-max": Network(9130, 46253, 23000, model=CNV_MODEL),
}


STRAIGHTFORWARD = {"xc7": (2867, 1900), "ecp5-25k": (5340, 3600), "up5k": (4254, 3200)}
"""Look-up tables of one layer as one would write it by hand, and what is aimed at, by device."""


def random_network(
    sizes: Sequence[int], *, last_threshold: bool = False, seed: int = 1, levels: int = 1
) -> ModuleOp:
    """Dense layers of random bits, with a threshold a channel behind each, or each but the last;
    the last may have several `levels`, with unsigned codes."""
    rng = np.random.default_rng(seed)
    source = TensorType(bnn.bipolar, [sizes[0]])
    block = Block(arg_types=[source])
    value: SSAValue = block.args[0]
    for index, (columns, rows) in enumerate(pairwise(sizes)):
        weights = DenseAttr.from_numpy(rng.choice([-1, 1], (rows, columns)), bnn.bipolar)
        linear = bnn.LinearOp(value, weights, bnn.smallest_int(-columns, columns))
        block.add_op(linear)
        value = linear.results[0]
        if last_threshold or index < len(sizes) - 2:
            spread = math.isqrt(columns)
            count = levels if index == len(sizes) - 2 else 1
            at = np.sort(rng.integers(-spread, spread + 1, (rows, count)), axis=1)
            code = bnn.bipolar if count == 1 else bnn.uint(count.bit_length())
            threshold = bnn.ThresholdOp(value, DenseAttr.from_integers(at), code, 0, None)
            block.add_op(threshold)
            value = threshold.results[0]
    block.add_op(ReturnOp(value))
    signature = FunctionType.from_lists([source], [value.type])
    return ModuleOp([FuncOp("net", signature, Region(block))])


def dataflow_of(network: Network, models: Path | None) -> tuple[ModuleOp, bool]:
    """The network at level dataflow, unfolded, and whether its weights are trained."""
    path = models / network.model if models is not None and network.model else None
    if path is not None and path.exists():
        module, trained = irc.compile_to(irc.load(path), "bnn"), True
    elif network.sizes:
        module, trained = random_network(network.sizes), False
    else:
        raise SystemExit(f"there are no weights of that shape: give --models, with {network.model}")
    return run_passes(module, "convert-bnn-to-dataflow"), trained


def fold(design: Design, cycles: int, memory: str = "auto") -> None:
    """Fold each layer to the fewest look-up tables that keep up, with its weights in `memory`."""
    for layer in design.layers:
        within = [f for f in possible_foldings(layer) if layer.folded_cycles(f) <= cycles]
        if within:
            folding = min(within, key=lambda f: _area(layer, f))
            has_weights = isinstance(layer, dataflow.MvuOp)
            refold(layer, replace(folding, memory=memory) if has_weights else folding)
    spread_lanes(design)


def _area(layer: FoldedNode, folding: Folding) -> tuple[float, int]:
    """Roughly the look-up tables of a folding; of equal ones, the slower is the smaller."""
    cycles = layer.folded_cycles(folding)
    if not isinstance(layer, dataflow.MvuOp) or folding.products != "auto":
        return layer.folded_area(folding), -cycles
    planes = dataflow.stream_type(layer.input).element_width
    rows, lanes = folding.pe * folding.mmv, folding.simd * planes
    depth = layer.weights.size // (folding.pe * folding.simd)
    width = layer.columns.bit_length() + planes
    memory = 0 if depth >= 64 else folding.pe * folding.simd * max(1, depth / 64)
    sums = rows * (lanes + (width if folding.simd < layer.columns else planes * 2))
    return sums + 3 * lanes * folding.mmv + memory, -cycles


def hardware_of(
    module: ModuleOp, cycles: int, memory: str = "auto"
) -> tuple[Design, list[hw.HWModuleOp]]:
    """The folded design, and its modules, the top first."""
    fold(_design(module), cycles, memory)
    run_passes(module, "insert-width-converters,insert-fifos")
    lowered = run_passes(module.clone(), "convert-dataflow-to-hw")
    return _design(module), [op for op in lowered.ops if isinstance(op, hw.HWModuleOp)]


def _design(module: ModuleOp) -> Design:
    (function,) = functions_of(module)
    return design_of(function)


def _instances(module: hw.HWModuleOp) -> list[str]:
    """The modules that a module holds, one entry an instance."""
    held = (op for op in module.body.block.ops if isinstance(op, hw.InstanceOp))
    return [op.module_name.root_reference.data for op in held]


class Synthesiser:
    """Synthesises modules one by one, and keeps what it has found in a folder."""

    def __init__(self, modules: Sequence[hw.HWModuleOp], kept: Path, family: Family = XC7) -> None:
        self.modules = {module.sym_name.data: module for module in modules}
        self.files = {name: print_module(module) for name, module in self.modules.items()}
        self.family = family
        self.kept = kept
        shapes: dict[str, str] = {}
        self.first = {
            name: shapes.setdefault(_without_contents(file), name)
            for name, file in self.files.items()
        }
        """For each module, the first one that is alike but for the contents of memories."""
        kept.mkdir(parents=True, exist_ok=True)

    def usage(self, name: str) -> Usage:
        """What a module takes, with all that it holds."""
        held = _instances(self.modules[name])
        stubs = [_stub(self.files[each]) for each in set(held)]
        used = self._alone(self.files[self.first[name]], stubs)
        for each in held:
            used += self.usage(each)
        return used

    def _alone(self, file: VerilogFile, stubs: list[str]) -> Usage:
        text = "\n".join([self.family.name, file.text, *file.hex_files.values(), *sorted(stubs)])
        path = self.kept / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self.kept) as name:
                folder = Path(name)
                (folder / f"{file.name}.v").write_text(file.text, encoding="utf-8")
                (folder / "stubs.v").write_text("\n".join(stubs), encoding="utf-8")
                for hex_name, contents in file.hex_files.items():
                    (folder / hex_name).write_text(contents, encoding="utf-8")
                sources = [f"{file.name}.v", "stubs.v"]
                found = synthesise(
                    self.family, file.name, file.name, sources, folder, lambda line: None
                )
            path.write_text(json.dumps(asdict(found.total)), encoding="utf-8")
        return Usage(**json.loads(path.read_text(encoding="utf-8")))


_WIDE = re.compile(r"\'h[0-9a-f]{17,}")


def _without_contents(file: VerilogFile) -> str:
    """The text of a module, whatever its name, what its memories hold, and what registers beside
    them are reset to: constants of more than 64 bits."""
    if not file.hex_files:
        return file.text
    sizes = [str(len(contents)) for contents in file.hex_files.values()]
    return "\n".join([_WIDE.sub("", file.text.replace(file.name, "")), *sizes])


def _stub(file: VerilogFile) -> str:
    """A module with the same ports and nothing in it."""
    head = re.search(r"module .*?\);", file.text, re.DOTALL)
    assert head is not None
    return f"(* blackbox *)\n{head[0]}\nendmodule\n"


def one_layer(kept: Path) -> None:
    """Print the table of one layer."""
    print("device     straightforward  at most    ours  block RAMs")
    for name, (plain, aim) in STRAIGHTFORWARD.items():
        module = run_passes(
            random_network((1024, 1024), last_threshold=True), "convert-bnn-to-dataflow"
        )
        design = _design(module)
        design.function.attributes[DEVICE] = StringAttr(name)
        refold(design.layers[0], Folding(pe=32, simd=32))
        spread_lanes(design)
        lowered = run_passes(module, "insert-width-converters,insert-fifos,convert-dataflow-to-hw")
        modules = [op for op in lowered.ops if isinstance(op, hw.HWModuleOp)]
        synthesiser = Synthesiser(modules, kept, device_named(name).family)
        used = synthesiser.usage(modules[0].sym_name.data)
        print(
            f"{name:10} {plain:>15,} {aim:>8,} {used.luts:>7,} {used.block_rams:>11g}", flush=True
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--models", type=Path, help="folder of the trained models")
    parser.add_argument("--kept", type=Path, default=Path("build/finn"), help="what is done so far")
    parser.add_argument("--layers", action="store_true", help="show every module")
    parser.add_argument(
        "--memory",
        choices=("auto", "block", "distributed"),
        default="auto",
        help="where weights lie (default: auto, by their depth)",
    )
    parser.add_argument("--layer", action="store_true", help="the table of one layer instead")
    options = parser.parse_args()
    if options.layer:
        one_layer(options.kept)
        return
    print("network  weights   FINN cycles   ours   FINN LUTs  at most    ours  RAMB36")
    for name in options.networks:
        network = NETWORKS[name]
        module, trained = dataflow_of(network, options.models)
        design, modules = hardware_of(module, network.cycles, options.memory)
        synthesiser = Synthesiser(modules, options.kept)
        top = modules[0].sym_name.data
        if options.layers:
            for layer in design.layers:
                print(f"  {layer.layer_name}: {layer.folding}, {layer.cycles()} cycles")
            for each in dict.fromkeys(_instances(modules[0])):
                print(f"  {each}: {synthesiser.usage(each)}", flush=True)
        used = synthesiser.usage(top)
        print(
            f"{name:8} {'trained' if trained else 'random':8} {network.cycles:>12,}"
            f" {design.cycles():>6,} {network.luts:>11,} {network.aim:>8,} {used.luts:>7,}"
            f" {used.block_rams:>7g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
