"""Between attributes of the `onnx` dialect and `AttributeProto` messages (imports onnx)."""

from __future__ import annotations

from typing import cast

import numpy as np
from onnx import AttributeProto, TypeProto
from xdsl.dialects.builtin import (
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    f32,
    i64,
)
from xdsl.ir import Attribute, TypeAttribute

from irc.dialects.onnx_proto import (
    ProtoError,
    sparse_from_proto,
    sparse_to_proto,
    tensor_from_proto,
    tensor_to_proto,
    type_from_proto,
    type_to_proto,
)
from irc.dialects.onnx_tensor import (
    SparseTensorAttr,
    TensorAttr,
    bytes_of_string,
    string_attribute,
)


def attribute_from_proto(proto: AttributeProto) -> Attribute:
    """The attribute for every kind but graphs; `ProtoError` for what has no value."""
    kind = proto.type or _guess_kind(proto)
    match kind:
        case AttributeProto.INT:
            return IntegerAttr(proto.i, i64)
        case AttributeProto.FLOAT:
            return FloatAttr(proto.f, f32)
        case AttributeProto.STRING:
            return string_attribute(proto.s)
        case AttributeProto.TENSOR:
            return tensor_from_proto(proto.t)
        case AttributeProto.SPARSE_TENSOR:
            return sparse_from_proto(proto.sparse_tensor)
        case AttributeProto.TYPE_PROTO:
            return type_from_proto(proto.tp)
        case AttributeProto.INTS:
            return DenseArrayBase.from_list(i64, list(proto.ints))
        case AttributeProto.FLOATS:
            return DenseArrayBase.from_list(f32, list(proto.floats))
        case AttributeProto.STRINGS:
            return ArrayAttr([string_attribute(item) for item in proto.strings])
        case AttributeProto.TENSORS:
            return ArrayAttr([tensor_from_proto(item) for item in proto.tensors])
        case AttributeProto.SPARSE_TENSORS:
            return ArrayAttr([sparse_from_proto(item) for item in proto.sparse_tensors])
        case AttributeProto.TYPE_PROTOS:
            return ArrayAttr([type_from_proto(item) for item in proto.type_protos])
        case _:
            raise ProtoError("has no value that can be represented")


def _guess_kind(proto: AttributeProto) -> int:
    """The type of an attribute written before ONNX recorded it (IR version 1)."""
    for field, kind in (
        ("f", AttributeProto.FLOAT),
        ("i", AttributeProto.INT),
        ("s", AttributeProto.STRING),
        ("t", AttributeProto.TENSOR),
        ("g", AttributeProto.GRAPH),
    ):
        if proto.HasField(field):
            return kind
    for values, kind in (
        (proto.floats, AttributeProto.FLOATS),
        (proto.ints, AttributeProto.INTS),
        (proto.strings, AttributeProto.STRINGS),
    ):
        if len(values):
            return kind
    return AttributeProto.UNDEFINED


def attribute_to_proto(name: str, attribute: Attribute) -> AttributeProto:
    """The message for an attribute; `ProtoError` for one that is not ONNX's."""
    proto = AttributeProto(name=name)
    match attribute:
        case IntegerAttr():
            proto.type, proto.i = AttributeProto.INT, attribute.value.data
        case FloatAttr():
            proto.type, proto.f = AttributeProto.FLOAT, attribute.value.data
        case StringAttr() | BytesAttr():
            proto.type, proto.s = AttributeProto.STRING, bytes_of_string(attribute)
        case TensorAttr():
            proto.type = AttributeProto.TENSOR
            proto.t.CopyFrom(tensor_to_proto(attribute))
        case SparseTensorAttr():
            proto.type = AttributeProto.SPARSE_TENSOR
            proto.sparse_tensor.CopyFrom(sparse_to_proto(attribute))
        case DenseArrayBase():
            if isinstance(attribute.elt_type, IntegerType):
                proto.type = AttributeProto.INTS
                proto.ints.extend(np.frombuffer(attribute.data.data, "<i8").tolist())
            else:
                proto.type = AttributeProto.FLOATS
                proto.floats.extend(np.frombuffer(attribute.data.data, "<f4").tolist())
        case TypeAttribute():
            proto.type = AttributeProto.TYPE_PROTO
            proto.tp.CopyFrom(type_to_proto(attribute) or TypeProto())
        case ArrayAttr():
            _fill_list(proto, list(attribute))
        case _:
            raise ProtoError(f"attribute {name!r} is no ONNX attribute: {attribute}")
    return proto


def _fill_list(proto: AttributeProto, items: list[Attribute]) -> None:
    # Only strings are kept as possibly empty arrays: tensors and types never come empty.
    if all(isinstance(item, StringAttr | BytesAttr) for item in items):
        proto.type = AttributeProto.STRINGS
        proto.strings.extend(bytes_of_string(cast(StringAttr, item)) for item in items)
    elif all(isinstance(item, TensorAttr) for item in items):
        proto.type = AttributeProto.TENSORS
        proto.tensors.extend(tensor_to_proto(cast(TensorAttr, item)) for item in items)
    elif all(isinstance(item, SparseTensorAttr) for item in items):
        proto.type = AttributeProto.SPARSE_TENSORS
        proto.sparse_tensors.extend(sparse_to_proto(cast(SparseTensorAttr, item)) for item in items)
    elif all(isinstance(item, TypeAttribute) for item in items):
        proto.type = AttributeProto.TYPE_PROTOS
        proto.type_protos.extend(type_to_proto(item) or TypeProto() for item in items)
    else:
        raise ProtoError(f"attribute {proto.name!r} mixes kinds")
