"""Choose the grid and step of every site, and put quantizers there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.errors import UsageError
from irc.passes.quantize.activation_scales import (
    METHODS,
    Grid,
    best_step,
    mantissa_of,
    percentile_step,
    step_above,
)
from irc.passes.quantize.activation_sites import Site
from irc.passes.quantize.calibration import Sample
from irc.passes.quantize.layer_choice import (
    MAX_BITS,
    Weighted,
    check_bits,
    layers_named,
    layers_of,
)
from irc.passes.streamline.recognize_quantizers import interval_of

Array = npt.NDArray[Any]

EXTRA_BITS_OF_SUMS = 2
"""What is only added keeps this many bits more than what layers read."""


@dataclass(frozen=True)
class ActivationChoice:
    """How many bits activations get, and how their step is chosen.

    `inputs` is for what follows from an input without a layer in between, `sums` for the operands
    of additions that no layer reads. `exceptions` are the bits of what a layer reads, by its name.
    """

    bits: int = 8
    method: str = "mse"
    percentile: float = 99.99
    inputs: int = 8
    sums: int | None = None
    exceptions: dict[str, int] = field(default_factory=dict[str, int])
    where: str = "quantize-activations"

    def __post_init__(self) -> None:
        for option, bits in (("bits", self.bits), ("inputs", self.inputs), ("sums", self.sums)):
            if bits is not None:
                check_bits(bits, f"{self.where}: {option}")
        if self.method not in METHODS:
            raise UsageError(
                f"{self.where}: unknown method '{self.method}'; expected {', '.join(METHODS)}"
            )
        if not 50 < self.percentile <= 100:
            raise UsageError(
                f"{self.where}: percentile={self.percentile:g}; expected more than 50, at most 100"
            )

    def check_names(self, function: FuncOp) -> dict[Weighted, int]:
        """The exceptions by layer; raises `UsageError` for names that no layer has."""
        named = layers_named(layers_of(function), self.exceptions, self.where)
        return {layer.op: self.exceptions[layer.name] for layer in named}

    def bits_of(self, site: Site, exceptions: dict[Weighted, int]) -> int:
        """How many bits the values of a site get."""
        asked = [exceptions[layer] for layer in site.layers if layer in exceptions]
        if asked:
            return max(asked)
        if site.is_input:
            return self.inputs
        if site.is_only_added:
            return self.sums or min(MAX_BITS, self.bits + EXTRA_BITS_OF_SUMS)
        return self.bits

    def step(self, sample: Array, grid: Grid, mantissa: int | None) -> float:
        """The step of a grid for a sample of values."""
        if grid.is_bipolar:
            return step_above(float(np.abs(sample).mean()), mantissa)
        if self.method == "mse":
            return best_step(sample, grid, mantissa)
        if self.method == "percentile":
            return percentile_step(sample, grid, self.percentile, mantissa)
        return step_above(grid.step_for(float(sample.min()), float(sample.max())), mantissa)


@dataclass(frozen=True)
class Chosen:
    """A site with its grid and step."""

    site: Site
    grid: Grid
    step: float


def choose(
    choice: ActivationChoice,
    sites: Sequence[Site],
    bits: Sequence[int],
    samples: Sequence[Sequence[Sample]],
    observed: bool,
) -> list[Chosen]:
    """Grid and step of every site from the samples of its values.

    Values that are never negative get a grid without a sign; whether that shows on the samples
    counts only where they were `observed` on real data. The steps of sites that are added to each
    other differ by a power of two, so that float32 adds without rounding, and hardware by shifts.
    """
    found: dict[Site, Chosen] = {}
    mantissas: dict[Site, int] = {}
    # Where the fewest bits are, the step matters most: there it is free.
    for index in sorted(range(len(sites)), key=lambda i: bits[i]):
        site, parts = sites[index], samples[index]
        is_positive = all(interval_of(value).low >= 0 for value in site.values) or (
            observed and min(part.low for part in parts) >= 0
        )
        grid = Grid(bits[index], not is_positive)
        values = np.concatenate(
            [np.append(part.elements, [part.low, part.high]) for part in parts]
            if choice.method == "max"
            else [part.elements for part in parts]
        )
        step = choice.step(values, grid, mantissas.get(site))
        found[site] = Chosen(site, grid, step)
        if site not in mantissas:
            _share(site, mantissa_of(step), mantissas)
    return [found[site] for site in sites]


def choose_by_range(sites: Sequence[Site], bits: Sequence[int], largest: float) -> list[Chosen]:
    """The same where values are known to stay within ±`largest`."""
    found: list[Chosen] = []
    for site, width in zip(sites, bits, strict=True):
        is_positive = all(interval_of(value).low >= 0 for value in site.values)
        grid = Grid(width, not is_positive)
        # What is added needs steps that differ by a power of two; a range is as good as another.
        needed = largest / 2 ** (width - (1 if grid.signed and width > 1 else 0))
        found.append(Chosen(site, grid, step_above(needed)))
    return found


def _share(site: Site, mantissa: int, mantissas: dict[Site, int]) -> None:
    pending = [site]
    while pending:
        site = pending.pop()
        if site not in mantissas:
            mantissas[site] = mantissa
            pending += site.added_to


def insert(chosen: Sequence[Chosen]) -> None:
    """Quantize every value of the sites, for all that read it: `x ≈ step · round(x / step)`."""
    for one in chosen:
        for value in one.site.values:
            _insert(value, one.grid, one.step)


def _insert(value: SSAValue, grid: Grid, step: float) -> None:
    uses = list(value.uses)
    constant = bnn.DenseAttr.from_floats(np.float32(step))
    new_ops: list[Operation] = []
    if grid.is_bipolar:
        new_ops.append(bnn.QuantizeOp("bipolar", value, bnn.bipolar))
    else:
        divided = bnn.EwiseOp("div", value, constant)
        kind = bnn.sint(grid.bits) if grid.signed else bnn.uint(grid.bits)
        new_ops += [divided, bnn.QuantizeOp("half_even", divided.output, kind)]
    new_ops.append(bnn.CastOp(new_ops[-1].results[0]))
    new_ops.append(bnn.EwiseOp("mul", new_ops[-1].results[0], constant))
    owner = value.owner
    if isinstance(owner, Block):
        where = InsertPoint.at_start(owner)
    else:
        where = InsertPoint.after(owner)
        for new_op in new_ops:
            new_op.location = owner.location
    Rewriter.insert_op(new_ops, where)
    for use in uses:
        use.operation.operands[use.index] = new_ops[-1].results[0]
