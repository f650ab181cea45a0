"""What every other unit is made of: windows, pools, padding, joins, thresholds, plumbing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding
from irc.dialects.dataflow_plumbing import REGISTER_FIFO_BITS
from irc.dialects.dense import BipolarType, element_width
from irc.dialects.window_geometry import WindowGeometry
from irc.passes.hardware.resource_model.memories import Memory
from irc.passes.hardware.resource_model.mvu_structure import mvu_structure
from irc.passes.hardware.resource_model.structure import Structure, counter_bits


def structure_of(op: Operation) -> Structure:
    """What a unit is made of as it is folded."""
    match op:
        case dataflow.MvuOp():
            return mvu_structure(op, op.folding)
        case dataflow.ThresholdOp():
            return threshold_structure(op, op.folding)
        case dataflow.WindowOp():
            return window_structure(op, op.lanes, op.groups, op.taps, op.mmv, op.pixels)
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return pool_structure(op, op.lanes)
        case dataflow.PadOp():
            return pad_structure(op, op.lanes)
        case dataflow.UpsampleOp():
            return upsample_structure(op, op.lanes)
        case dataflow.WidthConverterOp():
            return converter_structure(
                *(dataflow.stream_type(v).beat_width for v in (op.input, op.output))
            )
        case dataflow.FifoOp():
            return fifo_structure(dataflow.stream_type(op.input).beat_width, op.depth)
        case dataflow.ForkOp():
            return Structure("fork", {"unit": 1, "readers": len(op.outputs)})
        case dataflow.AddOp():
            return _add_structure(op)
        case dataflow.ConcatOp():
            width = dataflow.stream_type(op.output).beat_width
            counts = {"unit": 1, "inputs": width * len(op.inputs), "outputs": width}
            return Structure("concat", counts | {"counters": counter_bits(*op.part_beats)})
        case dataflow.SliceOp():
            counters = counter_bits(op.input_beats)
            width = dataflow.stream_type(op.output).beat_width
            return Structure("slice", {"unit": 1, "outputs": width, "counters": counters})
        case _:
            return Structure("none")


def layer_structure(node: dataflow.FoldedNode, folding: Folding) -> Structure:
    """What a layer is made of under a folding."""
    if isinstance(node, dataflow.MvuOp):
        return mvu_structure(node, folding)
    assert isinstance(node, dataflow.ThresholdOp)
    return threshold_structure(node, folding)


def spatial_structure(op: dataflow.SpatialNode, lanes: int) -> Structure:
    """What padding, a pool or the like is made of with so many channels a beat."""
    match op:
        case dataflow.WindowOp():
            return window_structure(op, lanes, op.groups, op.taps, op.mmv, op.pixels)
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return pool_structure(op, lanes)
        case dataflow.PadOp():
            return pad_structure(op, lanes)
        case dataflow.UpsampleOp():
            return upsample_structure(op, lanes)
        case _:
            return Structure("none")


def threshold_structure(op: dataflow.ThresholdOp, folding: Folding) -> Structure:
    """Comparators and the sum of their steps, and a table of thresholds where they change."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    channels, levels = op.thresholds.shape
    folds = max(1, channels // folding.pe)
    compared = folding.pe * levels * source.element_width
    counts: dict[str, float] = {
        "unit": 1,
        "inputs": folding.pe * source.element_width,
        "outputs": folding.pe * result.element_width,
        "steps": folding.pe * levels if levels > 1 else 0,
        "compared_constants" if folds == 1 else "compared": compared,
    }
    memories: tuple[Memory, ...] = ()
    if folds > 1:
        memories = (Memory(compared, folds),)
        counts["counters"] = counter_bits(folds)
    return Structure("threshold", counts, memories)


def window_structure(
    op: dataflow.WindowOp,
    lanes: int,
    groups: int,
    taps: Sequence[int],
    mmv: int,
    pixels: int,
) -> Structure:
    """Pointers and counters; with several elements at once, a memory for each bank, an address for
    each and a choice among them for each element of the beat."""
    source = dataflow.stream_type(op.input)
    width = lanes * source.element_width
    if max(*taps, mmv, pixels) == 1:
        geometry = WindowGeometry.of(
            op.space, op.kernel, op.strides, op.dilations, source.channels // lanes, groups
        )
        counts = {
            "unit": 1,
            "pointers": counter_bits(geometry.buffer_beats),
            "steps": _walk_bits(geometry),
        }
        return Structure("window", counts, (Memory(width, geometry.buffer_beats, is_rom=False),))
    geometry = op.folded_geometry(lanes, groups, tuple(taps), mmv, pixels)
    rows, columns = geometry.banks(0), geometry.banks(1)
    address = counter_bits(geometry.bank_words)
    elements = math.prod(taps) * mmv
    counts = {
        "unit": 1,
        "pointers": counter_bits(geometry.buffer_beats),
        "steps": _walk_bits(geometry),
        "addresses": address * rows * columns,
        "places": address * (rows + columns),
        "chosen_rows": elements * width * (rows - 1),
        "chosen_columns": elements * width * (columns - 1),
        "tables": (rows + columns) * sum(geometry.kernel_steps),
    }
    bank = Memory(width, geometry.bank_words, is_rom=False)
    return Structure("parallel_window", counts, (bank,) * (rows * columns))


def _walk_bits(geometry: WindowGeometry) -> int:
    """Bits of the counters of a walk over all windows."""
    return counter_bits(
        geometry.group_chunks, *geometry.kernel_steps, geometry.groups, *geometry.counts
    )


def pool_structure(op: dataflow.MaxPoolOp | dataflow.SumPoolOp, lanes: int) -> Structure:
    """Counters, what a window holds so far, and the row of results that grow."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    geometry = op.geometry()
    chunks = source.channels // lanes
    width = lanes * result.element_width
    index = counter_bits(geometry.counts[1] * chunks)
    counts: dict[str, float] = {
        "unit": 1,
        "inputs": lanes * source.element_width,
        "combined": 0 if isinstance(source.element_type, BipolarType) else width,
        "bits": width,
        "counters": counter_bits(chunks, *geometry.size, *geometry.strides),
        "index": index,
    }
    memories: tuple[Memory, ...] = ()
    if geometry.kernel[0] * geometry.kernel[1] > 1 and geometry.counts[1] * chunks > 1:
        memories = (Memory(width, geometry.counts[1] * chunks, is_rom=False),)
    return Structure("pool", counts, memories)


def pad_structure(op: dataflow.PadOp, lanes: int) -> Structure:
    """Counters of the frame with its border, and the choice between border and beat."""
    width = lanes * dataflow.stream_type(op.input).element_width
    result = dataflow.stream_type(op.output)
    chunks = max(1, result.channels // lanes)
    counts = {"unit": 1, "outputs": width, "counters": counter_bits(chunks, *result.shape[:-1])}
    return Structure("pad", counts)


def upsample_structure(op: dataflow.UpsampleOp, lanes: int) -> Structure:
    """Counters, and a buffer of two blocks."""
    source = dataflow.stream_type(op.input)
    width = lanes * source.element_width
    beats = max(2, 2 * op.block_beats * op.lanes // lanes)
    counts = {"unit": 1, "outputs": width, "counters": counter_bits(beats) + counter_bits(beats)}
    return Structure("upsample", counts, (Memory(width, beats, is_rom=False),))


def converter_structure(taken: int, given: int) -> Structure:
    """A shift register, and for narrow beats the choice of loading it; in bits a beat."""
    wide, narrow = max(taken, given), min(taken, given)
    kind = "widen" if given > taken else "narrow"
    ratio = (wide // max(1, narrow)).bit_length()
    return Structure(kind, {"unit": 1, "wide": wide, "shifted": wide - narrow, "counters": ratio})


def fifo_structure(width: int, depth: int) -> Structure:
    """A shift register with a choice of the oldest beat, or a RAM with counters."""
    bits = depth * width
    if depth <= 2 or bits <= REGISTER_FIFO_BITS:
        counts = {"unit": 1, "stored": bits, "offered": width * (depth - 1), "level": depth}
        return Structure("register_fifo", counts)
    counts = {"unit": 1, "width": width, "counters": 3 * counter_bits(depth)}
    return Structure("ram_fifo", counts, (Memory(width, depth - 1, is_rom=False),))


def _add_structure(op: dataflow.AddOp) -> Structure:
    result = dataflow.stream_type(op.output)
    taken = sum(dataflow.stream_type(value).beat_width for value in op.operands)
    counts: dict[str, float] = {"unit": 1, "outputs": result.beat_width}
    if op.multipliers is None:
        return Structure("add", counts)
    bits = element_width(op.multipliers.element_type)
    counts |= {"multiplied": taken * bits, "inputs": taken, "counters": op.channel_folds}
    memories: tuple[Memory, ...] = ()
    if op.channel_folds > 1:
        memories = (Memory(2 * op.lanes * bits, op.channel_folds),)
    return Structure("scaled_add", counts, memories)
