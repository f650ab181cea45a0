"""Samples: units that are synthesised, what they are made of, and what they take."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import IntegerType, ModuleOp, StringAttr
from xdsl.ir import Attribute, Operation

from calibration.results import Results
from calibration.units import Unit, designed_units
from irc.backends.synth.devices import FAMILIES
from irc.backends.synth.tools import run_tool
from irc.backends.synth.yosys import STATISTICS, Usage, cells_used, mapping
from irc.backends.verilog.printer import VerilogFile, print_design
from irc.devices import FIGURES, DeviceFigures
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw
from irc.passes.hardware.design import DEVICE, Design, design_of
from irc.passes.hardware.resource_model.estimate import Parts, parts, top_structure
from irc.passes.hardware.resource_model.structure import Structure
from irc.passes.hardware.resource_model.unit_structure import structure_of

QUICK_WEIGHTS = 4096

BATCH = 36
"""Units in one run of Yosys."""

MOST_LUTS_A_RUN = 6000
"""Look-up tables of whole networks that are synthesised in one run, unless a single one has
more."""


@dataclass(frozen=True)
class Sample:
    """One unit: what its structure says, and what it takes. `count` is how often the network has
    it."""

    name: str
    parts: Parts
    used: Usage
    network: str = ""
    count: int = 1
    held_out: bool = False
    """Whether it is kept from the fit, to tell how good that is."""
    kind: str = ""

    def target(self, resource: str) -> float:
        """What the coefficients are to explain."""
        if resource == "luts":
            return self.used.luts - self.parts.ram_luts
        return self.used.flipflops

    def counts(self, resource: str) -> Mapping[str, float]:
        """What the coefficients are multiplied with."""
        return self.parts.luts if resource == "luts" else self.parts.flipflops


def sample_of(
    name: str,
    structure: Structure,
    usage: Usage,
    family: str,
    network: str = "",
    count: int = 1,
    held_out: bool = False,
) -> Sample:
    """The sample of a unit of known structure."""
    found = parts(structure, family)
    return Sample(name, found, usage, network, count, held_out, structure.kind)


def unit_samples(
    family: str, results: Results, kinds: Sequence[str] | None = None, *, quick: bool = False
) -> list[Sample]:
    """Every unit of the designed set, or only those of some kinds, or of few weights."""
    units = [
        unit
        for unit in designed_units()
        if (not quick or unit.weights <= QUICK_WEIGHTS) and (not kinds or has_kind(unit, kinds))
    ]
    found: list[Sample] = []
    for start in range(0, len(units), BATCH):
        found += batch_samples(units[start : start + BATCH], family, results)
        print(f"{family}: {min(start + BATCH, len(units))} of {len(units)} units", flush=True)
    return found


def has_kind(unit: Unit, kinds: Sequence[str]) -> bool:
    """Whether a design has a unit of one of these kinds."""
    return any(structure_of(op, "ice40").kind in kinds for op in design_of(unit.module).units)


def batch_samples(
    units: Sequence[Unit], family: str, results: Results | None = None
) -> list[Sample]:
    """Samples of units, those without a result in one run of Yosys."""
    results = Results() if results is None else results
    files: list[VerilogFile] = []
    modules: list[tuple[str, Structure, str, str]] = []
    tops: list[hw.HWModuleOp] = []
    for unit in units:
        module = unit.module.clone()
        design = design_of(module)
        design.function.attributes[DEVICE] = StringAttr(largest_device(family).name)
        structures = [structure_of(op, family) for op in design.units]
        ConvertDataflowToHw().apply(Context(), module)
        top = top_of(module, unit.name)
        printed = print_design(module)
        key = results.key(family, printed)
        names = instance_names(top)
        for structure, name in zip(structures, names, strict=True):
            label = unit.name if len(names) == 1 else f"{unit.name} {structure.kind}"
            modules.append((label, structure, name, key))
        if results.wants(key, names):
            tops.append(top)
            files += printed
    if tops:
        usages = synthesised(family, "calibration", files, keeper(tops))
        for _, _, name, key in modules:
            if not results.has(key, [name]):
                results.add(key, name, usages(name))
        results.save()
    return [
        sample_of(label, structure, results.get(key, name), family)
        for label, structure, name, key in modules
        if results.has(key, [name])
    ]


def largest_device(family: str) -> DeviceFigures:
    """The device of a family that holds most."""
    return max((d for d in FIGURES if d.family == family), key=lambda d: d.luts)


def instance_names(top: hw.HWModuleOp) -> list[str]:
    """The modules of a design's units, in their order."""
    instances = [op for op in top.body.walk() if isinstance(op, hw.InstanceOp)]
    return [instance.module_name.root_reference.data for instance in instances]


def top_of(module: ModuleOp, name: str) -> hw.HWModuleOp:
    """The top module of a design."""
    found = [op for op in module.ops if isinstance(op, hw.HWModuleOp) and op.sym_name.data == name]
    return found[0]


def port_width(kind: Attribute) -> int:
    """Bits of a port."""
    assert isinstance(kind, IntegerType)
    return int(kind.width.data)  # pyright: ignore


def keeper(tops: Iterable[hw.HWModuleOp]) -> str:
    """Verilog of a module that holds several designs, all of whose outputs are its own."""
    lines, outputs = list[str](), 0
    widest = 1
    for top in tops:
        ports: list[str] = []
        for port in top.module_type.ports:
            name = port.port_name.data
            if name in ("aclk", "aresetn"):
                ports.append(f".{name}({name})")
                continue
            width = port_width(port.type)
            if port.dir.data == hw.Direction.INPUT:
                widest = max(widest, width)
                ports.append(f".{name}(i[{width - 1}:0])")
            else:
                ports.append(f".{name}(o[{outputs + width - 1}:{outputs}])")
                outputs += width
        lines.append(f"  {top.sym_name.data} u_{top.sym_name.data}({', '.join(ports)});")
    head = (
        f"module calibration(input aclk, input aresetn, input [{widest - 1}:0] i, "
        f"output [{outputs - 1}:0] o);"
    )
    return "\n".join([head, *lines, "endmodule\n"])


def synthesised(family: str, top: str, files: Sequence[VerilogFile], extra: str = "") -> Any:
    """Run Yosys; a function from the name of a module to what it takes."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        work, sources = Path(folder), list[str]()
        for file in files:
            (work / f"{file.name}.v").write_text(file.text, encoding="utf-8")
            sources.append(f"{file.name}.v")
            for name, text in file.hex_files.items():
                (work / name).write_text(text, encoding="utf-8")
        if extra:
            (work / "keeper.v").write_text(extra, encoding="utf-8")
            sources.append("keeper.v")
        flow = "; ".join(mapping(FAMILIES[family], top))
        script = f"read_verilog {' '.join(sources)}; {flow}; tee -q -o {STATISTICS} stat -json"
        run_tool("yosys", ["-q", "-p", script], work, "yosys.log")
        statistics = json.loads((work / STATISTICS).read_text(encoding="utf-8"))
    cells: dict[str, dict[str, int]] = {
        name.removeprefix("\\"): module.get("num_cells_by_type", {})
        for name, module in statistics["modules"].items()
    }

    def usage(name: str) -> Usage:
        own = {kind: count for kind, count in cells[name].items() if kind not in cells}
        total = cells_used(own, FAMILIES[family])
        for kind, count in cells[name].items():
            if kind in cells:
                total += usage(kind).times(count)
        return total

    return usage


@dataclass(frozen=True)
class Built:
    """A whole network, folded, and its modules."""

    name: str
    network: str
    design: Design
    modules: ModuleOp
    luts: int
    """What it is expected to take."""
    held_out: bool

    @cached_property
    def files(self) -> list[VerilogFile]:
        """Its Verilog."""
        return print_design(self.modules)

    @cached_property
    def units(self) -> dict[str, list[Operation]]:
        """Its units by the name of their module."""
        found: dict[str, list[Operation]] = {}
        names = instance_names(top_of(self.modules, self.design.name))
        for op, module in zip(self.design.units, names, strict=True):
            found.setdefault(module, []).append(op)
        return found

    @property
    def wanted(self) -> list[str]:
        """The modules whose usage tells all."""
        return [*self.units, self.design.name]


def synthesise_designs(designs: Iterable[Built], family: str, results: Results) -> None:
    """Those that are not known yet, several small ones in one run of Yosys."""
    together: list[Built] = []
    for built in designs:
        if not results.wants(results.key(family, built.files), built.wanted):
            continue
        if together and sum(b.luts for b in [*together, built]) > MOST_LUTS_A_RUN:
            _synthesise(together, family, results)
            together = []
        together.append(built)
    if together:
        _synthesise(together, family, results)


def _synthesise(designs: Sequence[Built], family: str, results: Results) -> None:
    tops = [top_of(built.modules, built.design.name) for built in designs]
    files = [file for built in designs for file in built.files]
    usages = synthesised(family, "calibration", files, keeper(tops))
    for built in designs:
        key = results.key(family, built.files)
        for module in built.wanted:
            results.add(key, module, usages(module))
    results.save()
    print(f"{family}: {', '.join(built.name for built in designs)}", flush=True)


def design_samples(built: Built, family: str, results: Results) -> list[Sample]:
    """The units of a whole network, and its top module; each module once, with its count."""
    key = results.key(family, built.files)
    if not results.has(key, built.wanted):
        return []

    def sample(module: str, structure: Structure, usage: Usage, count: int = 1) -> Sample:
        name = f"{built.name} {module}"
        return sample_of(name, structure, usage, family, built.name, count, built.held_out)

    found = [
        sample(module, structure_of(ops[0], family), results.get(key, module), len(ops))
        for module, ops in built.units.items()
    ]
    rest = results.get(key, built.design.name)
    for unit in found:
        rest = rest.less(unit.used.times(unit.count))
    return [*found, sample("top", top_structure(built.design, family), rest)]
