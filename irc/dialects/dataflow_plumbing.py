"""Operations that move streams without computing: ends, reshapes, width converters, FIFOs."""

from __future__ import annotations

from xdsl.dialects.builtin import I64, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_effects import MakesStream
from irc.dialects.dataflow_node import DataflowNode, Resources
from irc.dialects.dataflow_stream import StreamType, stream_type

REGISTER_FIFO_BITS = 64
"""FIFOs of at most this many bits, or two beats, are made of flip-flops rather than of a RAM."""


@irdl_op_definition
class ToStreamOp(IRDLOperation):
    """Where data enter the hardware: a tensor of the host becomes a stream."""

    name = "dataflow.to_stream"
    input = operand_def(TensorType)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, lanes: int) -> None:
        assert TensorType.constr().verifies(value.type)
        super().__init__(operands=[value], result_types=[StreamType.of(value.type, lanes)])

    def verify_(self) -> None:
        if stream_type(self.output).frame != self.input.type:
            raise VerifyException(f"{self.input.type} streams as itself, not as {self.output.type}")


@irdl_op_definition
class FromStreamOp(IRDLOperation):
    """Where data leave the hardware: a stream becomes a tensor of the host."""

    name = "dataflow.from_stream"
    input = operand_def(StreamType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue) -> None:
        frame: TensorType[Attribute] = stream_type(value).frame
        super().__init__(operands=[value], result_types=[frame])

    def verify_(self) -> None:
        if stream_type(self.input).frame != self.output.type:
            raise VerifyException(f"{self.input.type} gives its frames, not {self.output.type}")


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same beats, read as frames of another shape. Takes no hardware."""

    name = "dataflow.reshape"
    input = operand_def(StreamType)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, shape: tuple[int, ...]) -> None:
        super().__init__(operands=[value], result_types=[stream_type(value).with_shape(shape)])

    def verify_(self) -> None:
        source, result = stream_type(self.input), stream_type(self.output)
        if (source.elements, source.element_type, source.lanes) != (
            result.elements,
            result.element_type,
            result.lanes,
        ):
            raise VerifyException(f"a reshape keeps every beat: {source} to {result}")


@irdl_op_definition
class WidthConverterOp(DataflowNode):
    """The same elements, more or fewer of them a beat; one number of lanes divides the other."""

    name = "dataflow.width_converter"
    input = operand_def(StreamType)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, lanes: int) -> None:
        super().__init__(operands=[value], result_types=[stream_type(value).with_lanes(lanes)])

    @property
    def ratio(self) -> int:
        """Narrow beats in a wide one."""
        lanes = stream_type(self.input).lanes, stream_type(self.output).lanes
        return max(lanes) // min(lanes)

    @property
    def widens(self) -> bool:
        """Whether beats leave wider than they came."""
        return stream_type(self.output).lanes > stream_type(self.input).lanes

    def cycles(self) -> int:
        return max(stream_type(self.input).beats, stream_type(self.output).beats)

    def latency(self) -> int:
        return self.ratio if self.widens else 1

    def resources(self) -> Resources:
        wide = max(stream_type(self.input).beat_width, stream_type(self.output).beat_width)
        return Resources(luts=0 if self.widens else wide, flipflops=wide + self.ratio.bit_length())

    def verify_(self) -> None:
        source, result = stream_type(self.input), stream_type(self.output)
        if source.frame != result.frame:
            raise VerifyException(
                f"a width converter keeps the frame: {source.frame} to {result.frame}"
            )
        if source.lanes % result.lanes and result.lanes % source.lanes:
            raise VerifyException(
                f"of {source.lanes} and {result.lanes} lanes neither divides the other: "
                f"convert by way of their least common multiple"
            )


@irdl_op_definition
class FifoOp(DataflowNode):
    """A queue of exactly `depth` beats, at least two, between two units."""

    name = "dataflow.fifo"
    input = operand_def(StreamType)
    depth_attr = prop_def(IntegerAttr[I64], prop_name="depth")
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$input `depth` $depth attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, depth: int) -> None:
        super().__init__(
            operands=[value],
            result_types=[value.type],
            properties={"depth": IntegerAttr(depth, i64)},
        )

    @property
    def depth(self) -> int:
        """How many beats it holds."""
        return self.depth_attr.value.data

    @property
    def in_registers(self) -> bool:
        """Whether it is made of flip-flops; otherwise of a RAM, which adds a cycle of latency."""
        return self.depth <= 2 or self.depth * stream_type(self.input).beat_width <= (
            REGISTER_FIFO_BITS
        )

    def cycles(self) -> int:
        return stream_type(self.input).beats

    def latency(self) -> int:
        return 1 if self.in_registers else 2

    def resources(self) -> Resources:
        bits = self.depth * stream_type(self.input).beat_width
        pointers = 3 * self.depth.bit_length()
        if self.in_registers:
            return Resources(luts=bits + pointers, flipflops=bits + pointers)
        return Resources(luts=2 * pointers, flipflops=pointers, block_bits=bits)

    def verify_(self) -> None:
        if self.input.type != self.output.type:
            raise VerifyException(f"a FIFO keeps the type: {self.input.type} to {self.output.type}")
        if self.depth < 2:
            raise VerifyException(f"a FIFO holds at least 2 beats, not {self.depth}")
