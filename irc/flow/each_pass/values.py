"""The values of every level as plain numbers, so that they can be compared and exchanged.

A value is given as [N, elements]: frames, then elements in row-major order, channels last. Streams
of `dataflow` are beats, buffers of `packed` are words; both stand for the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ShapedType, TensorType
from xdsl.ir import Attribute

from irc.dialects.dataflow_stream import StreamType
from irc.dialects.packed_types import ArrayType, BitsType
from irc.interp.bnn import to_element_type
from irc.interp.packed import store
from irc.interp.packed_branch import elements_of

Array = npt.NDArray[Any]


def plain(value: Array, kind: Attribute) -> Array | None:
    """A value of an interpreter as numbers [N, elements]; `None` where it isn't an array."""
    if not isinstance(value, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        return None
    if isinstance(kind, BitsType):
        return elements_of(value, kind, np.dtype(np.int64)).reshape(len(value), -1)
    return value.reshape(len(value), -1)


def encoded(numbers: Array, kind: Attribute) -> Array | None:
    """Numbers [N, elements] as the interpreters represent them in a type; `None` if it has no
    room for as many."""
    count = element_count(kind)
    if count is None or numbers.shape[1:] != (count,):
        return None
    match kind:
        case BitsType() | ArrayType():
            return store(numbers, kind)
        case StreamType():
            lanes = numbers.reshape(len(numbers), kind.beats, kind.lanes)
            return to_element_type(lanes, kind.element_type)
        case TensorType():
            shape = (len(numbers), *kind.get_shape())
            return to_element_type(numbers.reshape(shape), kind.element_type)
        case _:
            return None


def element_count(kind: Attribute) -> int | None:
    """How many numbers a value of a type holds; `None` for types of other dialects."""
    match kind:
        case BitsType():
            return kind.rows * kind.width
        case ArrayType():
            return kind.length
        case StreamType():
            return kind.elements
        case ShapedType():
            return int(np.prod(kind.get_shape(), dtype=np.int64))
        case _:
            return None


def is_float(kind: Attribute) -> bool:
    """Whether values of a type are floats, which round."""
    return isinstance(getattr(kind, "element_type", None), Float32Type)
