"""Between Python values and the attributes that hold ONNX attributes.

| ONNX | attribute |
|---|---|
| INT, FLOAT | `1 : i64`, `1.0 : f32` |
| STRING | `"text"`, or a bytes attribute where it is not UTF-8 |
| INTS, FLOATS | `array<i64: 1, 2>`, `array<f32: 0.5>` |
| STRINGS | `["a", "b"]` |
| TENSOR, SPARSE_TENSOR | `#onnx.tensor<…>`, `#onnx.sparse_tensor<…>` |
| TYPE_PROTO | the type itself |
| TENSORS, TYPE_PROTOS, … | an array of the above |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    f32,
    i64,
)
from xdsl.ir import Attribute

from irc.dialects.onnx_tensor import Array, TensorAttr, string_attribute


def to_attribute(value: Any) -> Attribute:
    """The attribute for a Python value: int, float, str, bytes, array, or a list of the first
    three (an empty list counts as integers). Attributes are returned as they are."""
    match value:
        case Attribute():
            return value
        case bool() | int():
            return IntegerAttr(int(value), i64)
        case float():
            return FloatAttr(value, f32)
        case np.generic():
            return to_attribute(cast(Any, value).item())
        case str():
            return StringAttr(value)
        case bytes():
            return string_attribute(value)
        case np.ndarray():
            return TensorAttr.from_numpy(cast(Array, value))
        case list() | tuple():
            return _list_attribute(list(cast(Sequence[Any], value)))
        case _:
            raise TypeError(f"no ONNX attribute for a {type(value).__name__}")


def _list_attribute(values: list[Any]) -> Attribute:
    if all(isinstance(value, int | np.integer) for value in values):
        return DenseArrayBase.from_list(i64, [int(value) for value in values])
    if all(isinstance(value, int | float | np.number) for value in values):
        return DenseArrayBase.from_list(f32, [float(value) for value in values])
    return ArrayAttr([to_attribute(value) for value in values])


def from_attribute(attribute: Attribute) -> Any:
    """The inverse of `to_attribute`; tensors become read-only arrays, types stay types."""
    match attribute:
        case IntegerAttr():
            return attribute.value.data
        case FloatAttr():
            return attribute.value.data
        case StringAttr() | BytesAttr():
            return attribute.data
        case DenseArrayBase():
            return list(cast("DenseArrayBase[AnyFloat]", attribute).get_values())
        case ArrayAttr():
            return [from_attribute(item) for item in attribute]
        case TensorAttr():
            return attribute.numpy()
        case _:
            return attribute
