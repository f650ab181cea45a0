"""What a design will take of a device, by the resource model: per layer and in total."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from irc.devices import figures_of
from irc.flow.ladder import Ladder
from irc.flow.timing_estimate import SlowPath, slow_paths
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.resource_model.estimate import Estimate, estimate_design
from irc.passes.layer_names import verilog_identifier

MOST_SIMULATED = 500_000
"""Cycles times units that the first latency may be worth: some seconds."""


@dataclass(frozen=True)
class DeviceEstimate:
    """`modules` are by the name of the module that the design has for a unit, all its instances
    together; the clock in MHz; `limit` says what keeps the folding from being faster, where it was
    chosen."""

    device: str
    clock: float
    lut_name: str
    modules: dict[str, Estimate]
    total: Estimate
    frames_per_second: float
    limit: str | None
    slow: tuple[SlowPath, ...] = ()
    """Paths that are estimated to miss the clock."""


def estimate_of(ladder: Ladder) -> DeviceEstimate | None:
    """The estimate for the device that a design is for; `None` where it is for none."""
    design = design_of(ladder.dataflow)
    if design.device is None:
        return None
    names = unit_modules(design, ladder.hw)
    figures = figures_of(design.device)
    clock = figures.clock if design.clock is None else design.clock
    units, total = estimate_design(design, figures.family)
    modules: dict[str, Estimate] = {}
    for unit in units:
        name = names[unit.unit]
        modules[name] = modules.get(name, Estimate()) + unit.estimate
    return DeviceEstimate(
        design.device,
        clock,
        figures.lut_name,
        modules,
        total,
        clock * 1e6 / design.cycles(),
        design.limit,
        tuple(slow_paths(ladder.hw, verilog_identifier(design.name), figures, clock)),
    )


def unit_modules(design: Design, built: ModuleOp) -> dict[Operation, str]:
    """The names of the modules that a design was built from, by its units."""
    top = next(
        op
        for op in built.ops
        if isinstance(op, hw.HWModuleOp) and op.sym_name.data == verilog_identifier(design.name)
    )
    instances = [op for op in top.body.walk() if isinstance(op, hw.InstanceOp)]
    names = [instance.module_name.root_reference.data for instance in instances]
    return dict(zip(design.units, names, strict=True))


def first_latency(design: Design) -> int | None:
    """Cycles from the one in which the first beat is taken to the one in which the last of its
    frame is given, when neither side stalls; `None` where finding it would take too long."""
    # Until the pipeline is full, every unit may need its cycles once.
    cycles = sum(unit.cycles() for unit in design.units)
    if not design.units or cycles * len(design.units) > MOST_SIMULATED:
        return None
    return simulate_cycles(design.units, design.source.beats, 1).nodes[-1].last[0]
