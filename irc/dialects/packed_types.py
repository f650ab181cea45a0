"""Types of the `packed` dialect: buffers in memory, laid out to the bit.

Bit vectors are stored in words of 8, 16, 32 or 64 bits: element `i` of a row is bit `i mod W` of
word `i div W`, so that packing is done by shifts and is the same on every byte order. The last
word of a row is filled up with zeros, in weights and in activations alike.

A `B`-bit integer is stored as `B` such vectors, its bit-planes: `x = Σ_j 2^j · x_j`, where the top
plane of a signed integer counts −2^(B−1) (two's complement). `!bnn.bipolar` is one plane in which
1 stands for +1 and 0 for −1. Bit-planes for low-bit networks: Zhou et al., "DoReFa-Net", 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, IntAttr, StringAttr
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, element_range, element_width, is_exact, sint, uint

Array = npt.NDArray[Any]

WORD_WIDTHS = (8, 16, 32, 64)


def storage_type(element_type: Attribute) -> Attribute:
    """The C type in which an array holds `element_type`: the narrowest of 8 to 64 bits, or f32.

    Bipolar elements are stored as −1 and +1 in 8 signed bits.
    """
    if isinstance(element_type, Float32Type):
        return element_type
    container = container_width(element_type)
    return sint(container) if is_signed(element_type) else uint(container)


def container_width(element_type: Attribute) -> int:
    """Bits of the narrowest C integer that holds an exact type."""
    width = element_width(element_type)
    return next(word for word in WORD_WIDTHS if width <= word)


def is_signed(element_type: Attribute) -> bool:
    """Whether an exact type has negative values."""
    return element_range(element_type)[0] < 0


def region_name(element_type: Attribute) -> str:
    """The arena region where values of this type live, such as `u32`, `i16` or `f32`.

    Storage of different C types never overlaps: reusing an object under another type would break
    C's aliasing rules, and compilers do use them.
    """
    if isinstance(element_type, Float32Type):
        return "f32"
    return f"{'i' if is_signed(element_type) else 'u'}{container_width(element_type)}"


def region_dtype(region: str) -> str:
    """The NumPy type of a region, such as `u4` for `u32`."""
    return f"{region[0]}{int(region[1:]) // 8}"


def numpy_dtype(element_type: Attribute) -> np.dtype[Any]:
    """The NumPy type with which the interpreter holds an array of `element_type`."""
    return np.dtype(region_dtype(region_name(element_type)))


@irdl_attr_definition
class ArrayType(ParametrizedAttribute, TypeAttribute):
    """`!packed.array<784xui8>`: elements in row-major order, each in `storage_type`."""

    name = "packed.array"
    size: IntAttr
    element_type: Attribute

    @staticmethod
    def of(size: int, element_type: Attribute) -> ArrayType:
        """An array of `size` elements."""
        return ArrayType(IntAttr(size), element_type)

    @property
    def length(self) -> int:
        """How many elements there are."""
        return self.size.data

    @property
    def region(self) -> str:
        """The arena region that holds the array (see `region_name`)."""
        return region_name(self.element_type)

    def verify(self) -> None:
        if not is_exact(self.element_type) and not isinstance(self.element_type, Float32Type):
            raise VerifyException(f"{self.element_type} cannot be stored in an array")
        if self.length < 1:
            raise VerifyException("an array needs at least one element")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            position = parser.pos
            shape, element_type = parser.parse_ranked_shape()
            if len(shape) != 1:
                parser.raise_error("expected <SIZExTYPE>", position)
            return (IntAttr(shape[0]), element_type)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.length}x")
            printer.print_attribute(self.element_type)


@irdl_attr_definition
class BitsType(ParametrizedAttribute, TypeAttribute):
    """`!packed.bits<1x784x!bnn.bipolar, 32>`: rows of bit-planes in words of 32 bits.

    Words lie in the order [row, plane, word].
    """

    name = "packed.bits"
    row_count: IntAttr
    row_size: IntAttr
    element_type: Attribute
    word_width: IntAttr

    @staticmethod
    def of(rows: int, width: int, element_type: Attribute, word: int) -> BitsType:
        """`rows` rows of `width` elements in words of `word` bits."""
        return BitsType(IntAttr(rows), IntAttr(width), element_type, IntAttr(word))

    @property
    def rows(self) -> int:
        """How many rows there are; each starts a new word."""
        return self.row_count.data

    @property
    def width(self) -> int:
        """Elements in a row."""
        return self.row_size.data

    @property
    def word(self) -> int:
        """Bits in a word."""
        return self.word_width.data

    @property
    def planes(self) -> int:
        """Bits of an element."""
        return element_width(self.element_type)

    @property
    def words(self) -> int:
        """Words in one plane of one row."""
        return words_for(self.width, self.word)

    @property
    def length(self) -> int:
        """Words altogether."""
        return self.rows * self.planes * self.words

    @property
    def region(self) -> str:
        """The arena region that holds the words."""
        return f"u{self.word}"

    def verify(self) -> None:
        if not is_exact(self.element_type):
            raise VerifyException(f"{self.element_type} has no bit-planes")
        if self.word not in WORD_WIDTHS:
            raise VerifyException(f"words have 8, 16, 32 or 64 bits, not {self.word}")
        if self.rows < 1 or self.width < 1:
            raise VerifyException("a bit vector needs at least one row and one element")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            position = parser.pos
            shape, element_type = parser.parse_ranked_shape()
            if len(shape) != 2:
                parser.raise_error("expected <ROWSxWIDTHxTYPE, WORD>", position)
            parser.parse_punctuation(",")
            word = parser.parse_integer(allow_boolean=False, allow_negative=False)
            return (IntAttr(shape[0]), IntAttr(shape[1]), element_type, IntAttr(word))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.rows}x{self.width}x")
            printer.print_attribute(self.element_type)
            printer.print_string(f", {self.word}")


@irdl_attr_definition
class SlotAttr(ParametrizedAttribute):
    """`#packed.slot<"u32", 12>`: a place in the arena, counted in elements of its region."""

    name = "packed.slot"
    region: StringAttr
    start: IntAttr

    @staticmethod
    def of(region: str, offset: int) -> SlotAttr:
        """Element `offset` of `region`."""
        return SlotAttr(StringAttr(region), IntAttr(offset))

    @property
    def offset(self) -> int:
        """Elements before the first one."""
        return self.start.data

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            region = parser.parse_str_literal(" naming an arena region")
            parser.parse_punctuation(",")
            offset = parser.parse_integer(allow_boolean=False, allow_negative=False)
            return (StringAttr(region), IntAttr(offset))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f'"{self.region.data}", {self.offset}')


@irdl_attr_definition
class ResultSlotAttr(ParametrizedAttribute):
    """`#packed.result<0>`: the caller's memory for function result 0."""

    name = "packed.result"
    number: IntAttr

    @staticmethod
    def of(index: int) -> ResultSlotAttr:
        """The buffer of function result `index`."""
        return ResultSlotAttr(IntAttr(index))

    @property
    def index(self) -> int:
        """Which function result."""
        return self.number.data

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return (IntAttr(parser.parse_integer(allow_boolean=False, allow_negative=False)),)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.index))


def words_for(bits: int, word: int) -> int:
    """Words of `word` bits that hold `bits` bits: `ceil(bits / word)`."""
    return -(-bits // word)


def pack_words(bits: Array, word: int) -> Array:
    """Bits along the last axis, [..., K], into unsigned words, [..., ceil(K / word)].

    Bit `i` becomes bit `i mod word` of word `i div word`; padding bits are zero.
    """
    count = words_for(bits.shape[-1], word)
    packed = np.packbits(bits.astype(bool, copy=False), axis=-1, bitorder="little")
    room = np.zeros((*bits.shape[:-1], count * word // 8), np.uint8)
    room[..., : packed.shape[-1]] = packed
    return room.view(f"<u{word // 8}")


def unpack_words(words: Array, bits: int) -> Array:
    """The inverse of `pack_words`: uint8 zeros and ones, [..., bits]."""
    raw = np.ascontiguousarray(words, words.dtype.newbyteorder("<")).view(np.uint8)
    return np.unpackbits(raw, axis=-1, count=bits, bitorder="little")


def to_planes(values: Array, element_type: Attribute, word: int) -> Array:
    """Values, [..., K], as words of bit-planes, [..., B, ceil(K / word)]."""
    if isinstance(element_type, BipolarType):
        return pack_words(values > 0, word)[..., None, :]
    planes = range(element_width(element_type))
    codes = values.astype(np.int64) if element_width(element_type) < 64 else values
    return np.stack([pack_words((codes >> j) & 1, word) for j in planes], axis=-2)


def plane_weights(element_type: Attribute) -> tuple[int, ...]:
    """What each plane counts: `2^j`, the top one of a signed integer `−2^(B−1)`; bipolar `(1,)`."""
    if isinstance(element_type, BipolarType):
        return (1,)
    width = element_width(element_type)
    counts = [1 << j for j in range(width)]
    if is_signed(element_type):
        counts[-1] = -counts[-1]
    return tuple(counts)


__all__ = [
    "WORD_WIDTHS",
    "ArrayType",
    "BitsType",
    "ResultSlotAttr",
    "SlotAttr",
    "container_width",
    "is_signed",
    "numpy_dtype",
    "pack_words",
    "plane_weights",
    "region_dtype",
    "region_name",
    "storage_type",
    "to_planes",
    "unpack_words",
    "words_for",
]
