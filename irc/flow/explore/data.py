"""What was collected of a model as the data that the page draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.backends.explore.layout import layered
from irc.flow.explore.diff import changes
from irc.flow.explore.exploration import Exploration, Level
from irc.flow.explore.graphs import Graph, GraphNode
from irc.flow.explore.outputs import File
from irc.flow.explore.stages import Stage
from irc.flow.explore.thresholds import Layer

Array = npt.NDArray[Any]

MOST_THRESHOLDS = 20_000
"""Thresholds of one layer that the page gets; of layers with more, the channels that come first."""

MOST_AMBIGUOUS = 1_000
"""Ambiguous intervals of one layer that the page gets."""

LETTER = 7.0
"""Width of a letter in the graph; what is longer than a node is cut there, with the whole in its
tooltip."""

NODE_WIDTHS = (132.0, 264.0)
NODE_HEIGHT, SMALL_HEIGHT = 46.0, 24.0

TARGET_NAMES = {"verilog": "Verilog", "c": "C"}


def page_data(found: Exploration) -> dict[str, Any]:
    """Everything that the page shows, as JSON's types."""
    ladder = found.ladder
    origins = ladder.origins
    numbers: dict[str, int] = {}
    stages = [_stage(stage, ladder.stages, numbers) for stage in ladder.stages]
    last = {stage.level: number for number, stage in enumerate(ladder.stages)}
    return {
        "name": ladder.name,
        "file": Path(ladder.path).name,
        "provenance": found.provenance,
        "facts": [list(fact) for fact in found.facts],
        "problems": {TARGET_NAMES[name]: text for name, text in found.problems.items()},
        "nodes": [[node.name, node.operator, node.result] for node in origins.nodes],
        "lines": list(numbers),
        "stages": stages,
        "levels": [_level(level, last[level.name]) for level in found.levels],
        "thresholds": [_thresholds(layer, origins.of(layer.location)) for layer in found.layers],
        "outputs": [
            {"name": TARGET_NAMES[name], "files": [_file(file) for file in files]}
            for name, files in found.outputs.items()
        ],
        # At the end, for only now all sets are known.
        "sets": [list(nodes) for nodes in origins.sets],
    }


def _stage(stage: Stage, stages: Sequence[Stage], numbers: dict[str, int]) -> dict[str, Any]:
    lines = [numbers.setdefault(line, len(numbers)) for line in stage.text.lines]
    hunks: list[tuple[int, int, int, int]] = []
    if stage.before is not None:
        before = [numbers[line] for line in stages[stage.before].text.lines]
        hunks = changes(before, lines)
    return {
        "level": stage.level,
        "spec": stage.spec,
        "why": stage.why,
        "operations": stage.operations,
        "before": stage.before,
        "lines": lines,
        "sets": _runs(stage.text.origins),
        "hunks": hunks,
    }


def _runs(numbers: Sequence[int]) -> list[int]:
    """Equal neighbours together: `[count, number, count, number, …]`."""
    return [x for number, run in groupby(numbers) for x in (len(list(run)), number)]


def _level(level: Level, stage: int) -> dict[str, Any]:
    columns = [
        {
            "key": column.key,
            "title": column.title,
            "unit": column.unit,
            "about": column.about,
            "together": column.together,
            "total": column.total,
            "limit": column.limit,
            "values": column.values,
        }
        for column in level.columns
        if any(column.values)
    ]
    arena = {"size": level.arena_bytes, "buffers": [asdict(buffer) for buffer in level.arena]}
    return {
        "name": level.name,
        "stage": stage,
        "columns": columns,
        "arena": arena if level.arena else None,
        **_graph(level.graph),
    }


def _graph(graph: Graph) -> dict[str, Any]:
    sizes = [_size(node) for node in graph.nodes]
    layout = layered(sizes, graph.edges)
    return {
        "nodes": [
            {
                "name": node.name,
                "kind": node.kind,
                "detail": node.detail,
                "set": node.origin,
                "small": node.small,
                "place": [*place, *size],
            }
            for node, place, size in zip(graph.nodes, layout.places, sizes, strict=True)
        ],
        "edges": [
            {"ends": ends, "type": text, "route": route}
            for ends, text, route in zip(graph.edges, graph.types, layout.routes, strict=True)
        ],
        "size": [layout.width, layout.height],
    }


def _size(node: GraphNode) -> tuple[float, float]:
    kind = node.kind.rpartition(".")[2]
    text = kind if node.small else max(node.name, f"{kind} · {node.detail}", key=len)
    letters = len(text) + (3 if node.small else 2)
    low, high = NODE_WIDTHS
    width = min(max(letters * LETTER, 72.0 if node.small else low), high)
    return width, SMALL_HEIGHT if node.small else NODE_HEIGHT


def _file(file: File) -> dict[str, Any]:
    return {
        "name": file.name,
        "text": "\n".join(file.text.lines),
        "sets": _runs(file.text.origins),
        "set": file.origin,
        "skipped": file.skipped,
    }


def _thresholds(layer: Layer, number: int) -> dict[str, Any]:
    """One row a channel: what is reachable, the thresholds that decide, each with its place and
    headroom, whose infinities are null."""
    channels = len(layer.full.low)
    columns = max(1, int(layer.real.sum(axis=1).max(initial=1)))
    shown = min(channels, max(1, MOST_THRESHOLDS // columns))
    rows: list[dict[str, Any]] = []
    for c in range(shown):
        which = np.flatnonzero(layer.real[c])
        # Two codes that are passed together are one decision, with the lesser headroom.
        at, first = np.unique(layer.at[c, which], return_index=True)
        row: dict[str, Any] = {"at": at.tolist()}
        if layer.headroom is not None and layer.place is not None:
            rooms, places = layer.headroom[c, which], layer.place[c, which]
            least = [float(rooms[layer.at[c, which] == t].min()) for t in at]
            row["room"] = [_significant(room) for room in least]
            row["place"] = [round(float(place), 3) for place in places[first]]
        rows.append(row)
    room = None if layer.headroom is None else layer.headroom[layer.real]
    return {
        "name": layer.name,
        "set": number,
        "codes": layer.codes,
        "functions": layer.functions,
        "channels": channels,
        "low": layer.full.low[:shown].tolist(),
        "high": layer.full.high[:shown].tolist(),
        "step": layer.full.step[:shown].tolist(),
        "rows": rows,
        "count": len(set(zip(*np.nonzero(layer.real)[:1], layer.at[layer.real], strict=True))),
        "least": None if room is None or not room.size else _significant(float(room.min())),
        "searched": layer.headroom is not None,
        "reproducible": layer.is_reproducible,
        "ambiguous": [list(entry) for entry in layer.ambiguous[:MOST_AMBIGUOUS]],
        "doubts": len(layer.ambiguous),
    }


def _significant(value: float) -> float | None:
    """Three digits; None for infinity, which JSON has no word for."""
    return float(f"{value:.3g}") if math.isfinite(value) else None
