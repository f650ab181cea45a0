"""Give every matrix-vector unit as many stages as a clock asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.devices import figures_of
from irc.dialects import dataflow
from irc.errors import UsageError
from irc.passes.hardware.delays import Delays, delays_of
from irc.passes.hardware.design import design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.logic_depth import Depth
from irc.passes.hardware.units.mvu_depths import accumulation, coding, one_row
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class PipelineToClock(ModulePass):
    """Choose `stages` of matrix-vector units: as few as a clock of `mhz` allows on a device.

    Without mhz, nothing changes. The device is the one that the design was folded for, unless
    another is given. Units that have `stages`, such as from a folding file, keep them; so do those
    whose weights are constants in logic, which have the stages that they need. No more are taken
    than shorten the longest path of a unit: it also adds to its accumulator in a cycle. From two
    stages on, comparisons with several thresholds have a cycle to themselves, too.
    """

    name = "pipeline-to-clock"

    mhz: int | float | None = None
    """The clock that is to be met."""

    device: str | None = None
    """What the design is for, such as up5k."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.mhz is None:
            return
        if not self.mhz > 0:
            raise UsageError(f"mhz must be positive, not {self.mhz:g}")
        for function in functions_of(op):
            design = design_of(function)
            device = self.device or design.device
            if device is None:
                raise UsageError("mhz needs a device, such as device=up5k")
            lut_inputs, delays = figures_of(device).lut_inputs, delays_of(device)
            for unit in design.layers:
                if not isinstance(unit, dataflow.MvuOp) or unit.is_unrolled:
                    continue
                if unit.folding.stages is None:
                    stages = stages_for(unit, self.mhz, delays, lut_inputs)
                    refold(unit, replace(unit.folding, stages=stages))


def stages_for(unit: dataflow.MvuOp, mhz: float, delays: Delays, lut_inputs: int) -> int:
    """The fewest stages with which a unit meets a clock; or, where nothing does, with which the
    sum's stages are no longer than what else the unit does in a cycle."""
    row, adding = one_row(unit, lut_inputs), accumulation(unit, lut_inputs)
    comparing, counting = coding(unit, lut_inputs)
    coded = delays.meets(_one_after_another(comparing, counting), mhz)
    if coded and delays.meets(_one_after_another(row.depth, adding), mhz):
        return 0
    others = max(map(delays.of, (adding, comparing, counting)))
    longest: list[float] = []
    # From two stages on, comparisons have a stage to themselves.
    fewest = 1 if coded else 2
    for stages in unit.stage_choices()[fewest:]:
        path = row.longest(stages)
        if delays.meets(path, mhz) or delays.of(path) <= others:
            return stages
        longest.append(delays.of(path))
    return fewest + longest.index(min(longest))


def _one_after_another(first: Depth, second: Depth) -> Depth:
    return Depth(*map(sum, zip(first, second, strict=True)))
