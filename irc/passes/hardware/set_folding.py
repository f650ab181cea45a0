"""Fold layers as a folding file says."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.passes.hardware.design import design_of
from irc.passes.hardware.folding_file import apply_folding, read_folding
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.lanes import spread_lanes
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class SetFolding(ModulePass):
    """Apply a folding file: file="net.fold". Layers that it does not mention stay as they are.

    A layer has `pe` and `simd`; `mmv`, the neighbouring pixels that it works on at once, where `pe`
    is all its rows; `memory`, which is `auto`, `block` or `distributed`; and `products`, which is
    `auto`, `planes` or `multiply`. Without a file, nothing changes.
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
            foldings = apply_folding(text, self.file, design.layers)
            for layer in design.layers:
                if layer.layer_name in foldings:
                    refold(layer, foldings[layer.layer_name])
            spread_lanes(design)
