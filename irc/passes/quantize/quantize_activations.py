"""Round activations to integers of few bits, so that every sum is of integers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from irc.errors import UsageError
from irc.interp.run import Progress
from irc.passes.quantize.activation_sites import Site, find_sites
from irc.passes.quantize.calibration import (
    DEFAULT_FRAMES,
    Array,
    only_one,
    random_frames,
    samples,
)
from irc.passes.quantize.insert_quantizers import (
    ActivationChoice,
    choose,
    choose_by_range,
    insert,
)
from irc.passes.quantize.layer_choice import parse_overrides
from irc.passes.quantize.scale_motion import move_scales_behind_sums
from irc.passes.quantize.weight_pass import load_frames
from irc.passes.rewriting import functions_to_convert


@dataclass(frozen=True)
class QuantizeActivations(ModulePass):
    """Round what sums and additions read to `bits` bits: x ≈ step · integer.

    `data` are frames to take the ranges from; `method` is mse (the least squared error), max
    (nothing is clipped) or percentile. Without data the pass stops, unless `range` says how large
    any activation gets, or `uncalibrated` takes the ranges from random inputs. `inputs` bits are
    for float inputs, `sums` for what is only added; `layers` are exceptions: what a layer reads
    gets its own bits, layers="conv2=4".
    """

    name = "quantize-activations"
    changes_results = "activations are rounded"

    bits: int = 8
    method: str = "mse"
    percentile: float | int = 99.99
    inputs: int = 8
    sums: int | None = None
    layers: tuple[str, ...] = ()
    data: str | None = None
    limit: int = DEFAULT_FRAMES
    range: float | int | None = None
    uncalibrated: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        exceptions = parse_overrides(self.layers, self.name)
        choice = ActivationChoice(
            self.bits, self.method, self.percentile, self.inputs, self.sums, exceptions
        )
        ways = {
            "data": self.data is not None,
            "range": self.range is not None,
            "uncalibrated": self.uncalibrated,
        }
        is_given = only_one(ways, f"{self.name}: ")
        if self.range is not None and not (self.range > 0 and math.isfinite(self.range)):
            raise UsageError(f"{self.name}: range={self.range:g}; expected a positive number")
        for function in functions_to_convert(op):
            choice.check_names(function)
            sites = find_sites(function)
            if sites and not is_given:
                raise UsageError(_refusal(self.name, choice, function, sites))
            frames = None
            if self.data is not None:
                frames = load_frames(function, self.name, self.data, self.limit)
            quantize_activations(function, choice, frames, self.range)


def quantize_activations(
    function: FuncOp,
    choice: ActivationChoice,
    frames: Array | None,
    largest: float | None = None,
    progress: Progress | None = None,
) -> None:
    """Insert quantizers with ranges from `frames`, else from `largest`, else from random inputs."""
    exceptions = choice.check_names(function)
    sites = find_sites(function)
    bits = [choice.bits_of(site, exceptions) for site in sites]
    if frames is None and largest is not None:
        insert(choose_by_range(sites, bits, largest))
    elif sites:
        observed = frames is not None
        if frames is None:
            frames = random_frames(function)
        values = [value for site in sites for value in site.values]
        found = iter(samples(function, values, frames, progress))
        parts = [[next(found) for _ in site.values] for site in sites]
        insert(choose(choice, sites, bits, parts, observed))
    move_scales_behind_sums(function)


def _refusal(name: str, choice: ActivationChoice, function: FuncOp, sites: list[Site]) -> str:
    """What would be done, why it is not, and what would be right."""
    exceptions = choice.check_names(function)
    bits = sorted({choice.bits_of(site, exceptions) for site in sites})
    count = sum(len(site.values) for site in sites)
    plural = "" if count == 1 else "s"
    widths = " or ".join(map(str, bits))
    return (
        f"{name}: {count} activation{plural} would be rounded to {widths} bits, but without "
        "calibration data nothing tells how large they get: a wrong range destroys the network\n"
        'give data="calib.npz" (inputs as x), or range=NUMBER for all of them, or '
        "uncalibrated=true to take the ranges from random inputs"
    )
