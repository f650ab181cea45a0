"""What units on images and sequences have in common.

Frames are […space, channels] with one or two axes in space. The units take as many lanes as they
give, a divisor of the channels; the lanes of the input may differ until `insert-width-converters`
has run.
"""

from __future__ import annotations

from abc import abstractmethod

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IntegerAttr,
)
from xdsl.irdl import (
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import check_windows, window_counts
from irc.dialects.dataflow_effects import MakesStream
from irc.dialects.dataflow_node import DataflowNode, Resources
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.integer_lists import values_of
from irc.dialects.window_geometry import WindowGeometry


class SpatialNode(DataflowNode):
    """A unit on the elements of images, some channels at a time."""

    input = operand_def(StreamType)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())

    @property
    def lanes(self) -> int:
        """Channels a beat, on either side."""
        return stream_type(self.output).lanes

    def input_lanes(self) -> int:
        """Elements a beat that the unit takes."""
        return self.lanes

    @abstractmethod
    def resources_at(self, lanes: int) -> Resources:
        """What the unit takes with so many channels a beat."""

    def resources(self) -> Resources:
        return self.resources_at(self.lanes)

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


class WindowedNode(SpatialNode):
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
