"""How many lanes streams have, once it is known how the layers are folded.

What is not folded follows the layers around it: it takes the fewest lanes at which it slows none
of them down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.design import Design
from irc.passes.hardware.window_folding import (
    fit_window,
    lanes_for,
    window_before,
    window_folding,
)


def spread_lanes(design: Design) -> None:
    """Give streams that no layer produces the lanes of their surroundings.

    The stream into the hardware takes the lanes that the first layers want, a reshape or a fork
    those of what it gets, a window those of the layer behind it, padding and pools those of the
    layer before them. Sums and the like take the lanes of a neighbour. All of them take more
    lanes where they would otherwise be slower than the slowest layer.
    """
    budget = _slowest(design)
    _set_lanes(design.entry, _entry_lanes(design, budget))
    for op in design.function.body.block.ops:
        match op:
            case dataflow.ReshapeOp() | dataflow.ForkOp():
                _set_lanes(op, _lanes(op.input))
            case dataflow.WindowOp() if isinstance(layer := _reader(op), dataflow.MvuOp):
                fit_window(op, layer)
            case dataflow.WindowOp():
                _set_lanes(op, _window_lanes(op, _lanes(op.input)))
            case dataflow.PadOp() if (pixels := _pixels_behind(op)) > 1:
                _set_lanes(op, pixels * _channels(op))
            case dataflow.SpatialNode():
                wanted = max(_lanes(op.input), _lanes_in_time(op, budget))
                _set_lanes(op, lanes_for(_channels(op), wanted))
            case dataflow.BranchNode():
                _set_lanes(op, _branch_lanes(op, budget))
            case _:
                pass


def _slowest(design: Design) -> int:
    """Cycles a frame of the slowest layer; without layers, what a lane takes for the input."""
    cycles = [folded_cycles(layer, layer.folding) for layer in design.layers]
    return max(cycles, default=design.source.elements)


def _lanes_in_time(op: Operation, budget: int) -> int:
    """The lanes that every stream of a unit needs to pass a frame within `budget` cycles."""
    streams = (dataflow.stream_type(value) for value in (*op.operands, *op.results))
    return max(-(-stream.elements // budget) for stream in streams)


def _branch_lanes(op: dataflow.BranchNode, budget: int) -> int:
    """The fewest lanes of a neighbour that are possible and enough; if none, the fewest."""
    needed, choices = _lanes_in_time(op, budget), op.lane_choices()
    enough = [lanes for lanes in choices if lanes >= needed] or choices[-1:]
    reader = _reader(op)
    given = {_lanes(value) for value in op.operands}
    if isinstance(reader, FoldedNode):
        given.add(reader.input_lanes())
    return min(given.intersection(enough), default=enough[0])


def possible_foldings(node: FoldedNode) -> Iterator[Folding]:
    """Every folding of a node, in its current memory.

    Behind a window, SIMD divides the channels of a group or is a multiple of them: anything else
    would need buffers to change the width of the stream. Several vectors at once come last, where
    PE and SIMD can grow no more.
    """
    window = window_before(node)
    for pe in node.pe_choices():
        for simd in node.simd_choices() or [1]:
            if window is not None and isinstance(node, dataflow.MvuOp):
                channels = dataflow.stream_type(window.input).channels // node.groups
                if channels % simd and simd % channels:
                    continue
            folding = replace(node.folding, pe=pe, simd=simd, mmv=1)
            if node.unfit(folding) is None:
                yield folding
    largest = [max(choices, default=1) for choices in (node.pe_choices(), node.simd_choices())]
    for mmv in node.mmv_choices()[1:]:
        yield replace(node.folding, pe=largest[0], simd=largest[1], mmv=mmv)


def folded_cycles(node: FoldedNode, folding: Folding) -> int:
    """Cycles a frame of a node under a folding, or of the window before it, if that is slower."""
    window = window_before(node)
    cycles = node.folded_cycles(folding)
    if window is None:
        return cycles
    return max(cycles, window_folding(window, node, folding).cycles)


def fewest_cycles(op: Operation) -> int:
    """Cycles a frame of a unit that no layer folds, at the most lanes that it can have: pools,
    sums and the like. 0 for layers and what follows their folding."""
    match op:
        case dataflow.WindowOp() if isinstance(_reader(op), dataflow.MvuOp):
            return 0
        case dataflow.PadOp() if isinstance(window := _reader(op), dataflow.WindowOp):
            is_for_layer = isinstance(_reader(window), dataflow.MvuOp)
            lanes = _channels(op) * (op.pixel_choices()[-1] if is_for_layer else 1)
        case dataflow.SpatialNode():
            lanes = _channels(op)
        case dataflow.BranchNode():
            lanes = op.lane_choices()[-1]
        case _:
            return 0
    streams = (dataflow.stream_type(value) for value in (*op.operands, *op.results))
    return max(stream.elements // lanes for stream in streams)


def _channels(op: dataflow.SpatialNode) -> int:
    """What the lanes divide: the channels, of one group where there are several."""
    groups = op.groups if isinstance(op, dataflow.WindowOp) else 1
    return dataflow.stream_type(op.input).channels // groups


def _reader(op: Operation) -> Operation:
    return _reader_of(op.results[0])


def _reader_of(value: SSAValue) -> Operation:
    reader = value.get_user_of_unique_use()
    assert reader is not None
    return reader


def _lanes(value: SSAValue) -> int:
    return dataflow.stream_type(value).lanes


def _window_lanes(window: dataflow.WindowOp, before: int) -> int:
    """The lanes of a window: for a layer its SIMD, for a pool what keeps up with the input."""
    reader = _reader(window)
    if isinstance(reader, FoldedNode):
        return lanes_for(_channels(window), reader.input_lanes())
    taken = dataflow.stream_type(window.input).elements
    given = dataflow.stream_type(window.output).elements
    return lanes_for(_channels(window), -(-given * before // taken))


def _entry_lanes(design: Design, budget: int) -> int:
    """What the first layers want, or the windows before them, as far as the channels allow."""
    value = design.entry.output
    wanted = max(_wanted_lanes(value, {}), -(-design.source.elements // budget))
    source = design.source
    first = list(_first_units(value))
    # Windows and padding may take several pixels at once, nothing else does.
    whole_pixels = wanted % source.channels == source.elements % wanted == 0
    if whole_pixels and all(isinstance(op, dataflow.WindowOp | dataflow.PadOp) for op in first):
        return wanted
    by_channels = any(isinstance(op, dataflow.SpatialNode) for op in first)
    return lanes_for(source.channels if by_channels else source.elements, wanted)


def _first_units(value: SSAValue) -> Iterator[Operation]:
    """What reads a stream, behind forks."""
    reader = _reader_of(value)
    if isinstance(reader, dataflow.ForkOp):
        for output in reader.outputs:
            yield from _first_units(output)
    else:
        yield reader


def _pixels_behind(pad: dataflow.PadOp) -> int:
    """How many pixels a beat padding takes: as many as the windows behind it, if that fits."""
    window = _reader(pad)
    if not isinstance(window, dataflow.WindowOp):
        return 1
    layer = _reader(window)
    if not isinstance(layer, dataflow.MvuOp):
        return 1
    wanted = window_folding(window, layer, layer.folding).pixels
    return max(pixels for pixels in pad.pixel_choices() if pixels <= wanted)


def _wanted_lanes(value: SSAValue, known: dict[Operation, int]) -> int:
    """The most lanes that one of the first layers or windows behind a stream takes."""
    reader = _reader_of(value)
    if reader not in known:
        match reader:
            case FoldedNode():
                known[reader] = reader.input_lanes()
            case dataflow.WindowOp() if isinstance(layer := _reader(reader), dataflow.MvuOp):
                chosen = window_folding(reader, layer, layer.folding)
                known[reader] = chosen.lanes * chosen.pixels
            case dataflow.WindowOp():
                known[reader] = _window_lanes(reader, 1)
            case dataflow.PadOp() if (pixels := _pixels_behind(reader)) > 1:
                known[reader] = pixels * _channels(reader)
            case dataflow.FromStreamOp():
                known[reader] = 1
            case _:
                known[reader] = max(_wanted_lanes(result, known) for result in reader.results)
    return known[reader]


def _set_lanes(op: Operation, lanes: int) -> None:
    for output in list(op.results):
        hint = output.name_hint
        wanted = dataflow.stream_type(output).with_lanes(lanes)
        Rewriter.replace_value_with_new_type(output, wanted).name_hint = hint
