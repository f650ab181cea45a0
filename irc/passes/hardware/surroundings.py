"""What a layer's folding costs beside the layer: padding, windows and pools that follow it."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.window_folding import lanes_for, window_before, window_folding


def surrounding_area(node: FoldedNode, folding: Folding) -> int:
    """Look-up tables, roughly, of the units that take their lanes from a layer: the windows before
    it; padding and pools behind it; and before it those that the host feeds."""
    luts = 0
    window = window_before(node)
    if window is not None and isinstance(node, dataflow.MvuOp):
        wanted = window_folding(window, node, folding)
        luts += window.folded_resources(
            wanted.lanes, wanted.groups, wanted.taps, wanted.mmv, wanted.pixels
        ).luts
    for unit in _behind(node):
        luts += _area(unit, folding.pe)
    for unit in _fed_by_host(window or node):
        luts += _area(unit, folding.simd)
    return luts


def _area(unit: dataflow.SpatialNode, wanted: int) -> int:
    channels = dataflow.stream_type(unit.input).channels
    return unit.resources_at(lanes_for(channels, wanted)).luts


def _behind(node: FoldedNode) -> Iterator[dataflow.SpatialNode]:
    """Padding and pools, with their windows, up to the next layer or branch."""
    op: Operation | None = node.results[0].get_user_of_unique_use()
    while isinstance(op, dataflow.SpatialNode | dataflow.ReshapeOp):
        reader = op.output.get_user_of_unique_use()
        if isinstance(op, dataflow.WindowOp) and isinstance(reader, FoldedNode):
            return
        if isinstance(op, dataflow.SpatialNode):
            yield op
        op = reader


def _fed_by_host(op: Operation) -> list[dataflow.SpatialNode]:
    """Padding and pools between the entry and a unit; none where a layer lies between."""
    found: list[dataflow.SpatialNode] = []
    source = op.operands[0].owner
    while isinstance(source, dataflow.SpatialNode | dataflow.ReshapeOp):
        if isinstance(source, dataflow.SpatialNode):
            found.append(source)
        source = source.input.owner
    return found if isinstance(source, dataflow.ToStreamOp) else []
