"""Choosing PE and SIMD: the smallest units that keep up with a number of cycles a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.rewriter import Rewriter

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.lanes import folded_cycles, possible_foldings
from irc.passes.hardware.surroundings import surrounding_area

DEFAULT_AREA = 1320
"""Look-up tables, by the rough count of `folded_area`, that a design takes by default, beside
what windows, padding and pools take however little is folded: a quarter of the 5,280 of an iCE40
UP5K, for memories of weights, FIFOs and what the count misses come on top."""


class FoldingTable:
    """The foldings of one node that matter: for each number of cycles the smallest."""

    def __init__(self, node: FoldedNode) -> None:
        around = {folding: surrounding_area(node, folding) for folding in possible_foldings(node)}
        ranked = sorted(
            (
                _Choice(folded_cycles(node, folding), node.folded_area(folding) + area, folding)
                for folding, area in around.items()
            ),
            key=lambda choice: choice.rank,
        )
        self.overhead = min(around.values())
        """What windows, padding and pools around the node take at the least."""
        self._kept: list[_Choice] = []
        for entry in ranked:
            if not self._kept or entry.area < self._kept[-1].area:
                self._kept.append(entry)

    @property
    def cycles(self) -> list[int]:
        """The numbers of cycles that the kept foldings take, ascending."""
        return [entry.cycles for entry in self._kept]

    def _best(self, target: int) -> _Choice:
        """The smallest entry within `target` cycles; the fastest where none is."""
        within = [entry for entry in self._kept if entry.cycles <= target]
        return within[-1] if within else self._kept[0]

    def area(self, target: int) -> int:
        """What the best folding for `target` cycles takes."""
        return self._best(target).area

    def folding(self, target: int) -> Folding:
        """The smallest folding within `target` cycles; the fastest where none is."""
        return self._best(target).folding


@dataclass(frozen=True)
class _Choice:
    """A folding, and what it costs."""

    cycles: int
    area: int
    folding: Folding

    @property
    def rank(self) -> tuple[int, ...]:
        """Faster ones first, of these smaller ones."""
        return self.cycles, self.area, self.folding.pe, self.folding.simd


def balanced_target(tables: Sequence[FoldingTable], area: int | None = None) -> int:
    """The fewest cycles a frame for which all nodes together, and what stands around them, take
    at most `area`; by default `DEFAULT_AREA` beside the least that the latter can take.

    Where even the slowest design takes more, its number of cycles.
    """
    if area is None:
        area = DEFAULT_AREA + sum(table.overhead for table in tables)
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
    lanes = dataflow.stream_type(output).with_lanes(folding.pe * folding.mmv)
    Rewriter.replace_value_with_new_type(output, lanes).name_hint = hint
