"""Tensor constants of the `onnx` dialect, held as the bytes that the ONNX file holds.

Elements are stored in ONNX's `raw_data` layout: row-major, little-endian, elements below
eight bits packed from the lowest bit. Reading a constant of a type that NumPy has costs nothing,
and fifty million weights are copied once, out of the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    ArrayAttr,
    BytesAttr,
    IntegerType,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import MAX_READABLE_ELEMENTS, PackedBytes, parse_hex, print_hex
from irc.dialects.onnx_types import (
    ELEMENT_BITS,
    ELEMENT_TYPES,
    PLAIN_NUMPY,
    StringType,
    data_type,
    string,
)

Array = npt.NDArray[Any]

_READABLE = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13})
"""Data types whose numbers print exactly as decimal text."""

_INT64 = 7

MAX_DENSE = 2**24
"""Elements that a sparse tensor may unfold to; its size in the file says nothing of them."""

_FROM_NUMPY = {np.dtype(code).newbyteorder("<"): number for number, code in PLAIN_NUMPY.items()}


def bytes_of_string(attribute: StringAttr | BytesAttr) -> bytes:
    """The bytes of one string element or string attribute."""
    if isinstance(attribute, BytesAttr):
        return attribute.data
    return attribute.data.encode("utf-8")


def string_attribute(data: bytes) -> StringAttr | BytesAttr:
    """A string attribute where the bytes are UTF-8, a bytes attribute otherwise."""
    try:
        return StringAttr(data.decode("utf-8"))
    except UnicodeDecodeError:
        return BytesAttr(data)


@irdl_attr_definition
class TensorAttr(ParametrizedAttribute):
    """A constant tensor of any ONNX element type.

    `#onnx.tensor<tensor<2xf32>, [0.5, -1.0]>`, packed when it is large or has no decimal form:
    `#onnx.tensor<tensor<64x784xf32>, "0x…">`; string tensors hold an array of strings.
    """

    name = "onnx.tensor"

    type: TensorType
    data: PackedBytes | ArrayAttr[Attribute]

    @staticmethod
    def from_bytes(data_type: int, shape: Sequence[int], data: bytes) -> TensorAttr:
        """Wrap `raw_data` of a `TensorProto.DataType`, without looking at it."""
        return TensorAttr(TensorType(ELEMENT_TYPES[data_type], shape), PackedBytes(data))

    @staticmethod
    def from_strings(shape: Sequence[int], data: Sequence[bytes]) -> TensorAttr:
        """A string tensor, elements in row-major order."""
        return TensorAttr(
            TensorType(string, shape), ArrayAttr([string_attribute(item) for item in data])
        )

    @staticmethod
    def from_numpy(values: npt.ArrayLike) -> TensorAttr:
        """A constant of the array's own dtype (float64 stays f64; bool becomes i1).

        Raises `TypeError` for a dtype that ONNX lacks.
        """
        array = np.asarray(values)
        if array.dtype.kind in "OSUT":
            items: list[Any] = array.reshape(-1).tolist()
            return TensorAttr.from_strings(
                array.shape, [s if isinstance(s, bytes) else str(s).encode() for s in items]
            )
        number = _FROM_NUMPY.get(array.dtype.newbyteorder("<"))
        if number is not None:
            data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
            return TensorAttr.from_bytes(number, array.shape, data)
        from onnx import numpy_helper

        proto = numpy_helper.from_array(array)
        return TensorAttr.from_bytes(proto.data_type, array.shape, proto.raw_data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Dimensions, outermost first."""
        return self.type.get_shape()

    @property
    def element_type(self) -> Attribute:
        """The type of one element."""
        return self.type.element_type

    @property
    def data_type(self) -> int:
        """The `TensorProto.DataType` number."""
        return data_type(self.element_type)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    @property
    def raw(self) -> bytes:
        """The packed bytes; `TypeError` for string tensors."""
        if not isinstance(self.data, PackedBytes):
            raise TypeError("string tensors have no packed bytes")
        return self.data.data

    @property
    def strings(self) -> list[bytes]:
        """Elements of a string tensor; `TypeError` for others."""
        if isinstance(self.data, PackedBytes):
            raise TypeError(f"{self.type} holds no strings")
        items = cast(ArrayAttr[StringAttr | BytesAttr], self.data)
        return [bytes_of_string(item) for item in items]

    def numpy(self) -> Array:
        """The values, in `shape`, read-only, and sharing memory where NumPy has the type.

        bfloat16, float8 and four- and two-bit types come as `ml_dtypes`, strings as `object`
        arrays of `str` (of `bytes` where they are not UTF-8).
        """
        if not isinstance(self.data, PackedBytes):
            array = np.empty(self.size, object)
            for index, item in enumerate(self.data):
                array[index] = cast(StringAttr | BytesAttr, item).data
            array = array.reshape(self.shape)
        elif (code := PLAIN_NUMPY.get(self.data_type)) is not None:
            array = np.frombuffer(self.data.data, code, self.size).reshape(self.shape)
        else:
            from onnx import TensorProto, numpy_helper

            proto = TensorProto(data_type=self.data_type, dims=self.shape, raw_data=self.data.data)
            array = numpy_helper.to_array(proto)
        array.flags.writeable = False
        return array

    def verify(self) -> None:
        if any(dim < 0 for dim in self.shape):
            raise VerifyException(f"a constant needs a static shape, not {self.type}")
        try:
            number = self.data_type
        except KeyError:
            raise VerifyException(f"ONNX has no element type {self.element_type}") from None
        if isinstance(self.data, PackedBytes):
            if isinstance(self.element_type, StringType):
                raise VerifyException("a string tensor holds an array of strings")
            expected = (self.size * ELEMENT_BITS[number] + 7) // 8
            given = len(self.data.data)
            unit = "bytes"
        else:
            if not isinstance(self.element_type, StringType):
                raise VerifyException(f"{self.type} does not hold strings")
            if not all(isinstance(item, StringAttr | BytesAttr) for item in self.data):
                raise VerifyException("elements of a string tensor must be strings")
            expected, given, unit = self.size, len(self.data), "strings"
        if given != expected:
            raise VerifyException(f"{self.type} takes {expected} {unit}, but {given} are given")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            position = parser.pos
            tensor = parser.parse_type()
            if not isinstance(tensor, TensorType):
                parser.raise_error("expected a tensor type", position)
            tensor = cast(TensorType, tensor)
            parser.parse_punctuation(",")
            if isinstance(tensor.element_type, StringType):
                items = parser.parse_comma_separated_list(
                    parser.Delimiter.SQUARE, lambda: _parse_string(parser)
                )
                return (tensor, ArrayAttr(items))
            if parser.parse_optional_punctuation("["):
                return (tensor, PackedBytes(_parse_numbers(parser, tensor)))
            return (tensor, PackedBytes(parse_hex(parser)))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.type)
            printer.print_string(", ")
            if not isinstance(self.data, PackedBytes):
                with printer.in_square_brackets():
                    printer.print_list(self.strings, printer.print_bytes_literal)
                return
            values = None
            if self.size <= MAX_READABLE_ELEMENTS and self.data_type in _READABLE:
                values = self.numpy().reshape(-1)
            if values is None or not np.isfinite(values).all():
                print_hex(printer, self.data.data)
            else:
                with printer.in_square_brackets():
                    printer.print_list(values, lambda x: printer.print_string(_readable(x.item())))


def _parse_string(parser: AttrParser) -> StringAttr | BytesAttr:
    text = parser.parse_optional_str_literal()
    return BytesAttr(parser.parse_bytes_literal()) if text is None else StringAttr(text)


def _readable(value: float | bool) -> str:
    """Text that parses back to the same value of the narrower type."""
    if isinstance(value, bool):
        return str(int(value))
    text = repr(value)
    # The lexer wants a decimal point: 1e+16 is two tokens, 1.0e+16 is one.
    return text if "." in text else text.replace("e", ".0e")


def _parse_numbers(parser: AttrParser, tensor: TensorType) -> bytes:
    position = parser.pos
    numbers: list[int | float] = []
    while not parser.parse_optional_punctuation("]"):
        if numbers:
            parser.parse_punctuation(",")
        numbers.append(parser.parse_number())
    count = math.prod(tensor.get_shape())
    if len(numbers) != count:
        parser.raise_error(f"{tensor} has {count} elements, {len(numbers)} given", position)
    try:
        code = PLAIN_NUMPY[data_type(tensor.element_type)]
    except KeyError:
        parser.raise_error(f'{tensor} can only be written as "0x…"', position)
    if isinstance(tensor.element_type, IntegerType) and not all(
        isinstance(number, int) for number in numbers
    ):
        parser.raise_error(f"{tensor} holds integers only", position)
    try:
        with np.errstate(over="raise"):
            return np.array(numbers, object).astype(code).tobytes()
    except (OverflowError, FloatingPointError):
        parser.raise_error(f"a number does not fit {tensor}", position)


@irdl_attr_definition
class SparseTensorAttr(ParametrizedAttribute):
    """A constant in ONNX's sparse form: `values` [NNZ] and `indices` [NNZ] or [NNZ, rank].

    Indices are int64, into the flat tensor or by dimension, and count from the front only. The
    tensor has at most `MAX_DENSE` elements, since it is densified.
    """

    name = "onnx.sparse_tensor"

    type: TensorType
    values: TensorAttr
    indices: TensorAttr

    def verify(self) -> None:
        if self.values.element_type != self.type.element_type:
            raise VerifyException("values must have the element type of the tensor")
        shape, given = self.type.get_shape(), self.values.shape
        if any(dim < 0 for dim in shape):
            raise VerifyException(f"a constant needs a static shape, not {self.type}")
        count = math.prod(shape)
        # Strides are computed from the others even where one dimension is 0.
        if math.prod(dim for dim in shape if dim) > MAX_DENSE:
            raise VerifyException(
                f"a sparse tensor of shape {list(shape)} has {count} elements; at most {MAX_DENSE} "
                "are accepted"
            )
        fitting = self.indices.shape in (given, (*given, len(shape)))
        if len(given) != 1 or given[0] > count or not fitting:
            raise VerifyException(
                f"values of shape {list(given)} and indices of shape {list(self.indices.shape)} do "
                f"not make a sparse tensor of shape {list(shape)}; expected [N], and [N] or "
                f"[N, {len(shape)}], with N at most {count}"
            )
        if self.indices.data_type != _INT64:
            raise VerifyException("indices of a sparse tensor must be int64")
        indices = self.indices.numpy()
        extents = np.array(shape if indices.ndim == 2 else count, np.int64)
        if ((indices < 0) | (indices >= extents)).any():
            raise VerifyException(f"an index of a sparse tensor is outside its shape {list(shape)}")


__all__ = [
    "Array",
    "SparseTensorAttr",
    "TensorAttr",
    "bytes_of_string",
    "string_attribute",
]
