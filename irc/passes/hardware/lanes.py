"""How many lanes streams have, once it is known how the layers are folded.

Padding, windows and pools follow the layers around them: they take the fewest lanes at which they
do not slow these down.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation
from xdsl.rewriter import Rewriter

from irc.dialects import dataflow
from irc.dialects.dataflow import DataflowNode, FoldedNode, Folding
from irc.passes.hardware.design import Design


def spread_lanes(design: Design) -> None:
    """Give streams that no layer produces the lanes of their surroundings.

    The stream into the hardware takes the lanes that the first layer wants, a reshape those of
    what it reshapes, a window those of the layer behind it, padding and pools those of the layer
    before them.
    """
    _set_lanes(design.entry, _entry_lanes(design))
    op: Operation = design.entry
    while not isinstance(op, dataflow.FromStreamOp):
        if op is not design.entry:
            before = dataflow.stream_type(op.operands[0]).lanes
            match op:
                case dataflow.ReshapeOp():
                    _set_lanes(op, before)
                case dataflow.WindowOp():
                    _set_lanes(op, _window_lanes(op, before))
                case dataflow.SpatialNode():
                    _set_lanes(op, lanes_for(_channels(op), before))
                case _:
                    pass
        op = _reader(op)


def lanes_for(channels: int, wanted: int) -> int:
    """The fewest lanes that divide the channels and are as many as wanted; all if none are."""
    return next(lanes for lanes in dataflow.divisors(channels) if lanes >= min(wanted, channels))


def possible_foldings(node: FoldedNode) -> Iterator[Folding]:
    """Every folding of a node, in its current memory.

    Behind a window, SIMD divides the channels or is a multiple of them: anything else would need
    buffers to change the width of the stream.
    """
    window = _window_before(node)
    for pe in node.pe_choices():
        for simd in node.simd_choices() or [1]:
            if window is not None:
                channels = _channels(window)
                if channels % simd and simd % channels:
                    continue
            yield Folding(pe, simd, node.folding.memory)


def folded_cycles(node: FoldedNode, folding: Folding) -> int:
    """Cycles a frame of a node under a folding, or of the window before it, if that is slower."""
    window = _window_before(node)
    if window is None:
        return node.folded_cycles(folding)
    lanes = lanes_for(_channels(window), folding.simd)
    taken = dataflow.stream_type(window.input).elements
    given = dataflow.stream_type(window.output).elements
    return max(node.folded_cycles(folding), max(taken, given) // lanes)


def _window_before(node: FoldedNode) -> dataflow.WindowOp | None:
    source = node.operands[0].owner
    return source if isinstance(source, dataflow.WindowOp) else None


def _channels(op: dataflow.SpatialNode) -> int:
    """What the lanes divide: the channels, of one group where there are several."""
    groups = op.groups if isinstance(op, dataflow.WindowOp) else 1
    return dataflow.stream_type(op.input).channels // groups


def _reader(op: Operation) -> Operation:
    reader = op.results[0].get_user_of_unique_use()
    assert reader is not None
    return reader


def _window_lanes(window: dataflow.WindowOp, before: int) -> int:
    """The lanes of a window: for a layer its SIMD, for a pool what keeps up with the input."""
    reader = _reader(window)
    if isinstance(reader, FoldedNode):
        return lanes_for(_channels(window), reader.input_lanes())
    taken = dataflow.stream_type(window.input).elements
    given = dataflow.stream_type(window.output).elements
    return lanes_for(_channels(window), -(-given * before // taken))


def _entry_lanes(design: Design) -> int:
    """What the first layer wants, or the window before it, as far as the channels allow."""
    wanted = 1
    first: DataflowNode = design.units[0]
    for unit in design.units:
        if isinstance(unit, FoldedNode):
            wanted = unit.input_lanes()
            break
        if isinstance(unit, dataflow.WindowOp):
            wanted = _window_lanes(unit, 1)
            break
    return (
        lanes_for(_channels(first), wanted) if isinstance(first, dataflow.SpatialNode) else wanted
    )


def _set_lanes(op: Operation, lanes: int) -> None:
    output = op.results[0]
    hint = output.name_hint
    wanted = dataflow.stream_type(output).with_lanes(lanes)
    Rewriter.replace_value_with_new_type(output, wanted).name_hint = hint
