"""What a matrix-vector unit is made of under a folding."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding, MvuOp
from irc.dialects.dataflow_mvu import BLOCK_MEMORY_BITS, BLOCK_MEMORY_DEPTH
from irc.dialects.dense import BipolarType, DenseAttr, element_width
from irc.passes.hardware.resource_model.memories import Memory
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.resource_model.unrolled_structure import unrolled_structure
from irc.passes.hardware.units.starts import SHORTEST_CHAIN


def mvu_structure(op: MvuOp, folding: Folding) -> Structure:
    """Popcount leaves and trees, or multipliers; accumulators, comparators, the buffer from which
    inputs are replayed, and the memories of weights and thresholds."""
    if folding.memory == "logic":
        return unrolled_structure(op, folding.mmv)
    groups = max(1, folding.pe // op.group_rows)
    synapse = op.columns // folding.simd
    neuron = max(1, op.group_rows // folding.pe)
    words = synapse * (op.rows // folding.pe)
    rows = folding.mmv * folding.pe
    inputs = folding.mmv * folding.simd * groups * _input_width(op)
    style = op.product_style(folding)
    low, high = _sum_range(op.weights, _input_width(op), _is_bipolar(op), style)
    sum_width = max(1, (high - low).bit_length())
    counts: dict[str, float] = {
        "unit": 1,
        "inputs": inputs,
        "rows": rows,
        "counters": counter_bits(synapse, neuron),
    }
    counts |= _products(op, folding, style, constant=words == 1 and not op.is_reloadable)
    memories: list[Memory] = []
    if words > 1:
        width = folding.pe * folding.simd * _weight_planes(op, style)
        if folding.memory != "spram":
            is_rom = not op.is_reloadable
            memories.append(Memory(width, words, _style(op, folding, words), is_rom))
        counts["address"] = counter_bits(words) if synapse > 1 and neuron > 1 else 0
    if synapse > 1:
        counts["accumulators"] = rows * sum_width
    if neuron > 1 and synapse > 1:
        counts["replayed"] = inputs
        memories.append(Memory(inputs, synapse, is_rom=False))
    compared = 0
    if op.thresholds is None:
        counts["offsets"] = rows * dataflow.stream_type(op.output).element_width
    else:
        compared = op.thresholds.shape[1]
        counts["steps"] = rows * compared if compared > 1 else 0
        where = "compared" if op.rows > folding.pe else "compared_constants"
        counts["started" if compared == 1 < synapse else where] = rows * compared * sum_width
    folds = op.rows // folding.pe
    width = _tabulated(op, sum_width) if folds > 1 else 0
    if width and compared == 1 < synapse:
        memories.append(_starts(folding.pe, folds, synapse, width, counts))
    elif width:
        memories.append(Memory(folding.pe * width, folds))
        counts["result_counter"] = counter_bits(folds)
    if style == "planes":
        return Structure("mvu", counts, tuple(memories))
    width, weight_width = _input_width(op), element_width(op.weights.element_type)
    # A bit is masked, and a bipolar weight negates: no multiplication.
    multipliers = rows * folding.simd if width > 1 and not _is_bipolar_weights(op) else 0
    return Structure("mvu_multiply", counts, tuple(memories), multipliers, width + weight_width)


def weight_memory(op: MvuOp, folding: Folding) -> Memory | None:
    """The memory of weights under a folding; None where they never change."""
    words = op.columns // folding.simd * (op.rows // folding.pe)
    if words == 1:
        return None
    width = folding.pe * folding.simd * _weight_planes(op, op.product_style(folding))
    style = _style(op, folding, words)
    return Memory(width, words, style, is_rom=not op.is_reloadable)


def _starts(pe: int, folds: int, synapse: int, width: int, counts: dict[str, float]) -> Memory:
    """The memory of what sums start from: a narrow one before a chain of registers, or, where a
    fold is short, one that gives them all at once. As in `irc.passes.hardware.units.starts`."""
    length = min(synapse, pe)
    if length < SHORTEST_CHAIN:
        return Memory(pe * width, folds)
    each = -(-pe // length)
    words = folds * length
    counts["chained"] = pe * width
    counts["start_counters"] = counter_bits(words, length if length < synapse else 1)
    deep = words >= BLOCK_MEMORY_DEPTH and words * each * width >= BLOCK_MEMORY_BITS
    return Memory(each * width, words, "block" if deep else "auto")


def _products(op: MvuOp, folding: Folding, style: str, *, constant: bool) -> dict[str, float]:
    """Leaves of popcounts and the trees above them, or multipliers."""
    rows, simd = folding.mmv * folding.pe, folding.simd
    width, weight_width = _input_width(op), element_width(op.weights.element_type)
    if style == "multiply":
        pairs = rows * simd * width * weight_width
        each = rows * simd * (width + weight_width)
        return {"multiplied": pairs, "multiplied_sums": each}
    ternary, bipolar = op.is_ternary, _is_bipolar_weights(op)
    trees = rows * width * (1 if ternary or bipolar else weight_width)
    if constant:
        return {"constant_leaves": trees * simd, "rows": rows}
    leaves = "leaves" if bipolar else "masked_leaves" if ternary else "anded_leaves"
    found: dict[str, float] = {leaves: trees * simd}
    # As many full adders count n bits, at least.
    found["adders"] = trees * (simd - simd.bit_length())
    if trees > rows:
        found["planes"] = (trees - rows) * (simd.bit_length() + width)
    return found


def _input_width(op: MvuOp) -> int:
    return dataflow.stream_type(op.input).element_width


def _is_bipolar(op: MvuOp) -> bool:
    return isinstance(dataflow.stream_type(op.input).element_type, BipolarType)


def _is_bipolar_weights(op: MvuOp) -> bool:
    return isinstance(op.weights.element_type, BipolarType)


def _weight_planes(op: MvuOp, style: str) -> int:
    if style == "planes" and op.is_ternary:
        return 2
    return element_width(op.weights.element_type)


def _style(op: MvuOp, folding: Folding, words: int) -> str:
    """As `MvuOp.memory_style`, under another folding."""
    if folding.memory != "auto":
        return folding.memory
    deep = words >= BLOCK_MEMORY_DEPTH and op.weight_bits() >= BLOCK_MEMORY_BITS
    return "block" if deep else "auto"


@lru_cache(maxsize=256)
def _sum_range(
    weights: DenseAttr, input_width: int, bipolar_input: bool, style: str
) -> tuple[int, int]:
    """Roughly the range of an accumulator over the weights [M, K]."""
    largest = 1 if bipolar_input else (1 << input_width) - 1
    columns = weights.shape[1]
    if isinstance(weights.element_type, BipolarType):
        return 0, columns * largest
    values = weights.numpy().astype(np.int64)
    low = int(np.minimum(values, 0).sum(axis=1).min()) * largest
    return low, int(np.maximum(values, 0).sum(axis=1).max()) * largest


def _tabulated(op: MvuOp, sum_width: int) -> int:
    """Bits a row of thresholds, or of offsets, that are read from a table; 0 where all rows have
    the same."""
    same = _is_bipolar(op) and _is_bipolar_weights(op)
    if op.thresholds is None:
        return 0 if same else dataflow.stream_type(op.output).element_width
    if same and op.thresholds.shape[0] == 1:
        return 0
    return op.thresholds.shape[1] * sum_width
