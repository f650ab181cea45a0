"""Sliding windows over images and sequences in a stream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import integers, values_of, window_counts
from irc.dialects.dataflow_node import Resources
from irc.dialects.dataflow_spatial import WindowedNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.window_geometry import WindowGeometry


@irdl_op_definition
class WindowOp(WindowedNode):
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
