"""What windows, pools, padding and upsampling are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType
from irc.dialects.rtl import address_width
from irc.dialects.window_geometry import WindowGeometry
from irc.dialects.window_parallel import ParallelGeometry
from irc.passes.hardware.resource_model.fabric import FABRICS, Fabric
from irc.passes.hardware.resource_model.memories import Memory
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.units.numbers import bits_for


def window_structure(
    op: dataflow.WindowOp,
    lanes: int,
    groups: int,
    taps: Sequence[int],
    mmv: int,
    pixels: int,
    family: str,
) -> Structure:
    """A circular buffer, how far it is filled, where it is read, and the walk over all windows."""
    source, fabric = dataflow.stream_type(op.input), FABRICS[family]
    width = lanes * source.element_width
    if max(*taps, mmv, pixels) > 1:
        geometry = op.folded_geometry(lanes, groups, tuple(taps), mmv, pixels)
        return _parallel(fabric, geometry, width)
    geometry = WindowGeometry.of(
        op.space, op.kernel, op.strides, op.dilations, source.channels // lanes, groups
    )
    depth = geometry.buffer_beats
    luts, registers = _row_buffer(fabric, geometry)
    offset, place = bits_for(0, geometry.span - 1), address_width(depth)
    luts["counters"] += fabric.counters(depth)
    # How far the beat is from the start of its window: the next, or a step that is chosen.
    luts["window.offset"] = fabric.add(offset) + 2 * offset
    # Where it lies, and where its window starts.
    luts["window.places"] = 2 * (fabric.around(place, depth) + place) + place
    registers += offset + 3 * place
    return Structure(
        "window", luts, registers, (Memory(width, depth, is_rom=False, may_collide=True),)
    )


def _row_buffer(fabric: Fabric, geometry: WindowGeometry) -> tuple[dict[str, float], int]:
    """As `irc.passes.hardware.units.row_buffer`: the walk, and how many beats there are."""
    steps = (geometry.next_window, geometry.next_row, geometry.next_frame)
    lowest = min(0, geometry.span - max(steps))
    level = bits_for(lowest, geometry.buffer_beats)
    walk = (
        geometry.group_chunks, *geometry.kernel_steps, geometry.groups, *geometry.counts
    )  # fmt: skip
    luts = {
        "window.control": 8,
        "counters": fabric.counters(*walk),
        "window.level": 3 * fabric.add(level) + 2 * level + fabric.equal(level),
    }
    return luts, level + 1 + counter_bits(*walk)


def _parallel(fabric: Fabric, geometry: ParallelGeometry, width: int) -> Structure:
    """The same with a memory for each bank, an address for each, and for each element that leaves
    a choice among them; as in `irc.passes.hardware.units.window_banks`."""
    luts, registers = _row_buffer(fabric, geometry)
    banks = geometry.banks(0), geometry.banks(1)
    leaving = [sum(map(len, geometry.positions(axis)[0])) for axis in (0, 1)]
    steps = geometry.kernel_steps
    address = address_width(geometry.bank_words)
    offset = bits_for(0, geometry.span - 1)
    luts["counters"] += fabric.counters(geometry.chunks, geometry.size[1] // geometry.arriving(1))
    luts["window.offset"] = 2 * fabric.add(offset) + 2 * offset
    # What is written and read next, along both axes.
    phases = [counter_bits(count) for count in banks]
    around = fabric.around(address, geometry.bank_words)
    moving = 2 * (around + fabric.add(address) + 2 * address)
    moving += 3 * sum(2 * fabric.add(phase + 1) + phase for phase in phases if phase)
    luts["window.places"] = moving + (1 if steps[0] > 1 else 0)
    luts["window.addresses"] = (
        banks[0] * around + banks[1] * fabric.add(address)
        + banks[0] * banks[1] * (2 * fabric.add(address) + 1)
    )  # fmt: skip
    luts["window.tables"] = sum(
        (count * address + places * phase) * _table(fabric, phase + counter_bits(step))
        for count, places, phase, step in zip(banks, leaving, phases, steps, strict=True)
    )
    rows = leaving[0] * banks[1] * width * fabric.choice(banks[0])
    columns = leaving[0] * leaving[1] * width * fabric.choice(banks[1])
    luts["window.chosen"] = rows + columns
    registers += counter_bits(geometry.chunks, geometry.size[1]) + 4 * address + 4 * sum(phases)
    registers += sum(count * phase for count, phase in zip(leaving, phases, strict=True))
    bank = Memory(width, geometry.bank_words, is_rom=False, may_collide=True)
    memories = (bank,) * math.prod(banks)
    return Structure("parallel_window", luts, registers, memories)


def _table(fabric: Fabric, inputs: int) -> float:
    """A bit that so many others choose."""
    if inputs <= fabric.lut_inputs:
        return min(1, inputs)
    return 2 ** (inputs - fabric.lut_inputs + 1) - 1


def pool_structure(
    op: dataflow.MaxPoolOp | dataflow.SumPoolOp, lanes: int, family: str
) -> Structure:
    """Counters, what a window holds so far, and the row of results that grow."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    geometry, fabric = op.geometry(), FABRICS[family]
    chunks = source.channels // lanes
    width, element = lanes * result.element_width, source.element_width
    partials = geometry.counts[1] * chunks
    index = counter_bits(partials)
    counts = (chunks, *geometry.size[::-1], *geometry.strides)
    luts: dict[str, float] = {
        "pool.control": 8,
        "counters": fabric.counters(*counts),
        "pool.index": 2 * fabric.add(index) + 2 * index,
    }
    registers = counter_bits(*counts) + max(1, index) + lanes * element + 2 * width + 4
    memories: tuple[Memory, ...] = ()
    if geometry.kernel[0] * geometry.kernel[1] > 1:
        if isinstance(op, dataflow.SumPoolOp):
            each = fabric.add(result.element_width) + result.element_width
        elif isinstance(source.element_type, BipolarType):
            each = 1
        else:
            each = fabric.add(element) + element
        luts["pool.combined"] = lanes * each
        if partials > 1:
            memories = (Memory(width, partials, is_rom=False, may_collide=True),)
            if chunks == 1:
                luts["pool.recent"] = width * (fabric.lut_inputs < 6)
                registers += 1
            registers += index
    return Structure("pool", luts, registers, memories)


def pad_structure(op: dataflow.PadOp, lanes: int, family: str) -> Structure:
    """Counters of the frame with its border, and the choice between border and beat."""
    fabric = FABRICS[family]
    result = dataflow.stream_type(op.output)
    width = lanes * result.element_width
    chunks, pixels = max(1, result.channels // lanes), max(1, lanes // result.channels)
    height, row = op.outer_size
    counts = (chunks, row // pixels, height)
    luts = {
        "pad.control": 6,
        "counters": fabric.counters(*counts),
        "pad.inside": 2 * sum(fabric.equal(counter_bits(count)) for count in counts[1:]),
        # A border of zeros resets the register.
        "pad.chosen": width,
    }
    return Structure("pad", luts, counter_bits(*counts) + width + 2)


def upsample_structure(op: dataflow.UpsampleOp, lanes: int, family: str) -> Structure:
    """Counters, how many beats there are, where they are read, and a buffer of two blocks."""
    fabric = FABRICS[family]
    source = dataflow.stream_type(op.input)
    chunks, (rows, columns) = source.channels // lanes, op.repeats
    block = op.block_elements * chunks
    level, offset = (2 * block).bit_length(), counter_bits(block)
    counts = (chunks, columns, op.block_elements, rows, 2 * block, 2)
    luts = {
        "upsample.control": 8,
        "counters": fabric.counters(*counts),
        "upsample.level": 3 * fabric.add(level) + level + fabric.equal(level),
        "upsample.offset": 2 * fabric.add(offset) + 2 * offset,
        "upsample.address": 0 if block & (block - 1) == 0 else fabric.add(offset + 1) + offset,
    }
    registers = counter_bits(*counts) + level + offset + 1
    memory = Memory(lanes * source.element_width, max(2, 2 * block), is_rom=False, may_collide=True)
    return Structure("upsample", luts, registers, (memory,))
