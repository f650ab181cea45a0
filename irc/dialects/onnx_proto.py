"""Between the `onnx` dialect's types and attributes and ONNX's protobuf messages (imports onnx).

Nothing here reads files or walks graphs: see `irc.frontend.import_onnx` and
`irc.dialects.onnx_to_proto`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from onnx import SparseTensorProto, TensorProto, TypeProto, numpy_helper
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    TensorType,
    UnrankedTensorType,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.dialects.onnx_tensor import (
    SparseTensorAttr,
    TensorAttr,
)
from irc.dialects.onnx_types import (
    ELEMENT_BITS,
    ELEMENT_TYPES,
    MapType,
    OptionalType,
    SequenceType,
    SparseTensorType,
    StringType,
    data_type,
    unknown,
)

MAX_ELEMENTS = 2**31
"""Tensors with more elements are taken for a mistake in the file."""


MAX_RANK = 64
"""What NumPy's arrays can have."""


class ProtoError(Exception):
    """A message that cannot be represented; the text says what is wrong with it."""


# Types


def type_from_proto(proto: TypeProto) -> Attribute:
    """The type of a value; `!onnx.unknown` where the message says nothing of use."""
    match proto.WhichOneof("value"):
        case "tensor_type":
            return _tensor_type_from_proto(proto.tensor_type)
        case "sequence_type":
            return SequenceType(type_from_proto(proto.sequence_type.elem_type))
        case "optional_type":
            return OptionalType(type_from_proto(proto.optional_type.elem_type))
        case "map_type":
            key = ELEMENT_TYPES.get(proto.map_type.key_type, unknown)
            return MapType(key, type_from_proto(proto.map_type.value_type))
        case "sparse_tensor_type":
            return SparseTensorType(_tensor_type_from_proto(proto.sparse_tensor_type))
        case _:
            return unknown


def _tensor_type_from_proto(proto: TypeProto.Tensor | TypeProto.SparseTensor) -> Attribute:
    element = ELEMENT_TYPES.get(proto.elem_type)
    if element is None:
        return unknown
    if not proto.HasField("shape"):
        return UnrankedTensorType(element)
    shape = [
        dim.dim_value if dim.HasField("dim_value") else DYNAMIC_INDEX for dim in proto.shape.dim
    ]
    return TensorType(element, shape)


def dim_params(proto: TypeProto) -> list[str]:
    """Names of the dimensions of a tensor, "" for those without; empty if none has a name."""
    names = [dim.dim_param for dim in proto.tensor_type.shape.dim]
    return names if any(names) else []


def type_to_proto(kind: Attribute, names: Sequence[str] = ()) -> TypeProto | None:
    """The message for a type, dimension names included; None where the type is not known."""
    proto = TypeProto()
    match kind:
        case TensorType() | UnrankedTensorType():
            _fill_tensor_type(proto.tensor_type, cast(TensorType, kind), names)
        case SparseTensorType():
            _fill_tensor_type(proto.sparse_tensor_type, cast(TensorType, kind.dense), names)
        case SequenceType() | OptionalType():
            inner = type_to_proto(kind.element)
            if inner is None:
                return None
            target = proto.sequence_type if isinstance(kind, SequenceType) else proto.optional_type
            target.elem_type.CopyFrom(inner)
        case MapType():
            inner = type_to_proto(kind.value)
            if inner is None:
                return None
            proto.map_type.key_type = cast(TensorProto.DataType, data_type(kind.key))
            proto.map_type.value_type.CopyFrom(inner)
        case _:
            return None
    return proto


def _fill_tensor_type(
    proto: TypeProto.Tensor | TypeProto.SparseTensor,
    tensor: TensorType | UnrankedTensorType,
    names: Sequence[str],
) -> None:
    proto.elem_type = cast(TensorProto.DataType, data_type(tensor.element_type))
    if isinstance(tensor, UnrankedTensorType):
        return
    proto.shape.SetInParent()
    for index, size in enumerate(tensor.get_shape()):
        dim = proto.shape.dim.add()
        if size != DYNAMIC_INDEX:
            dim.dim_value = size
        elif index < len(names) and names[index]:
            dim.dim_param = names[index]


# Tensors


def check_dims(dims: Sequence[int]) -> int:
    """How many elements; `ProtoError` for negative dimensions and absurd counts."""
    for dim in dims:
        if dim < 0:
            raise ProtoError(f"dimension {dim} in shape {list(dims)} is negative")
    if len(dims) > MAX_RANK:
        raise ProtoError(f"{len(dims)} dimensions; at most {MAX_RANK} are accepted")
    count = math.prod(dims)
    # Strides are computed from the others even where one dimension is 0.
    if math.prod(dim for dim in dims if dim) > MAX_ELEMENTS:
        raise ProtoError(f"shape {list(dims)} has {count} elements; at most 2^31 are accepted")
    return count


def raw_size(number: int, count: int) -> int:
    """Bytes of `raw_data` for so many elements of a `DataType`."""
    return (count * ELEMENT_BITS[number] + 7) // 8


def tensor_from_proto(proto: TensorProto, external: bytes | None = None) -> TensorAttr:
    """The constant in a message; `external` are the bytes of a tensor stored in another file.

    Raises `ProtoError` where the data do not fit the declared shape and type.
    """
    count = check_dims(proto.dims)
    number = proto.data_type
    if number not in ELEMENT_TYPES:
        raise ProtoError(f"element type {number} is not one of ONNX's")
    if proto.HasField("segment"):
        raise ProtoError("tensors in segments are not supported")
    if number == TensorProto.STRING:
        if len(proto.string_data) != count:
            raise ProtoError(
                f"shape {list(proto.dims)} needs {count} strings, {len(proto.string_data)} given"
            )
        return TensorAttr.from_strings(proto.dims, proto.string_data)
    if external is None and proto.data_location == TensorProto.EXTERNAL:
        # ONNX's own conversion would look for the file in the current folder.
        raise ProtoError("data in another file are read for dense constants only")
    if external is None and not proto.HasField("raw_data"):
        return _from_typed_field(proto, count)
    data = proto.raw_data if external is None else external
    if len(data) != raw_size(number, count):
        kind = TensorProto.DataType.Name(cast(TensorProto.DataType, number)).lower()
        raise ProtoError(
            f"shape {list(proto.dims)} of {kind} needs {raw_size(number, count)} bytes, "
            f"{len(data)} given"
        )
    return TensorAttr.from_bytes(number, proto.dims, data)


_PER_INT32 = {21: 2, 22: 2, 23: 2, 25: 4, 26: 4}
_PER_ELEMENT = {14: 2, 15: 2}


def _from_typed_field(proto: TensorProto, count: int) -> TensorAttr:
    """From `float_data` and its like, in which complex numbers take two entries and narrow
    types share one (the low byte of an int32)."""
    number = proto.data_type
    given = max(
        len(proto.float_data),
        len(proto.int32_data),
        len(proto.int64_data),
        len(proto.double_data),
        len(proto.uint64_data),
    )
    expected = count * _PER_ELEMENT.get(number, 1)
    expected = -(-expected // _PER_INT32.get(number, 1))
    if given != expected:
        raise ProtoError(f"shape {list(proto.dims)} needs {expected} values, {given} given")
    try:
        array = numpy_helper.to_array(proto)
    except (ValueError, TypeError) as error:
        raise ProtoError(f"cannot be decoded: {error}") from None
    if number in (27, 28):
        packed = numpy_helper.from_array(array)
        return TensorAttr.from_bytes(number, proto.dims, packed.raw_data)
    return TensorAttr.from_numpy(array.reshape(tuple(proto.dims)))


def tensor_to_proto(tensor: TensorAttr, name: str = "") -> TensorProto:
    """The message for a constant, in `raw_data` (strings in `string_data`)."""
    proto = TensorProto(
        name=name, data_type=cast(TensorProto.DataType, tensor.data_type), dims=tensor.shape
    )
    if isinstance(tensor.element_type, StringType):
        proto.string_data.extend(tensor.strings)
    else:
        proto.raw_data = tensor.raw
    return proto


def sparse_from_proto(proto: SparseTensorProto) -> SparseTensorAttr:
    """The sparse constant in a message; `ProtoError` where its parts do not fit together."""
    check_dims(proto.dims)
    values, indices = tensor_from_proto(proto.values), tensor_from_proto(proto.indices)
    try:
        return SparseTensorAttr(TensorType(values.element_type, proto.dims), values, indices)
    except VerifyException as error:
        raise ProtoError(str(error)) from None


def sparse_to_proto(tensor: SparseTensorAttr, name: str = "") -> SparseTensorProto:
    """The message for a sparse constant, whose name is that of its values."""
    return SparseTensorProto(
        dims=tensor.type.get_shape(),
        values=tensor_to_proto(tensor.values, name),
        indices=tensor_to_proto(tensor.indices),
    )
