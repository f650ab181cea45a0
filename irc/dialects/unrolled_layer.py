"""The shape of a layer whose weights are constants in logic: what its latency depends on.

Each row m of a layer sums `A[m] = Σ_k w[m, k] · b[k]` over the bits b of its inputs, plane by
plane. Columns come in groups of as many as a look-up table has inputs, so that what a group adds to
a row is one table for each bit of it, shared by all rows of equal weights there. Counted from its
smallest value, a group adds v from 0 to `Σ|w|`.

Where all weights are odd, such as +1 and −1, the least bit of v is the parity p of the group, or
its complement, for every row: `v = p − c + 2h` with `h = floor((v + c) / 2)` and c the number of
negative weights, modulo 2. Rows then add `h`, a bit narrower, and share `Σ p`.

    level 0     the groups' h and p
    then        Σ p; the rows' counters; one comparison, or an addition and comparisons
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from xdsl.ir import Attribute

from irc.dialects.bit_heap import LUT_INPUTS, HeapPlan, addition_plan, comparison_plan
from irc.dialects.dense import BipolarType, DenseAttr, element_width

LEVELS_A_STAGE = 2
"""Tables in a row between two registers."""

EARLY_LEVELS = 2
"""Rows wait for `Σ p` if it is there after so many tables, since its bits fill their first counters
up; else it joins them when it comes."""


def stage_of(level: int) -> int:
    """The pipeline stage in which the tables of a level work, from 0."""
    return level // LEVELS_A_STAGE


@dataclass(frozen=True)
class UnrolledShape:
    """`columns` of a vector in groups, `planes` bits of an element, and the largest sum that a full
    group and the last one, which may be shorter, add to a row. `threshold_columns` is None for
    sums."""

    columns: int
    planes: int
    all_odd: bool
    full_sum: int
    last_sum: int
    threshold_columns: int | None

    @staticmethod
    def of(
        weights: DenseAttr, input_type: Attribute, thresholds: DenseAttr | None
    ) -> UnrolledShape:
        """The shape of a layer with `weights` [M, K]."""
        sizes = np.sort(np.abs(weights.numpy().astype(np.int64)), axis=1)[:, ::-1]
        columns = sizes.shape[1]
        last = columns % LUT_INPUTS or LUT_INPUTS
        return UnrolledShape(
            columns,
            1 if isinstance(input_type, BipolarType) else element_width(input_type),
            bool((sizes & 1).all()),
            int(sizes[:, :LUT_INPUTS].sum(axis=1).max()),
            int(sizes[:, :last].sum(axis=1).max()),
            None if thresholds is None else thresholds.shape[1],
        )

    @property
    def groups(self) -> int:
        """Groups of columns of one plane."""
        return -(-self.columns // LUT_INPUTS)

    def group_bits(self, group: int) -> int:
        """Bits that a group adds to a row: of h, or of v where there is no parity to share."""
        largest = self.last_sum if group == self.groups - 1 else self.full_sum
        return ((largest + 1) // 2 if self.all_odd else largest).bit_length()

    @cached_property
    def parity_plan(self) -> HeapPlan:
        """How `Σ p` is counted, of the parities of all groups, plane by plane."""
        return addition_plan(tuple((j, 0) for j in range(self.planes) for _ in range(self.groups)))

    @property
    def parity_total(self) -> int:
        """The largest `Σ p`; 0 where it is not used."""
        return self.groups * ((1 << self.planes) - 1) if self.all_odd else 0

    @property
    def half_bits(self) -> int:
        """Bits of half of `Σ p`, rounded up."""
        return ((self.parity_total + 1) // 2).bit_length()

    @property
    def parity_level(self) -> int:
        """The level at which `Σ p` is there."""
        return self.parity_plan.level + 1 if self.all_odd else 0

    @property
    def group_level(self) -> int:
        """The level at which the groups' bits are there."""
        return self.parity_level if self.parity_level <= EARLY_LEVELS else 0

    @cached_property
    def heap(self) -> tuple[tuple[int, int], ...]:
        """The exponent and level of all bits that a row adds, of planes, groups and places in turn;
        the bits of half of `Σ p` come last."""
        level = self.group_level
        bits = [
            (plane + place, level)
            for plane in range(self.planes)
            for group in range(self.groups)
            for place in range(self.group_bits(group))
        ]
        return (*bits, *((place, self.parity_level) for place in range(self.half_bits)))

    @property
    def compares_at_once(self) -> bool:
        """Whether rows need no sum, since there is one threshold to compare it with."""
        return self.threshold_columns == 1

    @cached_property
    def plan(self) -> HeapPlan:
        """How rows add their bits."""
        return (comparison_plan if self.compares_at_once else addition_plan)(self.heap)

    @property
    def sum_level(self) -> int:
        """The level of the rows' last addition, which has a stage to itself; of the comparison
        where that needs no sum."""
        if self.compares_at_once:
            return self.plan.level + 1
        return (stage_of(self.plan.level) + 1) * LEVELS_A_STAGE

    @property
    def stages(self) -> int:
        """Registers from the input to the result, that of the result included."""
        compares_sum = self.threshold_columns is not None and not self.compares_at_once
        return stage_of(self.sum_level) + 1 + compares_sum
