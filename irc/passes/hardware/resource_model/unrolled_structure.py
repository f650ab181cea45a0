"""What a layer is made of whose weights are constants in logic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from irc.dialects import dataflow
from irc.dialects.bit_heap import LUT_INPUTS
from irc.dialects.dense import DenseAttr
from irc.dialects.unrolled_layer import UnrolledShape, stage_of
from irc.passes.analysis.shared_patterns import column_groups
from irc.passes.hardware.resource_model.structure import Structure

NARROW = 4
"""Inputs of a table that is one look-up table in every family."""

MOST_GROUPED = 1 << 16
"""Weights whose columns are grouped as the hardware will; of more, rows that are many enough to
have about all patterns in any groups, the columns are taken as they come."""


def unrolled_structure(op: dataflow.MvuOp, mmv: int, lut_inputs: int) -> Structure:
    """Tables that rows share, the counters of rows, what compares or adds at the end, and the
    registers between."""
    source = dataflow.stream_type(op.input)
    shape = UnrolledShape.of(op.weights, source.element_type, op.thresholds)
    row, vectors = _row(shape), mmv * op.groups
    wide, narrow = _tables(op.weights, op.group_rows, shape)
    tables, rows = mmv * shape.planes * (wide + narrow), mmv * op.rows
    # A function of six inputs takes about three tables of four.
    each = 1 if lut_inputs >= LUT_INPUTS else 3
    luts: dict[str, float] = {
        "unrolled.control": 10,
        "unrolled.wide_tables": each * mmv * shape.planes * wide,
        "unrolled.narrow_tables": mmv * shape.planes * narrow,
        "unrolled.wide_counters": each * rows * row.wide,
        "unrolled.narrow_counters": rows * row.narrow,
        "unrolled.parities": vectors * shape.planes * shape.groups if shape.all_odd else 0,
    }
    held = tables * row.tables_held + rows * row.counters_held
    held += source.channels * mmv * shape.planes * stage_of(shape.group_level)
    if shape.compares_at_once:
        luts["unrolled.compared"] = rows * row.left
    else:
        levels = 0 if op.thresholds is None else op.thresholds.shape[1]
        width = len(shape.heap).bit_length()
        luts["unrolled.sums"] = rows * width
        luts["unrolled.compared_sums"] = rows * levels * width
    held += rows * dataflow.stream_type(op.output).element_width
    return Structure("unrolled", {name: c for name, c in luts.items() if c}, held)


@dataclass(frozen=True)
class _Row:
    """A row's counters, in bits that they give: of more inputs than a table of every family has,
    and of as many at most; bits that are left to compare or to add; registers that a table's bit
    takes on average, and those of all counters."""

    wide: int
    narrow: int
    left: int
    tables_held: float
    counters_held: int


@lru_cache(maxsize=256)
def _row(shape: UnrolledShape) -> _Row:
    plan, from_tables = shape.plan, len(shape.heap) - shape.half_bits
    read_at = {number: shape.sum_level for number, _ in plan.left}
    for counter in plan.counters:
        read_at.update(dict.fromkeys(counter.inputs, counter.level))
    stage = stage_of(shape.group_level)
    held = [stage_of(read_at[n]) - stage for n in range(from_tables)]
    wide = sum(len(c.outputs) for c in plan.counters if len(c.inputs) > NARROW)
    return _Row(
        wide,
        plan.luts - wide,
        len(plan.left),
        sum(held) / max(1, len(held)),
        sum(
            len(c.outputs) * max(stage_of(read_at[n]) - stage_of(c.level) for n in c.outputs)
            for c in plan.counters
        ),
    )


@lru_cache(maxsize=64)
def _tables(weights: DenseAttr, group_rows: int, shape: UnrolledShape) -> tuple[int, int]:
    """Bits that different patterns of weights give in groups of columns: of more columns than a
    table of every family has inputs, and of as many at most."""
    values = weights.numpy()
    wide = narrow = 0
    for first in range(0, len(values), group_rows):
        rows = values[first : first + group_rows]
        groups = (
            column_groups(rows, LUT_INPUTS)
            if values.size <= MOST_GROUPED
            else [
                [*range(start, min(start + LUT_INPUTS, rows.shape[1]))]
                for start in range(0, rows.shape[1], LUT_INPUTS)
            ]
        )
        for index, columns in enumerate(groups):
            bits = len(np.unique(rows[:, columns], axis=0)) * shape.group_bits(index)
            if len(columns) > NARROW:
                wide += bits
            else:
                narrow += bits
    return wide, narrow
