"""Operations that look at windows of images and sequences: padding, sliding windows, pools.

Frames are […space, channels] with one or two axes in space. The units take as many lanes as they
give, a divisor of the channels; the lanes of the input may differ until `insert-width-converters`
has run.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    FloatAttr,
    IntegerAttr,
    TensorType,
    f32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import check_windows, integers, values_of, window_counts
from irc.dialects.dataflow_node import DataflowNode, Resources
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import BipolarType, element_range
from irc.dialects.window_geometry import WindowGeometry


class SpatialNode(DataflowNode):
    """A unit on the elements of images, some channels at a time."""

    input = operand_def(StreamType)
    output = result_def(StreamType)
    traits = traits_def(Pure())

    @property
    def lanes(self) -> int:
        """Channels a beat, on either side."""
        return stream_type(self.output).lanes

    def input_lanes(self) -> int:
        """Elements a beat that the unit takes."""
        return self.lanes

    @property
    def chunks(self) -> int:
        """Beats of one element in space."""
        return stream_type(self.input).channels // self.lanes

    @property
    def space(self) -> tuple[int, ...]:
        """The axes in space of the input."""
        return stream_type(self.input).shape[:-1]

    @property
    def input_beats(self) -> int:
        """Beats of an input frame, at the lanes that the unit takes."""
        return stream_type(self.input).elements // self.lanes

    def check_frame(self) -> None:
        """Raise unless there are one or two axes in space, and lanes that divide the channels."""
        source = stream_type(self.input)
        if len(source.shape) not in (2, 3):
            raise VerifyException(
                f"a frame has one or two axes in space and then channels, unlike {source}"
            )
        if source.channels % self.lanes:
            raise VerifyException(
                f"{self.lanes} lanes do not divide the {source.channels} channels of {source}"
            )


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


class _WindowedNode(SpatialNode):
    """A unit that looks at windows of `kernel` elements."""

    kernel_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="kernel")
    strides_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="strides")

    @property
    def kernel(self) -> tuple[int, ...]:
        """Extent of the window along each axis."""
        return values_of(self.kernel_attr)

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance of neighbouring windows along each axis."""
        return values_of(self.strides_attr)

    @property
    @abstractmethod
    def dilations(self) -> tuple[int, ...]:
        """Distance of neighbouring elements of a window along each axis."""

    def geometry(self) -> WindowGeometry:
        """Where the windows lie."""
        return WindowGeometry.of(self.space, self.kernel, self.strides, self.dilations, self.chunks)

    def check_windows(self) -> tuple[int, ...]:
        """How many windows there are along each axis; raises where they do not fit."""
        self.check_frame()
        check_windows(self.space, self.kernel, self.strides, self.dilations)
        return window_counts(self.space, self.kernel, self.strides, self.dilations)


@irdl_op_definition
class WindowOp(_WindowedNode):
    """Every window of the frame, one after another, as the rows of a matrix-vector product.

    `y[p, (k, c)] = x[p·stride + k·dilation, c]`: a frame […space, C] becomes […counts, K·C], K
    the elements of the kernel in row-major order, channels last. Rows go through a circular
    buffer: windows leave while the rows of the next ones come in.

    With `groups`, the channels of a window come group by group, `(g, k, c)` with C/G channels c.
    """

    name = "dataflow.window"
    dilations_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="dilations")
    groups_attr = opt_prop_def(IntegerAttr[I64], prop_name="groups")
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `dilations` $dilations "
        "(`groups` $groups^)? attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        lanes: int = 1,
        groups: int = 1,
    ) -> None:
        source = stream_type(value)
        counts = window_counts(source.shape[:-1], kernel, strides, dilations)
        shape = (*counts, math.prod(kernel) * source.channels)
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(TensorType(source.element_type, shape), lanes)],
            properties={
                "kernel": integers(kernel),
                "strides": integers(strides),
                "dilations": integers(dilations),
                "groups": None if groups == 1 else IntegerAttr(groups, i64),
            },
        )

    @property
    def dilations(self) -> tuple[int, ...]:
        return values_of(self.dilations_attr)

    @property
    def groups(self) -> int:
        """Groups of channels that are read one after another."""
        return 1 if self.groups_attr is None else self.groups_attr.value.data

    def geometry(self) -> WindowGeometry:
        return replace(super().geometry(), groups=self.groups)

    def cycles(self) -> int:
        return max(self.input_beats, stream_type(self.output).beats)

    def latency(self) -> int:
        return 2

    def resources(self) -> Resources:
        geometry = self.geometry()
        pointer = geometry.buffer_beats.bit_length()
        bits = geometry.buffer_beats * stream_type(self.output).beat_width
        return Resources(10 * pointer, 7 * pointer, bits)

    def verify_(self) -> None:
        counts = self.check_windows()
        source, result = stream_type(self.input), stream_type(self.output)
        shape = (*counts, math.prod(self.kernel) * source.channels)
        if result.shape != shape or result.element_type != source.element_type:
            raise VerifyException(f"the windows of {source} are {list(shape)}, not {result}")
        if self.groups < 1 or source.channels % (self.groups * self.lanes):
            raise VerifyException(
                f"{self.lanes} lanes do not divide the channels of {self.groups} groups of {source}"
            )


class _PoolOp(_WindowedNode):
    """A function of each window, channel by channel; windows do not overlap.

    One row of results is kept while it grows. Overlapping windows are laid out by a
    `dataflow.window` first, of whose frames each element is a window of its own.
    """

    assembly_format = (
        "$input `kernel` $kernel `strides` $strides attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int],
        element_type: Attribute,
        lanes: int = 1,
    ) -> None:
        *space, channels = stream_type(value).shape
        counts = window_counts(space, kernel, strides, [1] * len(kernel))
        frame = TensorType(element_type, (*counts, channels))
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(frame, lanes)],
            properties={"kernel": integers(kernel), "strides": integers(strides)},
        )

    @property
    def dilations(self) -> tuple[int, ...]:
        return (1,) * len(self.kernel)

    @property
    def partial_beats(self) -> int:
        """Beats of a row of results."""
        return self.geometry().counts[1] * self.chunks

    def completes(self) -> list[bool]:
        """For each beat of the input whether it is the last that a result waits for."""
        geometry = self.geometry()
        done = [
            {count * stride + kernel - 1 for count in range(counts)}
            for counts, stride, kernel in zip(
                geometry.counts, geometry.strides, geometry.kernel, strict=True
            )
        ]
        return [
            y in done[0] and x in done[1]
            for y in range(geometry.size[0])
            for x in range(geometry.size[1])
            for _ in range(self.chunks)
        ]

    def cycles(self) -> int:
        return self.input_beats

    def latency(self) -> int:
        # One cycle to read what the window holds so far, one to add to it.
        return self.completes().index(True) + 2

    def resources(self) -> Resources:
        width = stream_type(self.output).beat_width
        counters = self.input_beats.bit_length()
        stored = self.partial_beats * width
        return Resources(2 * width + 4 * counters, 3 * width + 2 * counters, stored)

    def check_pool(self) -> None:
        """Raise unless the windows fit, do not overlap, and make the result."""
        counts = self.check_windows()
        source, result = stream_type(self.input), stream_type(self.output)
        if any(k > s for k, s in zip(self.kernel, self.strides, strict=True)):
            raise VerifyException(
                f"windows of {list(self.kernel)} every {list(self.strides)} overlap: "
                "lay them out by dataflow.window first"
            )
        if result.shape != (*counts, source.channels):
            raise VerifyException(
                f"the result has shape {[*counts, source.channels]}, not {result}"
            )


@irdl_op_definition
class MaxPoolOp(_PoolOp):
    """The largest element of each window; on bipolar values the OR of the bits."""

    name = "dataflow.max_pool"

    def verify_(self) -> None:
        self.check_pool()
        if stream_type(self.input).element_type != stream_type(self.output).element_type:
            raise VerifyException("the largest element has the type of all")


@irdl_op_definition
class SumPoolOp(_PoolOp):
    """The sum of each window, in a type that holds every sum."""

    name = "dataflow.sum_pool"

    def verify_(self) -> None:
        self.check_pool()
        if isinstance(stream_type(self.output).element_type, BipolarType):
            raise VerifyException("a sum is an integer, not bipolar")
