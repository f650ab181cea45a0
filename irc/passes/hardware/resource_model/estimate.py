"""Estimates: look-up tables, flip-flops, block RAMs and DSPs of units and of whole designs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from xdsl.ir import Operation

from irc.passes.hardware.design import Design
from irc.passes.hardware.resource_model.coefficients import Coefficients, coefficients
from irc.passes.hardware.resource_model.memories import Placement, place
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.resource_model.unit_structure import structure_of

LEAST_DSP_WIDTH = {"ecp5": 4, "xc7": 9}
"""Bits of a product from which Yosys makes it a DSP block, by family; `synth_ice40` never does by
itself."""


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


def features(structure: Structure, family: str) -> dict[str, float]:
    """What coefficients are multiplied with: the counts, and what the memories leave for logic.
    The key `ram_luts` counts look-up tables as such: RAMs made of them."""
    found = dict(structure.counts)
    for memory in structure.memories:
        for name, count in _left_for_logic(place(family, memory), is_rom=memory.is_rom).items():
            found[name] = found.get(name, 0) + count
    return found


@cache
def _left_for_logic(placed: Placement, *, is_rom: bool) -> dict[str, float]:
    kind = "rom" if is_rom else "ram"
    counts = {
        "ram_luts": placed.ram_luts,
        f"{kind}_cells": placed.logic_cells,
        f"{kind}_outputs": placed.outputs,
        "muxed_bits": placed.muxed_bits,
    }
    return {name: count for name, count in counts.items() if count}


def estimate(structure: Structure, family: str) -> Estimate:
    """What a unit of this structure takes in devices of a family."""
    if structure.kind == "none":
        return Estimate()
    table = coefficients(family)
    counts = features(structure, family)
    blocks = sum(place(family, memory).block_rams for memory in structure.memories)
    return Estimate(
        round(counts.get("ram_luts", 0) + _weighted(table, structure.kind, "luts", counts)),
        round(_weighted(table, structure.kind, "flipflops", counts)),
        blocks,
        _dsps(structure, family),
    )


def _dsps(structure: Structure, family: str) -> int:
    least = LEAST_DSP_WIDTH.get(family)
    return structure.multipliers if least and structure.product_width >= least else 0


def _weighted(table: Coefficients, kind: str, resource: str, counts: dict[str, float]) -> float:
    weights = table.get(kind, {}).get(resource, {})
    return sum(weights.get(name, 0) * count for name, count in counts.items())


def top_structure(design: Design) -> Structure:
    """What the top module holds beside the units: counters of beats that tell the last."""
    beats = counter_bits(design.source.beats, design.result.beats)
    return Structure("top", {"unit": 1, "counters": beats})


@dataclass(frozen=True)
class UnitEstimate:
    """One unit of a design."""

    unit: Operation
    estimate: Estimate


def estimate_design(design: Design, family: str) -> tuple[list[UnitEstimate], Estimate]:
    """What each unit takes, and all together."""
    units = [UnitEstimate(op, estimate(structure_of(op), family)) for op in design.units]
    total = sum((unit.estimate for unit in units), estimate(top_structure(design), family))
    return units, total
