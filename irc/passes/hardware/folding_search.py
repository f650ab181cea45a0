"""Choosing PE and SIMD: the smallest units that keep up with a number of cycles a frame."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.rewriter import Rewriter

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.lanes import folded_cycles, possible_foldings

DEFAULT_AREA = 1200
"""Look-up tables, by the rough count of `folded_area`, that a design takes by default. The
smallest FPGAs have five times as many."""


class FoldingTable:
    """The foldings of one node that matter: for each number of cycles the smallest."""

    def __init__(self, node: FoldedNode) -> None:
        ranked = sorted(
            (folded_cycles(node, folding), node.folded_area(folding), folding.pe, folding.simd)
            for folding in possible_foldings(node)
        )
        self._node = node
        self._kept: list[tuple[int, int, int, int]] = []
        for entry in ranked:
            if not self._kept or entry[1] < self._kept[-1][1]:
                self._kept.append(entry)

    @property
    def cycles(self) -> list[int]:
        """The numbers of cycles that the kept foldings take, ascending."""
        return [entry[0] for entry in self._kept]

    def _best(self, target: int) -> tuple[int, int, int, int]:
        """The smallest entry within `target` cycles; the fastest where none is."""
        within = [entry for entry in self._kept if entry[0] <= target]
        return within[-1] if within else self._kept[0]

    def area(self, target: int) -> int:
        """What the best folding for `target` cycles takes."""
        return self._best(target)[1]

    def folding(self, target: int) -> Folding:
        """The smallest folding within `target` cycles; the fastest where none is."""
        _, _, pe, simd = self._best(target)
        return Folding(pe, simd, self._node.folding.memory)


def balanced_target(tables: Sequence[FoldingTable], area: int = DEFAULT_AREA) -> int:
    """The fewest cycles a frame for which all nodes together take at most `area`.

    Where even the slowest design takes more, its number of cycles.
    """
    candidates = sorted({cycles for table in tables for cycles in table.cycles})
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        if sum(table.area(candidates[middle]) for table in tables) <= area:
            high = middle
        else:
            low = middle + 1
    return candidates[low]


def refold(node: FoldedNode, folding: Folding) -> None:
    """Fold a node, and give its output stream the lanes that follow."""
    node.set_folding(folding)
    output = node.results[0]
    hint = output.name_hint
    lanes = dataflow.stream_type(output).with_lanes(folding.pe)
    Rewriter.replace_value_with_new_type(output, lanes).name_hint = hint
