"""Fold every layer so that all take about the same number of cycles."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.errors import IrcError, UsageError
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.folding_search import (
    FoldingTable,
    balanced_target,
    refold,
)
from irc.passes.hardware.lanes import fewest_cycles, spread_lanes
from irc.passes.layer_names import describe
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class FoldLayers(ModulePass):
    """Choose PE and SIMD of each layer: the least area within target-cycles a frame.

    Without a target, the fewest cycles that a small FPGA has room for, unless a pool or the like
    takes more anyway. A layer or other unit that cannot reach the target is an error that says what
    it can reach.
    """

    name = "fold-layers"

    target_cycles: int | None = None
    """Cycles a frame that no layer may exceed."""

    max_area: int | None = None
    """Without a target: look-up tables, roughly, that all layers, windows and pools together may
    take; by default what a small FPGA has room for."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.target_cycles is not None and self.target_cycles < 1:
            raise UsageError(f"target-cycles must be positive, not {self.target_cycles}")
        for function in functions_of(op):
            design = design_of(function)
            tables = [FoldingTable(layer) for layer in design.layers]
            target = self.target_cycles
            if not tables:
                # Nothing but sums, pools and moves: what is said of layers holds for none.
                target = 1
            elif target is None:
                slowest = max(map(fewest_cycles, design.units))
                target = max(balanced_target(tables, self.max_area), slowest)
            else:
                _check_reachable(design, tables, target)
            for layer, table in zip(design.layers, tables, strict=True):
                refold(layer, table.folding(target))
            spread_lanes(design)


def _check_reachable(design: Design, tables: list[FoldingTable], target: int) -> None:
    slow = [
        f"  layer '{layer.layer_name}' takes at least {table.cycles[0]} cycles a frame"
        for layer, table in zip(design.layers, tables, strict=True)
        if table.cycles[0] > target
    ]
    slow += [
        f"  {describe(unit)} takes at least {cycles} cycles a frame"
        for unit in design.units
        if (cycles := fewest_cycles(unit)) > target
    ]
    if slow:
        raise IrcError("\n".join([f"target-cycles={target} is out of reach:", *slow]))
