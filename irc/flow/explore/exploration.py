"""Collect what there is to see of a model, at every level and after every pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from irc.backends.c.source import CSource, emit_c
from irc.backends.verilog.printer import print_module
from irc.backends.verilog.target import find_top, reachable
from irc.errors import IrcError, UnsupportedError
from irc.flow.explore.arena import Buffer, arena_buffers
from irc.flow.explore.costs import Column, hardware_costs, network_costs, software_costs
from irc.flow.explore.graphs import Graph, graph_of
from irc.flow.explore.outputs import File, c_files, module_origins, verilog_files
from irc.flow.explore.stages import RecordedLadder
from irc.flow.explore.thresholds import Layer
from irc.flow.hardware_estimate import DeviceEstimate, estimate_of
from irc.flow.software_project import provenance
from irc.passes.hardware.design import design_of

TARGETS = ("verilog", "c")


@dataclass
class Level:
    """A level: the graph of its final module, and what its nodes cost."""

    name: str
    graph: Graph
    columns: list[Column] = field(default_factory=list[Column])
    arena: list[Buffer] = field(default_factory=list[Buffer])
    arena_bytes: int = 0


@dataclass
class Exploration:
    """Everything about a model; `problems` says by target what stands in its way."""

    ladder: RecordedLadder
    levels: list[Level]
    layers: list[Layer]
    outputs: dict[str, list[File]]
    problems: dict[str, str]
    facts: list[tuple[str, str, str]]
    """What to know at a glance: a label, a value and an explanation."""
    provenance: dict[str, str]


def explore(ladder: RecordedLadder, targets: tuple[str, ...] = TARGETS) -> Exploration:
    """Lower the model for the targets and collect what there is to see on the way.

    Where one of several targets does not support the model, that is told as its problem; raises
    `IrcError` where none does, or the model can't be lifted.
    """
    found = Exploration(ladder, [], [], {}, {}, [], provenance(ladder))
    _ = ladder.origins
    if ladder.level == "onnx":
        found.levels.append(Level("onnx", graph_of(ladder.source, ladder.origins)))
    if ladder.level in ("onnx", "bnn"):
        network = graph_of(ladder.bnn, ladder.origins)
        found.levels.append(Level("bnn", network, network_costs(network)))
        found.layers = ladder.thresholds.all_layers(ladder.function)
    steps: dict[str, Callable[[Exploration], None]] = {"verilog": _hardware, "c": _software}
    for target in targets:
        if _leads_to(ladder.level, target):
            try:
                steps[target](found)
            except UnsupportedError as error:
                if len(targets) == 1:
                    raise
                found.problems[target] = error.message
    if not found.outputs and found.problems:
        raise UnsupportedError("\n".join(dict.fromkeys(found.problems.values())))
    if not found.levels:
        raise IrcError(
            f"{ladder.path}: is at level {ladder.level}, which target "
            f"{' and '.join(targets)} is not made from"
        )
    return found


def _leads_to(level: str, target: str) -> bool:
    levels = {"verilog": ("onnx", "bnn", "dataflow", "hw"), "c": ("onnx", "bnn", "packed")}
    return level in levels[target]


def _hardware(found: Exploration) -> None:
    """The level `dataflow` with its costs, and the Verilog."""
    ladder, origins = found.ladder, found.ladder.origins
    modules: dict[str, int] = {}
    columns: list[Column] = []
    graph = None
    if ladder.level != "hw":
        design = design_of(ladder.dataflow)
        graph = graph_of(ladder.dataflow, origins)
        columns = hardware_costs(graph, design)
        modules = module_origins(design, ladder.hw, origins)
    printed = [print_module(op) for op in reachable(ladder.hw, find_top(ladder.hw, None))]
    found.outputs["verilog"] = verilog_files(printed, modules, ladder.hw)
    if graph is not None:
        found.levels.append(Level("dataflow", graph, columns))
        found.facts += _hardware_facts(found, design_of(ladder.dataflow).cycles())


def _hardware_facts(found: Exploration, cycles: int) -> list[tuple[str, str, str]]:
    level = found.levels[-1]
    slowest = next(
        node.name
        for node, value in zip(level.graph.nodes, level.columns[0].values, strict=True)
        if value == cycles
    )
    facts = [("cycles a frame", f"{cycles:,}", f"the slowest unit, {slowest}, decides")]
    estimate = estimate_of(found.ladder)
    if estimate is not None:
        facts += _device_facts(estimate, level.columns)
    return facts


def _device_facts(estimate: DeviceEstimate, columns: list[Column]) -> list[tuple[str, str, str]]:
    rate = f"{estimate.frames_per_second:,.0f}"
    limit = estimate.limit or f"at {estimate.clock:g} MHz"
    facts = [("frames a second", rate, f"{estimate.device} at {estimate.clock:g} MHz: {limit}")]
    used = {"luts": estimate.total.luts, "rams": estimate.total.block_rams}
    for column in columns:
        if column.key in used and column.limit:
            share = f"{used[column.key]:,g} of {column.limit:,g}"
            over = "more than it has: " if used[column.key] > column.limit else ""
            facts.append((column.title, share, f"{over}{column.about}"))
    return facts


def _software(found: Exploration) -> None:
    """The level `packed` with its costs, and the C."""
    ladder = found.ladder
    source = emit_c(ladder.packed, ladder.name, found.provenance)
    graph = graph_of(ladder.packed, ladder.origins)
    costs, buffers = software_costs(graph, source), arena_buffers(graph, source)
    found.levels.append(Level("packed", graph, costs, buffers, source.arena_bytes))
    found.outputs["c"] = c_files(source, ladder.packed, ladder.origins)
    found.facts += _software_facts(source)


def _software_facts(source: CSource) -> list[tuple[str, str, str]]:
    return [
        ("flash", f"{source.flash_bytes:,} B", "constants of the C, besides its code"),
        ("RAM", f"{source.arena_bytes:,} B", "the arena that the kernels of the C share"),
    ]
