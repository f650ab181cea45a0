"""Typed constants, packed at the width of their element type.

Weights are what a network is made of, so their attribute has to be cheap: building
`DenseIntOrFPElementsAttr` from ten million Python numbers takes twelve seconds, packing the same
array here takes thirty milliseconds. Elements are stored one after another in row-major order,
`N` bits each, least significant bit first; the last byte is padded with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    Float32Type,
    IntegerType,
    Signedness,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

Array = npt.NDArray[Any]

MAX_READABLE_ELEMENTS = 32
"""Constants of at most this many elements print as numbers, larger ones as packed hex."""

MAX_WIDTH = 64

ELEMENTS_AT_ONCE = 1 << 20
"""Elements that are spread to single bits, a byte each, at a time; a multiple of 8, so that every
block takes whole bytes."""


@irdl_attr_definition
class BipolarType(ParametrizedAttribute, TypeAttribute):
    """One bit that stands for a sign: 1 is +1 and 0 is −1."""

    name = "bnn.bipolar"


bipolar = BipolarType()


def uint(width: int) -> IntegerType:
    """The unsigned integer type `ui<width>`."""
    return IntegerType(width, Signedness.UNSIGNED)


def sint(width: int) -> IntegerType:
    """The two's complement integer type `si<width>`."""
    return IntegerType(width, Signedness.SIGNED)


def smallest_int(low: int, high: int) -> IntegerType:
    """The narrowest type that holds every integer from `low` to `high`.

    Unsigned when nothing is negative; never narrower than one bit.
    """
    if low > high:
        raise ValueError(f"empty range [{low}, {high}]")
    if low >= 0:
        return uint(max(1, high.bit_length()))
    return sint(max((~low).bit_length(), max(0, high).bit_length()) + 1)


def element_width(element_type: Attribute) -> int:
    """Bits that one element takes; raises `ValueError` for a type that cannot be packed."""
    match element_type:
        case BipolarType():
            return 1
        case IntegerType() if 1 <= element_type.width.data <= MAX_WIDTH:
            return element_type.width.data
        case Float32Type():
            return 32
        case _:
            raise ValueError(
                f"{element_type} cannot be packed: expected !bnn.bipolar, f32 "
                f"or an integer of 1 to {MAX_WIDTH} bits"
            )


def element_range(element_type: Attribute) -> tuple[int, int]:
    """Smallest and largest value of an exact element type (bipolar: −1 and +1)."""
    match element_type:
        case BipolarType():
            return -1, 1
        case IntegerType():
            width = element_type.width.data
            if element_type.signedness.data == Signedness.SIGNED:
                return -(1 << (width - 1)), (1 << (width - 1)) - 1
            return 0, (1 << width) - 1
        case _:
            raise ValueError(f"{element_type} is not an exact type")


def is_exact(element_type: Attribute) -> bool:
    """Whether values of this type are bipolar or integer, hence free of rounding."""
    return isinstance(element_type, BipolarType | IntegerType)


def pack_elements(values: Array, element_type: Attribute) -> bytes:
    """Pack an array in row-major order; raises `ValueError` for values the type lacks."""
    flat = np.ascontiguousarray(values).reshape(-1)
    if isinstance(element_type, Float32Type):
        with np.errstate(over="ignore"):
            floats = flat.astype("<f4")
        if not np.array_equal(np.isinf(flat.astype(np.float64)), np.isinf(floats)):
            raise ValueError("values do not fit f32")
        return floats.tobytes()
    width = element_width(element_type)
    if isinstance(element_type, BipolarType):
        positive = flat > 0
        if not np.array_equal(flat, np.where(positive, 1, -1)):
            raise ValueError("bipolar values must be −1 or +1")
        return np.packbits(positive, bitorder="little").tobytes()
    low, high = element_range(element_type)
    if flat.dtype.kind == "f" and not (np.isfinite(flat) & (flat == np.rint(flat))).all():
        raise ValueError(f"{element_type} holds integers only")
    if flat.size and (int(flat.min()) < low or int(flat.max()) > high):
        raise ValueError(
            f"values from {flat.min()} to {flat.max()} do not fit {element_type} ({low} to {high})"
        )
    if width in (8, 16, 32, 64):
        return flat.astype(f"<{'i' if low < 0 else 'u'}{width // 8}").tobytes()
    if width == 1:
        return np.packbits(flat.astype(np.int64) & 1, bitorder="little").tobytes()
    parts: list[bytes] = []
    for start in range(0, flat.size, ELEMENTS_AT_ONCE):
        block = flat[start : start + ELEMENTS_AT_ONCE].astype(np.int64)
        pack = _pack_narrow if width < 8 else _pack_wide
        parts.append(pack(block, width))
    return b"".join(parts)


def _pack_narrow(codes: Array, width: int) -> bytes:
    """Eight elements at a time: they fill `width` bytes of one 64-bit word."""
    groups = np.zeros((-(-codes.size // 8), 8), np.uint64)
    groups.reshape(-1)[: codes.size] = codes & ((1 << width) - 1)
    words = np.zeros(len(groups), "<u8")
    for index in range(8):
        words |= groups[:, index] << np.uint64(width * index)
    data = words.view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    return data[: -(-codes.size * width // 8)]


def _pack_wide(codes: Array, width: int) -> bytes:
    bytes_each = codes.astype("<i8").view(np.uint8).reshape(codes.size, 8)
    bits = np.unpackbits(bytes_each, axis=1, bitorder="little")
    return np.packbits(bits[:, :width].reshape(-1), bitorder="little").tobytes()


def unpack_elements(data: bytes, element_type: Attribute, count: int) -> Array:
    """The inverse of `pack_elements`: bipolar as int8 ±1, integers as the smallest NumPy
    integer that holds them, f32 as float32. The result may share `data` and be read-only."""
    if isinstance(element_type, Float32Type):
        return np.frombuffer(data, "<f4", count)
    width = element_width(element_type)
    raw = np.frombuffer(data, np.uint8)
    if isinstance(element_type, BipolarType):
        bits = np.unpackbits(raw, count=count, bitorder="little")
        return (bits.astype(np.int8) << 1) - np.int8(1)
    signed = element_range(element_type)[0] < 0
    kind = "i" if signed else "u"
    if width in (8, 16, 32, 64):
        return np.frombuffer(data, f"<{kind}{width // 8}", count)
    values = np.empty(count, f"<{kind}{_container(width) // 8}")
    unpack = _unpack_narrow if width < 8 else _unpack_wide
    for start in range(0, count, ELEMENTS_AT_ONCE):
        block = values[start : start + ELEMENTS_AT_ONCE]
        block[:] = unpack(raw[start * width // 8 :], width, block.size)
    if signed:
        # From offset binary, in which subtraction of the sign bit cannot overflow.
        sign = values.dtype.type(1 << (width - 1))
        values ^= sign
        values -= sign
    return values


def _unpack_narrow(raw: Array, width: int, count: int) -> Array:
    """The inverse of `_pack_narrow`: uint8, without regard to signs."""
    groups = -(-count // 8)
    words = np.zeros((groups, 8), np.uint8)
    used = raw[: groups * width]
    padded = np.pad(used, (0, groups * width - used.size))
    words[:, :width] = padded.reshape(groups, width)
    columns = words.view("<u8")[:, :1] >> np.arange(0, 8 * width, width, dtype=np.uint64)
    return (columns.astype(np.uint8) & ((1 << width) - 1)).reshape(-1)[:count]


def _unpack_wide(raw: Array, width: int, count: int) -> Array:
    """The same for more bits: as many bytes as the container has."""
    bits = np.unpackbits(raw, count=count * width, bitorder="little")
    padded = np.zeros((count, _container(width)), np.uint8)
    padded[:, :width] = bits.reshape(count, width)
    codes = np.packbits(padded, axis=1, bitorder="little")
    return codes.view(f"<u{_container(width) // 8}").reshape(-1)


def _container(width: int) -> int:
    """Bits of the smallest NumPy integer that holds `width` bits."""
    return next(size for size in (8, 16, 32, 64) if width <= size)


@irdl_attr_definition
class PackedBytes(Data[bytes]):
    """Raw bytes, printed as `"0x…"`."""

    name = "bnn.bytes"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> bytes:
        with parser.in_angle_brackets():
            return parse_hex(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            print_hex(printer, self.data)


def parse_hex(parser: AttrParser) -> bytes:
    """Parse `"0x…"`, two digits a byte."""
    position = parser.pos
    text = parser.parse_str_literal(" of hexadecimal digits")
    try:
        if not text.startswith("0x"):
            raise ValueError
        return bytes.fromhex(text[2:])
    except ValueError:
        parser.raise_error('expected "0x" and two hexadecimal digits a byte', position)


def print_hex(printer: Printer, data: bytes) -> None:
    """Print bytes as `"0x…"`."""
    printer.print_string(f'"0x{data.hex()}"')


@irdl_attr_definition
class DenseAttr(ParametrizedAttribute):
    """A constant tensor of an exact type or f32.

    `#bnn.dense<tensor<2x3xsi4>, [1, -2, 3, 4, 5, -6]>`, or packed when it is large:
    `#bnn.dense<tensor<64x784x!bnn.bipolar>, "0x0f3c…">`.
    """

    name = "bnn.dense"

    type: TensorType
    data: PackedBytes

    @staticmethod
    def from_numpy(values: npt.ArrayLike, element_type: Attribute) -> DenseAttr:
        """Pack an array; raises `ValueError` for values that `element_type` lacks."""
        array = np.asarray(values)
        data = pack_elements(array, element_type)
        return DenseAttr(TensorType(element_type, array.shape), PackedBytes(data))

    @staticmethod
    def from_floats(values: npt.ArrayLike) -> DenseAttr:
        """Pack an array as f32."""
        return DenseAttr.from_numpy(np.asarray(values, np.float32), f32)

    @staticmethod
    def from_integers(values: npt.ArrayLike) -> DenseAttr:
        """Pack an array of integers in the narrowest type that holds them all."""
        array = np.asarray(values)
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        return DenseAttr.from_numpy(array, smallest_int(low, high))

    @property
    def shape(self) -> tuple[int, ...]:
        """Dimensions, outermost first."""
        return self.type.get_shape()

    @property
    def element_type(self) -> Attribute:
        """The type of one element."""
        return self.type.element_type

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    def numpy(self) -> Array:
        """The values, in `shape` (see `unpack_elements` for the NumPy types). Read-only."""
        array = unpack_elements(self.data.data, self.element_type, self.size).reshape(self.shape)
        array.flags.writeable = False
        return array

    def verify(self) -> None:
        try:
            width = element_width(self.element_type)
        except ValueError as error:
            raise VerifyException(str(error)) from None
        if any(dim < 0 for dim in self.shape):
            raise VerifyException(f"a constant needs a static shape, not {self.type}")
        expected = (self.size * width + 7) // 8
        if len(self.data.data) != expected:
            raise VerifyException(
                f"{self.type} takes {expected} bytes, but {len(self.data.data)} are given"
            )
        padding = expected * 8 - self.size * width
        if padding and self.data.data[-1] >> (8 - padding):
            raise VerifyException(f"the last {padding} bits of {self.type} must be 0")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            position = parser.pos
            tensor = parser.parse_type()
            if not isinstance(tensor, TensorType):
                parser.raise_error("expected a tensor type", position)
            tensor = cast("TensorType[Attribute]", tensor)
            parser.parse_punctuation(",")
            if parser.parse_optional_punctuation("["):
                data = _parse_numbers(parser, tensor)
            else:
                data = parse_hex(parser)
        return (tensor, PackedBytes(data))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.type)
            printer.print_string(", ")
            values = self.numpy().reshape(-1) if self.size <= MAX_READABLE_ELEMENTS else None
            if values is None or not bool(np.isfinite(values).all()):
                print_hex(printer, self.data.data)
            else:
                # repr of the double that equals a float32 parses back to the same float32.
                printer.print_string(str([value.item() for value in values]))


def _parse_numbers(parser: AttrParser, tensor: TensorType[Attribute]) -> bytes:
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
        # Left to itself, NumPy makes floats of integers that need 64 bits without a sign.
        whole = is_exact(tensor.element_type) and all(isinstance(x, int) for x in numbers)
        return pack_elements(np.array(numbers, object if whole else None), tensor.element_type)
    except ValueError as error:
        parser.raise_error(str(error), position)
