"""What a design takes once its folding is carried out."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.dialects.dataflow import Folding
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.folding_solver import Cost
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters
from irc.passes.hardware.lanes import spread_lanes
from irc.passes.hardware.resource_model.estimate import estimate_design


def built_cost(design: Design, foldings: Sequence[Folding], family: str) -> Cost:
    """The estimate of a design under a folding, width converters and FIFOs included."""
    copy = built(design, foldings)
    _, total = estimate_design(copy, family)
    return Cost(total.luts, total.block_rams, total.dsps)


def built(design: Design, foldings: Sequence[Folding]) -> Design:
    """A copy of a design, folded, with width converters and FIFOs."""
    module = ModuleOp([design.function.clone()])
    copy = design_of(module)
    for layer, folding in zip(copy.layers, foldings, strict=True):
        refold(layer, folding)
    spread_lanes(copy)
    InsertWidthConverters().apply(Context(), module)
    InsertFifos().apply(Context(), module)
    return design_of(module)
