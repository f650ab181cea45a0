"""Lists of integers as attributes: extents, strides, offsets, one number for each axis."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, i64

Integers = ArrayAttr[IntegerAttr[I64]]


def integers(values: Sequence[int]) -> Integers:
    """A list of integers as an attribute."""
    return ArrayAttr(IntegerAttr(value, i64) for value in values)


def values_of(attribute: Integers) -> tuple[int, ...]:
    """The integers of an attribute."""
    return tuple(value.value.data for value in attribute)
