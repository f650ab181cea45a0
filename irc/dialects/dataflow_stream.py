"""The type of a stream: how the elements of a frame follow one another on a bus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import IntAttr, TensorType
from xdsl.ir import Attribute, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import element_width, is_exact


@irdl_attr_definition
class StreamType(ParametrizedAttribute, TypeAttribute):
    """Frames of a tensor type, `lanes` elements a beat.

    `!dataflow.stream<tensor<784x!bnn.bipolar>, 16>`: elements in row-major order, channels last;
    lane 0 comes first and lies in the least significant bits. Every frame takes the same whole
    number of beats, so `lanes` divides its number of elements.
    """

    name = "dataflow.stream"

    frame: TensorType
    lanes_attr: IntAttr

    @staticmethod
    def of(frame: TensorType[Attribute], lanes: int) -> StreamType:
        """A stream of `frame` with `lanes` elements a beat."""
        return StreamType(frame, IntAttr(lanes))

    @property
    def lanes(self) -> int:
        """Elements a beat."""
        return self.lanes_attr.data

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a frame."""
        return self.frame.get_shape()

    @property
    def element_type(self) -> Attribute:
        """The type of one element."""
        return self.frame.element_type

    @property
    def element_width(self) -> int:
        """Bits of one element."""
        return element_width(self.element_type)

    @property
    def elements(self) -> int:
        """Elements of a frame."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """The extent of the last axis; 1 for a scalar frame."""
        return self.shape[-1] if self.shape else 1

    @property
    def beats(self) -> int:
        """Beats a frame."""
        return self.elements // self.lanes

    @property
    def beat_width(self) -> int:
        """Bits of a beat, without padding."""
        return self.lanes * self.element_width

    @property
    def tdata_width(self) -> int:
        """Bits of AXI4-Stream TDATA: a beat, padded to whole bytes."""
        return (self.beat_width + 7) // 8 * 8

    def with_lanes(self, lanes: int) -> StreamType:
        """The same frames on a bus of another width."""
        return StreamType.of(self.frame, lanes)

    def with_shape(self, shape: Sequence[int]) -> StreamType:
        """The same beats, read as frames of another shape."""
        return StreamType.of(TensorType(self.element_type, shape), self.lanes)

    def verify(self) -> None:
        if any(extent < 1 for extent in self.shape):
            raise VerifyException(f"a stream needs a static frame with elements, not {self.frame}")
        if not is_exact(self.element_type):
            raise VerifyException(f"a stream carries exact elements, not {self.element_type}")
        element_width(self.element_type)
        if self.lanes < 1 or self.elements % self.lanes:
            raise VerifyException(
                f"{self.lanes} lanes do not divide the {self.elements} elements of {self.frame}"
            )

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            position = parser.pos
            frame = parser.parse_type()
            if not isinstance(frame, TensorType):
                parser.raise_error("expected a tensor type", position)
            parser.parse_punctuation(",")
            lanes = parser.parse_integer(allow_boolean=False)
        return (cast("TensorType[Attribute]", frame), IntAttr(lanes))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.frame)
            printer.print_string(f", {self.lanes}")


def stream_type(value: SSAValue) -> StreamType:
    """The stream type of a value that is known to be one."""
    assert isinstance(value.type, StreamType)
    return value.type
