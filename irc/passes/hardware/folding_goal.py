"""What a folding is to reach on a device, the folding that does, and what stands in its way."""

from __future__ import annotations

import math
from dataclasses import dataclass

from irc.devices import DeviceFigures
from irc.dialects.dataflow import Folding
from irc.errors import IrcError
from irc.passes.hardware.built_cost import built_cost
from irc.passes.hardware.design import Design
from irc.passes.hardware.folding_problem import FoldingProblem
from irc.passes.hardware.folding_solver import Choice, Cost, Solution
from irc.passes.hardware.lanes import fewest_cycles
from irc.passes.layer_names import describe

GOALS = ("fastest", "smallest")

FILL = 0.9
"""Part of a device's look-up tables that a design may take by its estimate: place and route need
some room, and the estimate is one."""


@dataclass(frozen=True)
class FoldingGoal:
    """At least `fps` frames a second at `clock` MHz with the least area; or the most frames a
    second with at most `max_luts`, or, with `goal` fastest, what the device has; or, with
    `smallest`, the least area at any rate."""

    device: DeviceFigures
    clock: float
    fps: float | None = None
    max_luts: int | None = None
    goal: str | None = None

    @property
    def limits(self) -> Cost:
        """What the design may take."""
        device = self.device
        luts = math.floor(FILL * device.luts)
        if self.max_luts is not None:
            luts = min(self.max_luts, device.luts)
        return Cost(luts, device.block_rams, device.dsps)

    @property
    def cycles(self) -> int | None:
        """The most cycles a frame that reach the rate; `None` where none is asked for."""
        return None if self.fps is None else math.floor(self.clock * 1e6 / self.fps)

    def rate(self, cycles: int) -> str:
        """`1,000 frames/s at 24 MHz (24,000 cycles a frame)`."""
        rate = self.clock * 1e6 / cycles
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.3g}"
        return f"{shown} frames/s at {self.clock:g} MHz ({cycles:,} cycles a frame)"

    def needs(self, cost: Cost) -> str:
        """`6,100 LUT4s of the 4,752 there are, and 12 block RAMs of 30`: what exceeds the limits,
        or all."""
        names = (f"{self.device.lut_name}s", "block RAMs", "DSPs")
        shown = [
            f"{used:,.12g} {name} of {held:,.12g}"
            for name, used, held in zip(names, cost, self.limits, strict=True)
            if used > held
        ]
        return " and ".join(shown) or f"{cost.luts:,.12g} {names[0]}"


@dataclass(frozen=True)
class Outcome:
    """A folding for each layer, and in words what keeps the design from being faster."""

    foldings: list[Folding]
    limit: str


MOST_CORRECTIONS = 8
"""How often limits are tightened where the design, once built, takes more than the search saw:
what is between branches, and the exact depths of FIFOs."""


def reach(design: Design, goal: FoldingGoal) -> Outcome:
    """The folding that reaches a goal; raises `IrcError` that says what is in the way."""
    search = FoldingProblem(design, goal.device)
    floor = max(map(fewest_cycles, design.units), default=0)
    if goal.cycles is not None:
        _check_rate(design, search, goal, goal.cycles)
    limits = goal.limits
    for _ in range(MOST_CORRECTIONS):
        found = _search(search, goal, limits, floor)
        if found is None:
            break
        foldings = [choice.what for choice in found.choices]
        taken = built_cost(design, foldings, goal.device.family)
        if taken.within(goal.limits):
            return Outcome(foldings, _limit(design, search, goal, limits, found, floor))
        limits = Cost(*map(_tightened, limits, goal.limits, taken))
    raise IrcError(_too_large(design, search, goal, limits, floor))


def _search(
    search: FoldingProblem, goal: FoldingGoal, limits: Cost, floor: int
) -> Solution[Folding] | None:
    problem = search.problem
    if goal.cycles is not None:
        return problem.cheapest(goal.cycles, limits)
    if goal.goal == "smallest":
        return problem.cheapest(max([floor, *problem.cycles]), limits)
    return problem.fastest(limits, floor)


def _tightened(limit: float, allowed: float, taken: float) -> float:
    """A limit, lower by what was taken too much."""
    return limit - max(0, taken - allowed)


def _check_rate(design: Design, search: FoldingProblem, goal: FoldingGoal, cycles: int) -> None:
    """Raise unless every unit can be folded so that it keeps up."""
    fewest = {
        f"layer '{layer.layer_name}'": min(choices, key=lambda c: (c.cycles, c.cost))
        for layer, choices in zip(design.layers, search.problem.layers, strict=True)
    }
    slow = [
        f"  {name} takes at least {best.cycles:,} cycles a frame, at {_shown(best.what)}"
        for name, best in fewest.items()
        if best.cycles > cycles
    ]
    units = {describe(unit): fewest_cycles(unit) for unit in design.units}
    slow += [
        f"  {name} takes at least {least:,} cycles a frame"
        for name, least in units.items()
        if least > cycles
    ]
    if slow:
        best = max([*(choice.cycles for choice in fewest.values()), *units.values()])
        raise IrcError(
            "\n".join(
                [
                    f"{goal.fps:,.12g} frames/s are out of reach, which take {cycles:,} cycles a "
                    f"frame or fewer at {goal.clock:g} MHz:",
                    *slow,
                    f"the most are {goal.rate(best)}; a faster clock gives more (--clock)",
                ]
            )
        )


def _too_large(
    design: Design, search: FoldingProblem, goal: FoldingGoal, limits: Cost, floor: int
) -> str:
    """What the goal needs, which layer the most of it, and what is possible instead."""
    problem, device = search.problem, goal.device.name
    slowest = max([floor, *problem.cycles])
    target = goal.cycles if goal.cycles is not None else slowest
    least = _least(search, target, goal)
    assert least is not None
    names = [layer.layer_name for layer in design.layers]
    largest = max(
        zip(names, least.choices, strict=True), key=lambda item: problem.price(item[1].cost)
    )
    what = "the smallest design" if goal.cycles is None else goal.rate(target)
    lines = [
        f"{what} does not fit {device}: it needs {goal.needs(_with_unseen(least, goal, limits))}",
        f"  layer '{largest[0]}' limits: it needs {_cost(largest[1].cost, goal)} at "
        f"{_shown(largest[1].what)}",
    ]
    possible = problem.fastest(limits, floor) if goal.cycles is not None else None
    if possible is not None:
        lines.append(f"within these limits there are {goal.rate(max(floor, possible.cycles))}")
    else:
        lines.append("no folding fits: take a larger device, or a smaller network")
    return "\n".join(lines)


def _least(search: FoldingProblem, cycles: int, goal: FoldingGoal) -> Solution[Folding] | None:
    """Choices within so many cycles that come near the limits: the cheapest, or those for which
    block RAMs and DSPs are enough, whichever exceed a limit less."""
    problem, limits = search.problem, goal.limits
    wide = Cost(float("inf"), limits.block_rams, limits.dsps)
    found = [problem.cheapest(cycles, wide), problem.cheapest(cycles)]

    def excess(solution: Solution[Folding]) -> float:
        return max(taken / max(held, 1) for taken, held in zip(solution.cost, limits, strict=True))

    return min((s for s in found if s is not None), key=excess, default=None)


def _limit(
    design: Design,
    search: FoldingProblem,
    goal: FoldingGoal,
    limits: Cost,
    found: Solution[Folding],
    floor: int,
) -> str:
    """What decides the rate, and what a higher one would need."""
    problem = search.problem
    cycles = max(floor, found.cycles)
    if cycles > found.cycles:
        unit = max(design.units, key=fewest_cycles)
        return f"{describe(unit)} limits: it takes {cycles:,} cycles at least"
    slowest = _slowest(design, found.choices)
    faster = [c for c in problem.cycles if floor <= c < found.cycles]
    if not faster:
        return f"layer '{slowest}' limits: {cycles:,} a frame is the fewest cycles"
    if goal.goal == "smallest" or goal.cycles is not None:
        return f"layer '{slowest}' limits"
    least = _least(search, faster[-1], goal)
    assert least is not None
    needs = goal.needs(_with_unseen(least, goal, limits))
    return f"layer '{slowest}' limits: {goal.rate(faster[-1])} would need {needs}"


def _with_unseen(solution: Solution[Folding], goal: FoldingGoal, limits: Cost) -> Cost:
    """What a solution takes, with what the search did not see: by so much limits were tightened."""
    unseen = Cost(*(given - left for given, left in zip(goal.limits, limits, strict=True)))
    return solution.cost.plus(unseen)


def _slowest(design: Design, choices: tuple[Choice[Folding], ...]) -> str:
    pairs = zip(design.layers, choices, strict=True)
    return max(pairs, key=lambda pair: pair[1].cycles)[0].layer_name


def _shown(folding: Folding) -> str:
    mmv = f", mmv = {folding.mmv}" if folding.mmv > 1 else ""
    memory = f", memory = {folding.memory}" if folding.memory != "auto" else ""
    return f"pe = {folding.pe}, simd = {folding.simd}{mmv}{memory}"


def _cost(cost: Cost, goal: FoldingGoal) -> str:
    parts = [f"{cost.luts:,.12g} {goal.device.lut_name}s"]
    parts += [f"{cost.block_rams:g} block RAMs"] if cost.block_rams else []
    parts += [f"{cost.dsps:g} DSPs"] if cost.dsps else []
    return " and ".join(parts)
