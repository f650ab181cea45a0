"""How wide a matrix-vector unit's sums are, and what constants belong to its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute

from irc.dialects import dataflow
from irc.dialects.dataflow import MvuOp
from irc.dialects.dense import DenseAttr
from irc.passes.hardware.resource_model.fabric import FULL_ADDER
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.products import Products, products_for
from irc.passes.hardware.units.thresholds import Comparisons

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sums:
    """`width` of an accumulator; `starts` [M] what rows' sums start from, or None where that is 0;
    `thresholds` [M, T] those that are compared with behind it, in `compared` bits; the `offsets`
    [M] that are subtracted there, if any."""

    width: int
    starts: Array | None
    compared: int
    thresholds: Array
    offsets: Array | None
    step_luts: float
    """Look-up tables that make a row's code of what its comparisons say."""


def sums_of(op: MvuOp, style: str, *, accumulates: bool) -> Sums:
    """Those of a unit that multiplies in a style, and whose sums take several cycles or one. As in
    `irc.passes.hardware.units.mvu`."""
    key = (op.weights, op.thresholds, op.steps, op.bias, op.reloadable)
    types = dataflow.stream_type(op.input).element_type, dataflow.stream_type(op.output)
    return _sums(_Same(op, key, types[0]), style, accumulates)


@dataclass(frozen=True)
class _Same:
    """A unit, as far as its sums tell it from others."""

    op: MvuOp
    key: tuple[object, ...]
    input_type: Attribute

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Same)
            and self.input_type == other.input_type
            and len(self.key) == len(other.key)
            and all(a is b or a == b for a, b in zip(self.key, other.key, strict=True))
        )

    def __hash__(self) -> int:
        return hash((id(self.key[0]), self.input_type))


@lru_cache(maxsize=512)
def _sums(of: _Same, style: str, accumulates: bool) -> Sums:
    op = of.op
    products = _products(op.weights, of.input_type, style, op.is_ternary)
    any_products = products.of_any_weights() if op.is_reloadable else products
    low, high = any_products.range()
    offsets, starts, comparisons = products.offsets(), None, None
    if op.thresholds is not None:
        comparisons = Comparisons.of(op, low, high, products.scale, offsets)
        if comparisons.at.shape[1] == 1:
            starts = -comparisons.at[:, 0]
    elif products.has_whole_start(any_weights=op.is_reloadable):
        starts = -(offsets // products.scale)
    nothing = np.zeros((op.rows, 0), np.int64)
    steps = 0 if comparisons is None else step_luts(comparisons)
    if starts is None or not accumulates:
        width = bits_for(low, high)
        at = nothing if comparisons is None else _all_rows(comparisons.at, op.rows)
        compared = width if comparisons is None else comparisons.width
        subtracted = None
        if comparisons is None and bool(offsets.any()):
            subtracted = _all_rows(offsets, op.rows)
        return Sums(width, None, compared, at, subtracted, steps)
    starts = _all_rows(starts, op.rows)
    low, high = low + int(starts.min()), high + int(starts.max())
    width = bits_for(low, high)
    if comparisons is not None:
        half = 1 << bits_for(min(low, -1), high) - 1
        starts, width = starts + half, bits_for(0, 2 * half - 1)
    return Sums(width, starts, 0, nothing, None, steps)


def step_luts(comparisons: Comparisons) -> float:
    """Look-up tables that make a code of what comparisons say: digits of a number of ordered ones,
    a count of others, or a sum of steps."""
    levels = comparisons.at.shape[1]
    steps = [comparisons.fixed_step(index) for index in range(levels)]
    if None in steps:
        width = int(np.abs(comparisons.steps).max(initial=1)).bit_length() + 1
        # Each is masked, and added to the others.
        return 1.5 * width * levels
    if comparisons.is_ordered and len(set(steps)) <= 1:
        return levels - levels.bit_length()
    return FULL_ADDER * max(0, levels - 1)


def _all_rows(values: Array, rows: int) -> Array:
    """[M, …] from that, or from [1, …]."""
    return np.repeat(values, rows, axis=0) if len(values) == 1 else values


@lru_cache(maxsize=256)
def _products(weights: DenseAttr, input_type: Attribute, style: str, ternary: bool) -> Products:
    return products_for(style, weights, input_type, 1, weights.shape[1], ternary=ternary)


def varying_bits(words: Array, width: int) -> int:
    """Bits of words of numbers [words, numbers] that are not the same in all of them."""
    codes = words & ((1 << width) - 1)
    differ = np.bitwise_or.reduce(codes ^ codes[:1], axis=0)
    return sum(int(bits).bit_count() for bits in np.atleast_1d(differ))
