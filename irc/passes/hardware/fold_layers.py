"""Fold every layer so that all take about the same number of cycles, or as a device allows."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import Float64Type, FloatAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from irc.devices import figures_of
from irc.errors import IrcError, UsageError
from irc.passes.hardware.design import CLOCK, DEVICE, LIMIT, Design, design_of
from irc.passes.hardware.folding_goal import GOALS, FoldingGoal, reach
from irc.passes.hardware.folding_search import (
    FoldingTable,
    balanced_target,
    refold,
)
from irc.passes.hardware.lanes import fewest_cycles, spread_lanes
from irc.passes.hardware.memory_choice import choose_memories
from irc.passes.layer_names import describe
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class FoldLayers(ModulePass):
    """Choose PE, SIMD and the like of each layer, and where its weights lie.

    With target-cycles the least area that takes no more cycles a frame. With a device, fps asks for
    so many frames a second at the least area, max-luts for the most frames a second within so many
    look-up tables, goal=fastest for the most that the device has room for, and goal=smallest for
    the least area at any rate; clock is in MHz, by default one that suits the device. Where a goal
    is out of reach, the error says what stands in the way and what is possible.

    Without any of these, the fewest cycles that a small FPGA has room for, unless a pool or the
    like takes more anyway.
    """

    name = "fold-layers"

    target_cycles: int | None = None
    """Cycles a frame that no layer may exceed."""

    max_area: int | None = None
    """Without a target: look-up tables, roughly, that all layers, windows and pools together may
    take; by default what a small FPGA has room for."""

    device: str | None = None
    """What the design is for, such as up5k."""

    clock: int | float | None = None
    """MHz at which it is to run there."""

    fps: int | float | None = None
    """Frames a second at the least."""

    max_luts: int | None = None
    """Look-up tables at the most."""

    goal: str | None = None
    """fastest or smallest."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        goal = self._goal()
        for function in functions_of(op):
            design = design_of(function)
            if self.device is not None:
                _record(function, self.device, self.clock)
            if goal is not None and design.layers:
                outcome = reach(design, goal)
                for layer, folding in zip(design.layers, outcome.foldings, strict=True):
                    refold(layer, folding)
                function.attributes[LIMIT] = StringAttr(outcome.limit)
            else:
                self._balance(design)
            spread_lanes(design)

    def _goal(self) -> FoldingGoal | None:
        """What is asked for on a device; raises `UsageError` where that makes no sense."""
        if self.target_cycles is not None and self.target_cycles < 1:
            raise UsageError(f"target-cycles must be positive, not {self.target_cycles}")
        asked = {"fps": self.fps, "max-luts": self.max_luts, "goal": self.goal}
        given = [name for name, value in asked.items() if value is not None]
        if self.goal is not None and self.goal not in GOALS:
            raise UsageError(f"unknown goal '{self.goal}'; expected {' or '.join(GOALS)}")
        for name in ("fps", "clock", "max_luts"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name.replace('_', '-')} must be positive, not {value:g}")
        if self.device is None:
            if given or self.clock is not None:
                raise UsageError(f"{(given or ['clock'])[0]} needs a device, such as device=up5k")
            return None
        device = figures_of(self.device)
        if not given:
            return None
        if (self.goal is not None and len(given) > 1) or self.target_cycles is not None:
            raise UsageError(f"{given[0]} cannot be combined with another target")
        clock = device.clock if self.clock is None else self.clock
        return FoldingGoal(device, clock, self.fps, self.max_luts, self.goal)

    def _balance(self, design: Design) -> None:
        """Without a goal on a device."""
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
        if self.device is not None:
            choose_memories(design, figures_of(self.device))


def _record(function: FuncOp, device: str, clock: float | None) -> None:
    """Say on the function what it is for."""
    figures = figures_of(device)
    function.attributes[DEVICE] = StringAttr(device)
    mhz = figures.clock if clock is None else clock
    function.attributes[CLOCK] = FloatAttr(mhz, Float64Type())


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
