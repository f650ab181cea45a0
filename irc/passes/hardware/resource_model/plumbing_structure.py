"""What joins, forks, slices, FIFOs, width converters and lone thresholds are made of."""

from __future__ import annotations

import numpy as np

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding
from irc.dialects.dataflow_plumbing import REGISTER_FIFO_BITS
from irc.dialects.dense import BipolarType, element_range, element_width
from irc.passes.hardware.resource_model.fabric import FABRICS, FULL_ADDER, Fabric, full_adders
from irc.passes.hardware.resource_model.memories import Memory
from irc.passes.hardware.resource_model.mvu_sums import step_luts, varying_bits
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.thresholds import Comparisons


def threshold_structure(op: dataflow.ThresholdOp, folding: Folding, family: str) -> Structure:
    """Comparators and the sum of their steps, and a table of thresholds where they change."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    fabric, pe = FABRICS[family], folding.pe
    bipolar = isinstance(source.element_type, BipolarType)
    low, high = (0, 1) if bipolar else element_range(source.element_type)
    comparisons = Comparisons.of(op, low, high, *((2, 1) if bipolar else (1, 0)))
    channels, levels = len(comparisons.at), comparisons.at.shape[1]
    folds = max(1, channels // pe)
    luts: dict[str, float] = {"threshold.control": 4}
    registers = pe * result.element_width + 1
    memories: tuple[Memory, ...] = ()
    width = comparisons.width
    if folds == 1 and not op.is_reloadable:
        luts["threshold.constant"] = _constant_comparisons(fabric, comparisons, pe, low)
    else:
        by_lane = comparisons.at.reshape(folds, -1)
        table = varying_bits(by_lane, width)
        luts["threshold.comparisons"] = pe * levels * fabric.add(width)
        luts["counters"] = fabric.counters(folds)
        registers += counter_bits(folds) + pe * source.element_width + 1
        memories = (Memory(table, folds, is_rom=not op.is_reloadable, varying=table),)
    luts["threshold.steps"] = pe * step_luts(comparisons)
    return Structure("threshold", luts, registers, memories)


def _constant_comparisons(fabric: Fabric, of: Comparisons, pe: int, low: int) -> float:
    values = of.at if len(of.at) > 1 else np.repeat(of.at, pe, axis=0)
    return sum(fabric.at_least(of.width, int(value) - low) for value in values[:pe].flat)


def converter_structure(taken: int, given: int, family: str) -> Structure:
    """A shift register, and for narrow beats the choice of loading it; in bits a beat."""
    fabric = FABRICS[family]
    wide, narrow = max(taken, given), max(1, min(taken, given))
    ratio = (wide // narrow).bit_length()
    if given > taken:
        luts = {"widen.control": 4, "widen.count": fabric.add(ratio) + fabric.equal(ratio)}
        return Structure("widen", luts, wide + ratio)
    luts = {
        "narrow.control": 5,
        "narrow.count": fabric.add(ratio) + ratio + 2 * fabric.equal(ratio),
        # What moves in from the top is never given.
        "narrow.loaded": wide - narrow,
    }
    return Structure("narrow", luts, wide + ratio)


def fifo_structure(width: int, depth: int, family: str) -> Structure:
    """A shift register with a choice of the oldest beat, or a RAM with counters."""
    fabric, bits = FABRICS[family], depth * width
    if depth <= 2 or bits <= REGISTER_FIFO_BITS:
        level = depth.bit_length()
        luts = {
            "register_fifo.level": 2 * fabric.add(level) + 2 * fabric.equal(level) + 2,
            "register_fifo.offered": width * fabric.choice(depth),
        }
        return Structure("register_fifo", luts, bits + level)
    words = depth - 1
    level = words.bit_length()
    luts = {
        "ram_fifo.control": 5,
        "ram_fifo.level": 2 * fabric.add(level) + 2 * fabric.equal(level),
        "counters": fabric.counters(words, words),
    }
    registers = level + counter_bits(words, words) + 1
    return Structure(
        "ram_fifo", luts, registers, (Memory(width, words, is_rom=False, may_collide=True),)
    )


def fork_structure(readers: int) -> Structure:
    """For each reader whether it has taken the beat."""
    return Structure("fork", {"fork.readers": 3 * readers}, readers)


def concat_structure(op: dataflow.ConcatOp, family: str) -> Structure:
    """A counter that says whose turn it is, and the choice of its beat."""
    fabric, width = FABRICS[family], dataflow.stream_type(op.output).beat_width
    inputs, longest = len(op.inputs), max(op.part_beats)
    given = counter_bits(longest)
    luts = {
        "concat.control": 4 + 2 * inputs,
        "counters": fabric.counters(inputs, longest),
        "concat.turn": 2 * given,
        "concat.chosen": width * fabric.choice(inputs),
    }
    return Structure("concat", luts, counter_bits(inputs, longest) + width + 1)


def slice_structure(op: dataflow.SliceOp, family: str) -> Structure:
    """Counters over the frame, and comparisons that say what is kept."""
    fabric = FABRICS[family]
    luts: dict[str, float] = {"slice.control": 6, "counters": 0, "slice.kept": 0}
    registers = dataflow.stream_type(op.output).beat_width + 1
    for index, level in enumerate(op.levels()):
        if index == 0 and level.is_full:
            continue
        width = counter_bits(level.count)
        luts["counters"] += fabric.counters(level.count)
        registers += width
        if level.size > 1 < level.stride:
            luts["slice.kept"] += fabric.add(width) + 2 * width
            registers += width
        elif not level.is_full:
            luts["slice.kept"] += 2 * fabric.equal(width)
    return Structure("slice", luts, registers)


def add_structure(op: dataflow.AddOp, family: str) -> Structure:
    """Adders, and before them multipliers: shifted copies where a lane has one factor."""
    fabric, result = FABRICS[family], dataflow.stream_type(op.output)
    sources = [dataflow.stream_type(operand) for operand in op.operands]
    ranges = [element_range(source.element_type) for source in sources]
    if op.multipliers is None:
        factors = np.ones((2, 1), np.int64)
    else:
        factors = op.multipliers.numpy().astype(np.int64)
    ends = np.stack([np.outer(f, r) for f, r in zip(factors, ranges, strict=True)])
    low, high = ends.min(2).sum(0).min(), ends.max(2).sum(0).max()
    width = min(result.element_width, bits_for(int(low), int(high)))
    entering = sum(source.element_width for source in sources)
    # A few bits go through one table for each bit of the sum; that of bits is even or odd.
    small = op.multipliers is None and entering <= fabric.lut_inputs
    both_bits = small and entering == 2
    luts: dict[str, float] = {
        "add.control": 4 + 2 * (op.stages > 1),
        "add.sums": op.lanes * (width - both_bits if small else fabric.add(width)),
    }
    registers = op.lanes * (width - both_bits) + op.stages
    if op.multipliers is None:
        return Structure("add", luts, registers)
    memories: list[Memory] = []
    bits = element_width(op.multipliers.element_type)
    multiplied, table, dsps = 0.0, 0, 0
    for source, of_operand, of_ends in zip(sources, factors, ends, strict=True):
        bipolar = isinstance(source.element_type, BipolarType)
        product = bits_for(int(of_ends.min()), int(of_ends.max()))
        registers += op.lanes * product if op.stages > 1 else 0
        if op.channel_folds == 1:
            lanes = of_operand if len(of_operand) > 1 else np.repeat(of_operand, op.lanes)
            # One copy for every digit of the factor that is not 0; the first is a wire.
            copies = 0 if bipolar else sum(max(0, _digits(abs(int(f))) - 1) for f in lanes)
            multiplied += copies * fabric.add(product)
            continue
        registers += op.lanes * source.element_width
        table += varying_bits(of_operand.reshape(op.channel_folds, -1), bits)
        if bipolar:
            multiplied += op.lanes * (fabric.add(product) + product)
        elif fabric.has_dsp(source.element_width + bits):
            dsps += op.lanes
        else:
            multiplied += op.lanes * _product(fabric, source.element_width, bits)
    luts["add.multiplied"] = multiplied
    if op.channel_folds > 1:
        luts["counters"] = fabric.counters(op.channel_folds)
        registers += counter_bits(op.channel_folds)
        memories.append(Memory(table, op.channel_folds, varying=table))
    return Structure("add", luts, registers, tuple(memories), dsps)


def _product(fabric: Fabric, one: int, other: int) -> float:
    """A product in logic: partial products, the adders between, and a last addition."""
    if one + other <= fabric.lut_inputs:
        return one + other
    heights = tuple(min(i + 1, one, other, one + other - 1 - i) for i in range(one + other - 1))
    return one * other + FULL_ADDER * full_adders(heights) + fabric.add(one + other)


def _digits(number: int) -> int:
    """Digits of the non-adjacent form that are not 0."""
    return (number ^ (3 * number)).bit_count()
