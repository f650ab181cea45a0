"""Pools: the largest element or the sum of each window, on streams."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    TensorType,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dataflow_node import Resources
from irc.dialects.dataflow_spatial import WindowedNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import BipolarType
from irc.dialects.integer_lists import integers


class _PoolOp(WindowedNode):
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
        geometry, chunks = self.geometry(), range(self.chunks)
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
            for _ in chunks
        ]

    def cycles(self) -> int:
        return self.input_beats

    def latency(self) -> int:
        # One cycle to read what the window holds so far, one to add to it.
        return self.completes().index(True) + 2

    def resources_at(self, lanes: int) -> Resources:
        result = stream_type(self.output)
        width = lanes * result.element_width
        counters = (stream_type(self.input).elements // lanes).bit_length()
        stored = self.geometry().counts[1] * result.channels * result.element_width
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
