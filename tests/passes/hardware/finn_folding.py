"""FINN's way of choosing a folding, for comparison.

After `finn/transformation/fpgadataflow/set_folding.py` (FINN 0.10, BSD-3-Clause): a layer starts
with PE = SIMD = 1; SIMD grows through its divisors until the target is met or a word of weights
becomes too wide, then PE does. What the slowest layer then takes is the target of a second pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.lanes import folded_cycles, possible_foldings

WIDEST_WEIGHTS = 36
"""Bits of a word of weights of one PE beyond which FINN increases SIMD no further."""


def finn_folding(
    layers: Sequence[FoldedNode], target: int, widest: int | None = WIDEST_WEIGHTS
) -> list[Folding]:
    """The foldings that FINN's heuristic gives for a number of cycles a frame."""
    first = [_fold(layer, target, widest) for layer in layers]
    reached = max(folded_cycles(n, f) for n, f in zip(layers, first, strict=True))
    return [_fold(layer, max(target, reached), widest) for layer in layers]


def _fold(layer: FoldedNode, target: int, widest: int | None) -> Folding:
    possible = {(f.pe, f.simd): f for f in possible_foldings(layer) if f.mmv == 1}
    start = min(possible.values(), key=lambda f: (f.pe, f.simd))
    bits = 1
    if isinstance(layer, dataflow.MvuOp):
        bits = layer.weight_bits() // layer.weights.size
    best = start
    for simd in layer.simd_choices():
        folding = possible.get((start.pe, simd))
        if folding is None:
            continue
        if widest is not None and simd * bits > widest and best != start:
            break
        best = folding
        if folded_cycles(layer, best) <= target:
            return best
    for pe in layer.pe_choices():
        folding = possible.get((pe, best.simd))
        if folding is None:
            continue
        best = replace(folding, simd=best.simd)
        if folded_cycles(layer, best) <= target:
            return best
    return best
