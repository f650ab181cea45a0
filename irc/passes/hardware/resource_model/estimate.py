"""Estimates: look-up tables, flip-flops, block RAMs and DSPs of units and of whole designs."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation

from irc.passes.hardware.design import Design
from irc.passes.hardware.resource_model.coefficients import coefficients, weighted
from irc.passes.hardware.resource_model.fabric import FABRICS
from irc.passes.hardware.resource_model.memories import place
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.resource_model.unit_structure import structure_of

FEW_WORDS = 8
"""Words of a ROM whose tables have room for what follows them: a part of its own."""


@dataclass(frozen=True)
class Estimate:
    """What something takes; block RAMs in the maker's unit."""

    luts: int = 0
    flipflops: int = 0
    block_rams: float = 0
    dsps: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            self.luts + other.luts,
            self.flipflops + other.flipflops,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )


@dataclass(frozen=True)
class Parts:
    """What coefficients are multiplied with, by part, memories included; `ram_luts` are look-up
    tables that are RAM, which are counted as they are."""

    luts: dict[str, float]
    flipflops: dict[str, float]
    ram_luts: int
    block_rams: float


def parts(structure: Structure, family: str) -> Parts:
    """Those of a unit in devices of a family."""
    luts = dict(structure.luts)
    registers, ram_luts, block_rams = structure.registers, 0, 0.0
    for memory in structure.memories:
        placed = place(family, memory)
        kind = "rom" if memory.is_rom else "ram"
        if memory.is_rom and memory.depth <= FEW_WORDS:
            kind = "small_rom"
        luts[kind] = luts.get(kind, 0) + placed.logic_cells
        luts["choices"] = luts.get("choices", 0) + placed.choices
        luts["bypass"] = luts.get("bypass", 0) + placed.bypass
        registers += placed.flipflops
        ram_luts += placed.ram_luts
        block_rams += placed.block_rams
    used = {name: count for name, count in luts.items() if count}
    return Parts(used, {structure.kind: registers}, ram_luts, block_rams)


def estimate(structure: Structure, family: str) -> Estimate:
    """What a unit of this structure takes in devices of a family."""
    if structure.kind == "none":
        return Estimate()
    table, found = coefficients(family), parts(structure, family)
    return Estimate(
        found.ram_luts + round(weighted(table["luts"], found.luts)),
        round(weighted(table["flipflops"], found.flipflops)),
        found.block_rams,
        structure.dsps,
    )


def top_structure(design: Design, family: str) -> Structure:
    """What the top module holds beside the units: a counter of beats that tells the last."""
    beats = design.result.beats
    luts = {"top.control": 2, "counters": FABRICS[family].counters(beats)}
    return Structure("top", luts, counter_bits(beats) + 1)


@dataclass(frozen=True)
class UnitEstimate:
    """One unit of a design."""

    unit: Operation
    estimate: Estimate


def estimate_design(design: Design, family: str) -> tuple[list[UnitEstimate], Estimate]:
    """What each unit takes, and all together."""
    units = [UnitEstimate(op, estimate(structure_of(op, family), family)) for op in design.units]
    total = sum((unit.estimate for unit in units), estimate(top_structure(design, family), family))
    return units, total
