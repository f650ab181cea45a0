"""Types of the `onnx` dialect, and how ONNX element types map onto xDSL types.

Tensors are builtin tensors: `tensor<1x784xf32>`, `?` for an unknown dimension,
`tensor<*xf32>` for an unknown rank. Integers carry their sign (`si64`, `ui8`) and ONNX `bool`
is `i1`. What builtin types lack is defined here.
"""

from __future__ import annotations

from typing import Final, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ComplexType,
    IntegerType,
    NoneType,
    Signedness,
    TensorType,
    UnrankedTensorType,
    bf16,
    f4E2M1FN,
    f6E2M3FN,
    f6E3M2FN,
    f8E4M3FN,
    f8E4M3FNUZ,
    f8E5M2,
    f8E5M2FNUZ,
    f8E8M0FNU,
    f16,
    f32,
    f64,
    i1,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition


@irdl_attr_definition
class StringType(ParametrizedAttribute, TypeAttribute):
    """Element type of string tensors; elements are byte strings."""

    name = "onnx.string"


@irdl_attr_definition
class UnknownType(ParametrizedAttribute, TypeAttribute):
    """The type of a value that shape inference could not find out."""

    name = "onnx.unknown"


@irdl_attr_definition
class SequenceType(ParametrizedAttribute, TypeAttribute):
    """An ONNX sequence of values of one type."""

    name = "onnx.seq"

    element: Attribute


@irdl_attr_definition
class OptionalType(ParametrizedAttribute, TypeAttribute):
    """An ONNX optional: a value or nothing, decided at run time."""

    name = "onnx.optional"

    element: Attribute


@irdl_attr_definition
class MapType(ParametrizedAttribute, TypeAttribute):
    """An ONNX map from integer or string keys to values."""

    name = "onnx.map"

    key: Attribute
    value: Attribute


@irdl_attr_definition
class SparseTensorType(ParametrizedAttribute, TypeAttribute):
    """A tensor in ONNX's sparse form; `dense` is the type of the same tensor, densified."""

    name = "onnx.sparse"

    dense: Attribute


string = StringType()
unknown = UnknownType()
none = NoneType()
"""Type of an omitted optional input or output."""


def _integer(width: int, signed: bool) -> IntegerType:
    return IntegerType(width, Signedness.SIGNED if signed else Signedness.UNSIGNED)


ELEMENT_TYPES: Final[dict[int, Attribute]] = {
    1: f32,
    2: _integer(8, False),
    3: _integer(8, True),
    4: _integer(16, False),
    5: _integer(16, True),
    6: _integer(32, True),
    7: _integer(64, True),
    8: string,
    9: i1,
    10: f16,
    11: f64,
    12: _integer(32, False),
    13: _integer(64, False),
    14: ComplexType(f32),
    15: ComplexType(f64),
    16: bf16,
    17: f8E4M3FN,
    18: f8E4M3FNUZ,
    19: f8E5M2,
    20: f8E5M2FNUZ,
    21: _integer(4, False),
    22: _integer(4, True),
    23: f4E2M1FN,
    24: f8E8M0FNU,
    25: _integer(2, False),
    26: _integer(2, True),
    27: f6E2M3FN,
    28: f6E3M2FN,
}
"""`onnx.TensorProto.DataType` number to element type."""

_DATA_TYPES: Final[dict[Attribute, int]] = {t: number for number, t in ELEMENT_TYPES.items()}

ELEMENT_BITS: Final[dict[int, int]] = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13, 14), 64),
    15: 128,
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
    **dict.fromkeys((27, 28), 6),
}
"""Bits per element in `raw_data`; strings have none. Narrow elements are packed, lowest bits
first, and the last byte is padded."""

PLAIN_NUMPY: Final[dict[int, str]] = {
    1: "<f4",
    2: "u1",
    3: "i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "?",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
    14: "<c8",
    15: "<c16",
}
"""Data types that NumPy has by itself; all others need `ml_dtypes`."""


def data_type(element_type: Attribute) -> int:
    """The `TensorProto.DataType` number of an element type; `KeyError` where ONNX has none."""
    return _DATA_TYPES[element_type]


def ranked(kind: Attribute) -> TensorType | None:
    """The type itself if it is a tensor of known rank, else None."""
    return cast(TensorType, kind) if isinstance(kind, TensorType) else None


def unranked(kind: Attribute) -> UnrankedTensorType | None:
    """The type itself if it is a tensor of unknown rank, else None."""
    return cast(UnrankedTensorType, kind) if isinstance(kind, UnrankedTensorType) else None


def static_shape(kind: Attribute) -> tuple[int, ...] | None:
    """The dimensions of a tensor type if all of them are known, else None."""
    tensor = ranked(kind)
    if tensor is None or DYNAMIC_INDEX in tensor.get_shape():
        return None
    return tensor.get_shape()
