"""Parts of frames and their joins, as the rules for Concat, Split, Slice, Gather and Pad emit
them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.lift.lifting import Lifting

Array = npt.NDArray[Any]


def part(
    lifting: Lifting, value: SSAValue, axis: int, offset: int, size: int, stride: int = 1
) -> SSAValue:
    """`size` elements along one axis of a frame; the value itself where that is all of it."""
    shape = bnn.frame_type(value).get_shape()
    if (offset, size) == (0, shape[axis]):
        return value
    offsets, strides, sizes = [0] * len(shape), [1] * len(shape), list(shape)
    offsets[axis], strides[axis], sizes[axis] = offset, stride, size
    return lifting.emit(bnn.SliceOp(value, offsets, sizes, strides))


def joined(lifting: Lifting, values: Sequence[SSAValue], axis: int) -> SSAValue:
    """The values one after another; if some are floats and some are exact, all as floats."""
    if len(values) == 1:
        return values[0]
    kinds = {bnn.frame_type(value).element_type for value in values}
    if len(kinds) > 1:
        values = [_as_float(lifting, value) for value in values]
    return lifting.emit(bnn.ConcatOp(values, axis))


def _as_float(lifting: Lifting, value: SSAValue) -> SSAValue:
    is_float = isinstance(bnn.frame_type(value).element_type, Float32Type)
    return value if is_float else lifting.emit(bnn.CastOp(value))


def selected(lifting: Lifting, value: SSAValue, axis: int, indices: Array) -> SSAValue:
    """The elements of these indices along one axis, in their order: one slice for every stretch
    of equal steps."""
    runs: list[SSAValue] = []
    start = 0
    while start < len(indices):
        stop = start + 1
        step = int(indices[stop] - indices[start]) if stop < len(indices) else 1
        while step > 0 and stop < len(indices) and indices[stop] - indices[stop - 1] == step:
            stop += 1
        first, size = int(indices[start]), stop - start
        runs.append(part(lifting, value, axis, first, size, step if size > 1 else 1))
        start = stop
    return joined(lifting, runs, axis)


def constant_part(
    lifting: Lifting, beside: SSAValue, axis: int, size: int, constant: Array
) -> SSAValue:
    """A constant that is joined with the float value `beside`, `size` long along an axis.

    There is no constant without an operand: `0 · x + c = c` for the finite x that lie next to it.
    """
    shape = list(bnn.frame_type(beside).get_shape())
    available = shape[axis]
    whole, rest = divmod(size, available)
    pieces = [beside] * whole
    if rest:
        pieces.append(part(lifting, beside, axis, 0, rest))
    shape[axis] = size
    value = lifting.ewise("mul", joined(lifting, pieces, axis), 0.0)
    spread = np.broadcast_to(np.asarray(constant, np.float32), shape)
    return lifting.ewise("add", value, _compact(spread)) if spread.any() else value


def _compact(constant: Array) -> Array:
    """The same by broadcasting: one number for all, one along the first axis, or as it is."""
    if bool((constant == constant.reshape(-1)[0]).all()):
        return constant.reshape(-1)[0]
    first = constant[(slice(None), *(slice(0, 1) for _ in constant.shape[1:]))]
    return first if bool((constant == first).all()) else constant
