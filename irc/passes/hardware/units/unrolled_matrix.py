"""Rows of constant weights that work on the same inputs: what they share, and what each adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects.bit_heap import LUT_INPUTS
from irc.dialects.unrolled_layer import UnrolledShape
from irc.passes.analysis.shared_patterns import column_groups
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.hw_core import constant_of
from irc.passes.hardware.units.lookup_logic import bit_sum
from irc.passes.hardware.units.unrolled_counters import CounterPipeline, Signal

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class RowSums:
    """`Σ_k w[m, k] · b[k] = base + 2·halves + parity`, or `base + halves` where no parity is
    shared, `halves` being the sum of a row's bits."""

    pipeline: CounterPipeline
    shape: UnrolledShape
    name: str
    bits: Sequence[Signal]
    base: int
    parity: Parity | None

    def reached(self, threshold: int) -> SSAValue:
        """Whether the sum is at least a constant, at the level `shape.sum_level`."""
        threshold -= self.base
        bits = [*self.bits]
        if self.parity is not None:
            bits += self.parity.halves(threshold & 1)
            threshold = -(-threshold // 2)
        level = self.shape.sum_level
        return self.pipeline.reached(self.name, self.shape.plan, bits, threshold, level)

    def number(self, width: int) -> SSAValue:
        """The sum less `base`, of `width` bits, at the level `shape.sum_level`."""
        bits, low = [*self.bits], list[SSAValue]()
        level = self.shape.sum_level
        if self.parity is not None:
            bits += self.parity.halves(0)
            low = [self.pipeline.at(self.parity.least, level)]
            if width == 1:
                return low[0]
        high = self.pipeline.total(self.name, self.shape.plan, bits, width - len(low), level)
        return self.pipeline.b.concat(high, *low)


@dataclass(frozen=True)
class Parity:
    """`Σ p`, the parities of all groups: its half, rounded down or up, and its least bit."""

    down: Sequence[Signal]
    up: Sequence[Signal]
    least: Signal

    def halves(self, rounds_up: int) -> Sequence[Signal]:
        """The bits of the half."""
        return self.up if rounds_up else self.down


def row_sums(
    pipeline: CounterPipeline,
    shape: UnrolledShape,
    name: str,
    weights: Array,
    counts: Sequence[int],
    inputs: Sequence[SSAValue],
) -> list[RowSums]:
    """The sums of rows `weights` [M, K] over the bits of K inputs, which have a bit for every entry
    of `counts`: what it stands for, plus or minus 2^j for bit j."""
    b = pipeline.b
    groups = column_groups(weights, LUT_INPUTS)
    level = shape.group_level
    delayed = b.slices(pipeline.held(b.concat(*reversed(inputs)), 0, level), b.width(inputs[0]))
    bits: list[list[Signal]] = [[] for _ in weights]
    bases = np.zeros(len(weights), np.int64)
    parities: list[SSAValue] = []
    for plane, count in enumerate(counts):
        for group, columns in enumerate(groups):
            part = weights[:, columns] * (-1 if count < 0 else 1)
            group_inputs = [b.bit(delayed[k], plane) for k in columns]
            added, smallest = _group(b, group_inputs, part, shape.group_bits(group), shape.all_odd)
            for row, numbers in enumerate(added):
                bits[row] += [Signal(bit, 0, level) for bit in numbers]
            bases += abs(count) * smallest
            parities.append(b.xor(*(b.bit(inputs[k], plane) for k in columns)))
    parity = _parity(pipeline, shape, name, parities) if shape.all_odd else None
    return [
        RowSums(pipeline, shape, f"{name}row{row}", _packed(row_bits, shape), int(base), parity)
        for row, (row_bits, base) in enumerate(zip(bits, bases, strict=True))
    ]


def _group(
    b: HwBuilder, inputs: Sequence[SSAValue], weights: Array, width: int, all_odd: bool
) -> tuple[list[list[SSAValue]], Array]:
    """What a group adds to each row, as `width` bits, and what that counts from: both of
    `Σ w·b = smallest + p + 2·h`, or `smallest + v`."""
    patterns, which = np.unique(weights, axis=0, return_inverse=True)
    which = which.reshape(-1)
    smallest = np.minimum(patterns, 0).sum(axis=1)
    complements = (patterns < 0).sum(axis=1) & 1 if all_odd else np.zeros_like(smallest)
    added: list[list[SSAValue]] = []
    for pattern, complement in zip(patterns.tolist(), complements.tolist(), strict=True):
        terms = [
            (b.not_(bit) if weight < 0 else bit, place)
            for bit, weight in zip(inputs, pattern, strict=True)
            for place in range(abs(weight).bit_length())
            if abs(weight) >> place & 1
        ]
        number = bit_sum(b, terms, complement)[1 if all_odd else 0 :]
        added.append([*number, *[b.const(0, 1)] * width][:width])
    return [added[index] for index in which], (smallest - complements)[which]


def _packed(bits: list[Signal], shape: UnrolledShape) -> list[Signal]:
    """The bits of a row in the order of `shape.heap`; of each exponent, those first that are not
    always 0, so that counters of nothing but zeros vanish."""
    exponents = [exponent for exponent, _ in shape.heap[: len(bits)]]
    by_exponent: dict[int, list[Signal]] = {}
    for signal, exponent in zip(bits, exponents, strict=True):
        column = by_exponent.setdefault(exponent, [])
        column.append(signal)
    for column in by_exponent.values():
        column.sort(key=_is_zero)
    return [by_exponent[exponent].pop(0) for exponent in exponents]


def _is_zero(signal: Signal) -> bool:
    return constant_of(signal.value) == 0


def _parity(
    pipeline: CounterPipeline, shape: UnrolledShape, name: str, parities: Sequence[SSAValue]
) -> Parity:
    b, level, width = pipeline.b, shape.parity_level, shape.parity_total.bit_length()
    bits = [Signal(parity, 0, 0) for parity in parities]
    down = pipeline.total(f"{name}parity", shape.parity_plan, bits, width + 1, level)
    up = b.add(down, 1)
    return Parity(
        [Signal(down, 1 + place, level) for place in range(shape.half_bits)],
        [Signal(up, 1 + place, level) for place in range(shape.half_bits)],
        Signal(down, 0, level),
    )
