"""Layered layout of a directed acyclic graph, after Sugiyama, Tagawa and Toda (1981).

Nodes get ranks from top to bottom, edges over several ranks get a bend in each, the order within
ranks is swept by barycentres until edges cross as little as that finds, and places across are
those nearest to the neighbours' that keep the order (isotonic regression).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

Size = tuple[float, float]
Point = tuple[float, float]

GAP_ACROSS, GAP_DOWN = 28.0, 24.0
"""Room between neighbours in a rank, and between ranks."""

BEND_WIDTH = 10.0
"""Room that an edge takes where it passes a rank."""

SWEEPS = 24

BEND_PULL, MAIN_PULL = 8.0, 16.0
"""How much more than other edges those between bends pull at their ends, and those of the longest
way to a node: long edges and the trunk of a network are to be straight."""


@dataclass(frozen=True)
class Layout:
    """`places` are the centres of the nodes; `routes` the points of each edge, from the lower side
    of its source to the upper side of its target. `width` and `height` hold all of it."""

    places: list[Point]
    routes: list[list[Point]]
    width: float
    height: float


def layered(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay out nodes of these widths and heights. An edge leads from a node to a later one."""
    if not sizes:
        return Layout([], [], 0.0, 0.0)
    graph = _Layers(sizes, edges)
    graph.sort()
    x = graph.across()
    left = min(x[v] - graph.widths[v] / 2 for v in range(len(x)))
    tops: list[float] = []
    down = 0.0
    heights = [max((sizes[v][1] for v in rank if v < len(sizes)), default=0) for rank in graph.rows]
    for height in heights:
        tops.append(down)
        down += height + GAP_DOWN
    middle = [tops[r] + heights[r] / 2 for r in graph.ranks]
    centres = [(round(x[v] - left, 1), round(middle[v], 1)) for v in range(len(x))]
    routes: list[list[Point]] = []
    for (source, target), bends in zip(edges, graph.bends, strict=True):
        (sx, sy), (tx, ty) = centres[source], centres[target]
        first = (sx, round(sy + sizes[source][1] / 2, 1))
        last = (tx, round(ty - sizes[target][1] / 2, 1))
        routes.append([first, *(centres[v] for v in bends), last])
    width = max(x[v] + graph.widths[v] / 2 for v in range(len(x))) - left
    return Layout(centres[: len(sizes)], routes, round(width, 1), round(down - GAP_DOWN, 1))


class _Layers:
    """The graph with a bend for each rank that an edge passes; bends are numbered after nodes."""

    def __init__(self, sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> None:
        depths = _depths(len(sizes), edges)
        self.ranks = _ranks(depths, edges)
        self.main: set[tuple[int, int]] = set()
        self.widths = [width for width, _ in sizes]
        self.nodes = len(sizes)
        self.bends: list[list[int]] = []
        self.above: list[list[int]] = [[] for _ in sizes]
        self.below: list[list[int]] = [[] for _ in sizes]
        trunks: dict[int, int] = {}
        for source, target in edges:
            known = trunks.get(target)
            if known is None or depths[source] > depths[known]:
                trunks[target] = source
        for source, target in edges:
            passed: list[int] = []
            previous = source
            is_main = trunks[target] == source
            for rank in range(self.ranks[source] + 1, self.ranks[target]):
                passed.append(len(self.widths))
                self.widths.append(BEND_WIDTH)
                self.ranks.append(rank)
                self.above.append([])
                self.below.append([])
                self._join(previous, passed[-1], is_main)
                previous = passed[-1]
            self._join(previous, target, is_main)
            self.bends.append(passed)
        self.rows: list[list[int]] = [[] for _ in range(max(self.ranks) + 1)]
        for node, rank in enumerate(self.ranks):
            self.rows[rank].append(node)

    def _join(self, upper: int, lower: int, is_main: bool) -> None:
        self.below[upper].append(lower)
        self.above[lower].append(upper)
        if is_main:
            self.main.add((upper, lower))

    def _pull(self, v: int, u: int) -> float:
        """How much a neighbour u pulls at v."""
        if u >= self.nodes and v >= self.nodes:
            return BEND_PULL
        return MAIN_PULL if (min(u, v), max(u, v)) in self.main or (v, u) in self.main else 1.0

    def sort(self) -> None:
        """Order the ranks so that few edges cross."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(SWEEPS):
            if not fewest:
                break
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            place = {v: i for row in self.rows for i, v in enumerate(row)}
            for row in self.rows if down else reversed(self.rows):
                wanted = {v: _mean([place[u] for u in neighbours[v]], place[v]) for v in row}
                row.sort(key=wanted.__getitem__)
                place.update((v, i) for i, v in enumerate(row))
            found = self._crossings()
            if found < fewest:
                best, fewest = [list(row) for row in self.rows], found
        self.rows = best

    def _crossings(self) -> int:
        count = 0
        for upper, lower in zip(self.rows, self.rows[1:], strict=False):
            place = {v: i for i, v in enumerate(lower)}
            seen: list[int] = []
            for node in upper:
                ends = sorted(place[v] for v in self.below[node])
                count += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
                for end in ends:
                    insort(seen, end)
        return count

    def across(self) -> list[float]:
        """The centre of every node and bend."""
        x = [0.0] * len(self.widths)
        for row in self.rows:
            offset = -sum(self.widths[v] + GAP_ACROSS for v in row) / 2
            for v in row:
                x[v] = offset + self.widths[v] / 2
                offset += self.widths[v] + GAP_ACROSS
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            last = sweep >= SWEEPS - 8
            for row in self.rows if down else reversed(self.rows):
                self._place(row, x, both=last, down=down)
        return x

    def _place(self, row: list[int], x: list[float], *, both: bool, down: bool) -> None:
        """Put a rank as near to its neighbours above or below as its order lets it."""
        wanted: list[float] = []
        weights: list[float] = []
        room: list[float] = []
        offset = 0.0
        for i, v in enumerate(row):
            if i:
                offset += (self.widths[row[i - 1]] + self.widths[v]) / 2 + GAP_ACROSS
            room.append(offset)
            near = self.above[v] if down else self.below[v]
            if both or not near:
                near = self.above[v] + self.below[v]
            pulls = [self._pull(v, u) for u in near]
            total = sum(pulls)
            mean = sum(p * x[u] for p, u in zip(pulls, near, strict=True)) / total if near else x[v]
            wanted.append(mean - offset)
            weights.append(total or 0.1)
        for v, place, offset in zip(row, _isotonic(wanted, weights), room, strict=True):
            x[v] = place + offset


def _depths(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The number of edges on the longest way to each node."""
    depths = [0] * count
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        if not source < target:
            raise ValueError(f"edge from {source} to {target}: nodes come after what they read")
        depths[target] = max(depths[target], depths[source] + 1)
    return depths


def _ranks(depths: list[int], edges: Sequence[tuple[int, int]]) -> list[int]:
    """The rank of each node: its depth, or as far below as makes no edge longer on the whole."""
    ranks = list(depths)
    reads = [0] * len(depths)
    targets: list[list[int]] = [[] for _ in depths]
    for source, target in edges:
        reads[target] += 1
        targets[source].append(target)
    for v in reversed(range(len(depths))):
        if targets[v] and reads[v] <= len(targets[v]):
            ranks[v] = min(ranks[u] for u in targets[v]) - 1
    return ranks


def _mean(places: list[int], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _isotonic(wanted: list[float], weights: list[float]) -> list[float]:
    """The nearest values, in weighted least squares, that never fall: by pooling neighbours."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, total, count = pools.pop()
            both = total + pool[1]
            pool = ((mean * total + pool[0] * pool[1]) / both, both, count + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]
