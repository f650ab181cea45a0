"""Padding of images and sequences in a stream."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    FloatAttr,
    IntegerAttr,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import integers, values_of
from irc.dialects.dataflow_node import Resources
from irc.dialects.dataflow_spatial import SpatialNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import BipolarType, element_range


@irdl_op_definition
class PadOp(SpatialNode):
    """The frame with a border of `value`, as `bnn.pad`.

    Borders leave as soon as there is room for them, those in front of a frame before it comes.
    """

    name = "dataflow.pad"
    before_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="before")
    after_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="after")
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
                "before": integers(before),
                "after": integers(after),
                "value": FloatAttr(pad_value, f32),
            },
        )

    @property
    def before(self) -> tuple[int, ...]:
        """Elements added in front, along each axis in space."""
        return values_of(self.before_attr)

    @property
    def after(self) -> tuple[int, ...]:
        """Elements added behind, along each axis in space."""
        return values_of(self.after_attr)

    @property
    def pad_value(self) -> int:
        """What the border holds."""
        return int(self.value_attr.value.data)

    @property
    def first_inside(self) -> tuple[int, int]:
        """Row and column of the first element that is not border."""
        return _rows_and_columns(self.before, 0)

    @property
    def inner_size(self) -> tuple[int, int]:
        """Rows and columns of the input; a sequence is one column."""
        return _rows_and_columns(self.space, 1)

    @property
    def outer_size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        return _rows_and_columns(stream_type(self.output).shape[:-1], 1)

    def inside(self) -> list[bool]:
        """For each beat of the output whether it comes from the input."""
        (top, left), (rows, columns) = self.first_inside, self.inner_size
        height, width = self.outer_size
        return [
            top <= y < top + rows and left <= x < left + columns
            for y in range(height)
            for x in range(width)
            for _ in range(self.chunks)
        ]

    def cycles(self) -> int:
        return stream_type(self.output).beats

    def latency(self) -> int:
        return 1

    def resources(self) -> Resources:
        counters = stream_type(self.output).beats.bit_length()
        width = stream_type(self.output).beat_width
        return Resources(3 * counters + width, counters + width)

    def verify_(self) -> None:
        self.check_frame()
        source, result = stream_type(self.input), stream_type(self.output)
        if len(self.before) != len(self.space) or len(self.after) != len(self.space):
            raise VerifyException(f"a border for each of the {len(self.space)} axes is needed")
        if min((*self.before, *self.after)) < 0:
            raise VerifyException("a border cannot be negative")
        padded = [s + b + a for s, b, a in zip(self.space, self.before, self.after, strict=True)]
        if result.shape != (*padded, source.channels):
            raise VerifyException(
                f"the result has shape {[*padded, source.channels]}, not {result}"
            )
        low, high = element_range(result.element_type)
        least, most = element_range(source.element_type)
        value = self.value_attr.value.data
        holds = value == int(value) and low <= value <= high and low <= least and most <= high
        if isinstance(result.element_type, BipolarType):
            holds = value in (-1, 1) and isinstance(source.element_type, BipolarType)
        if not holds:
            raise VerifyException(
                f"{result.element_type} holds not both {value:g} and every value of "
                f"{source.element_type}"
            )


def _rows_and_columns(values: tuple[int, ...], column: int) -> tuple[int, int]:
    """An entry for rows and one for columns, which for a sequence is `column`."""
    return values[0], values[1] if len(values) == 2 else column
