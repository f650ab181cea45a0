"""Fold layers as a folding file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.dialects.dataflow import Folding
from irc.errors import IrcError
from irc.passes.hardware.design import LIMIT, Design, design_of
from irc.passes.hardware.folding_file import apply_folding, read_folding
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.lanes import spread_lanes
from irc.passes.rewriting import functions_of

SPRAM_DEVICE = "up5k"
"""The only device with large single-ported RAM."""


@dataclass(frozen=True)
class SetFolding(ModulePass):
    """Apply a folding file: file="net.fold". Layers that it does not mention stay as they are.

    A layer has `pe` and `simd`; `mmv`, the neighbouring pixels that it works on at once, where `pe`
    is all its rows; `memory`, which is `auto`, `block`, `distributed`, `logic` or, for weights that
    are loaded at run time, `spram`; `products`, which is `auto`, `planes` or `multiply`; and
    `stages`, the registers that products and their sum pass on the way to the accumulator.
    Without a file, nothing changes.
    """

    name = "set-folding"

    file: str | None = None
    """Path of the folding file."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.file is None:
            return
        text = read_folding(self.file)
        for function in functions_of(op):
            design = design_of(function)
            function.attributes.pop(LIMIT, None)
            foldings = apply_folding(text, self.file, design.layers)
            _check_spram(design, foldings)
            for layer in design.layers:
                if layer.layer_name in foldings:
                    refold(layer, foldings[layer.layer_name])
            spread_lanes(design)


def _check_spram(design: Design, foldings: Mapping[str, Folding]) -> None:
    """Demand a device that has large single-ported RAM where a folding uses it."""
    users = [name for name, folding in foldings.items() if folding.memory == "spram"]
    if users and design.device not in (None, SPRAM_DEVICE):
        raise IrcError(
            f"layer '{users[0]}': memory = spram is in {SPRAM_DEVICE} only, not in {design.device}"
        )
