"""Padding of images and sequences in a stream."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    Float32Type,
    FloatAttr,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_node import Resources, divisors
from irc.dialects.dataflow_spatial import SpatialNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.padding import (
    PaddingOp,
    border_properties,
    check_border_value,
    padded_space,
)


@irdl_op_definition
class PadOp(PaddingOp, SpatialNode):
    """The frame with a border of `value`, as `bnn.pad`.

    Borders leave as soon as there is room for them, those in front of a frame before it comes. A
    beat may hold several neighbours along the innermost axis, with all their channels.
    """

    name = "dataflow.pad"
    value_attr = prop_def(FloatAttr[Float32Type], prop_name="value")
    assembly_format = (
        "$input `before` $before `after` $after `value` $value attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        before: Sequence[int],
        after: Sequence[int],
        pad_value: int,
        element_type: Attribute,
        lanes: int = 1,
    ) -> None:
        *space, channels = stream_type(value).shape
        padded = [size + b + a for size, b, a in zip(space, before, after, strict=True)]
        frame = TensorType(element_type, (*padded, channels))
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(frame, lanes)],
            properties={
                **border_properties(before, after),
                "value": FloatAttr(pad_value, f32),
            },
        )

    @property
    def pad_value(self) -> int:
        """What the border holds."""
        return int(self.value_attr.value.data)

    @property
    def pixels(self) -> int:
        """Elements in space in a beat, neighbours along the innermost axis, on either side."""
        return max(1, self.lanes // stream_type(self.input).channels)

    @property
    def chunks(self) -> int:
        return max(1, super().chunks)

    @property
    def first_inside(self) -> tuple[int, int]:
        """Row and column of the first element that is not border."""
        return _rows_and_columns(self.before, 0)

    @property
    def inner_size(self) -> tuple[int, int]:
        """Rows and columns of the input; a sequence is one row."""
        return _rows_and_columns(self.space, 1)

    @property
    def outer_size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        return _rows_and_columns(stream_type(self.output).shape[:-1], 1)

    def pixel_choices(self) -> list[int]:
        """How many elements in space a beat can hold, ascending: rows are whole beats before and
        after."""
        return divisors(math.gcd(self.inner_size[1], self.outer_size[1]))

    def inside(self) -> list[bool]:
        """For each beat of the output whether a beat of the input is taken for it: that which has
        the last of its elements, if one has."""
        (top, left), (rows, columns) = self.first_inside, self.inner_size
        height, width = self.outer_size
        first = left // self.pixels
        return [
            top <= y < top + rows and first <= x < first + columns // self.pixels
            for y in range(height)
            for x in range(width // self.pixels)
            for _ in range(self.chunks)
        ]

    def cycles(self) -> int:
        return stream_type(self.output).beats

    def latency(self) -> int:
        return 1

    def resources_at(self, lanes: int) -> Resources:
        result = stream_type(self.output)
        counters = (result.elements // lanes).bit_length()
        width = lanes * result.element_width
        return Resources(3 * counters + width, counters + width)

    def verify_(self) -> None:
        channels = stream_type(self.input).channels
        if self.pixels == 1:
            self.check_frame()
        elif self.lanes % channels or self.pixels not in self.pixel_choices():
            possible = ", ".join(str(channels * pixels) for pixels in self.pixel_choices())
            raise VerifyException(
                f"{self.lanes} lanes are no whole part of a row before and after; with all "
                f"channels, possible are {possible}"
            )
        source, result = stream_type(self.input), stream_type(self.output)
        padded = padded_space(self.space, self.before, self.after)
        if result.shape != (*padded, source.channels):
            raise VerifyException(
                f"the result has shape {[*padded, source.channels]}, not {result}"
            )
        value = self.value_attr.value.data
        check_border_value(value, source.element_type, result.element_type)


def _rows_and_columns(values: tuple[int, ...], row: int) -> tuple[int, int]:
    """An entry for rows, which for a sequence is `row`, and one for columns."""
    return (row, values[0]) if len(values) == 1 else (values[0], values[1])
