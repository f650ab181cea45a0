"""Units that leave out elements of a frame, or repeat them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, TensorType
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_branch import BranchNode
from irc.dialects.dataflow_effects import MakesStream
from irc.dialects.dataflow_node import Resources
from irc.dialects.dataflow_spatial import SpatialNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.slice_levels import Level, kept_items, levels_in_beats, slice_levels
from irc.dialects.slices import SlicingOp, slice_properties


@irdl_op_definition
class SliceOp(SlicingOp, BranchNode):
    """`sizes[i]` elements along axis i of the frame, from `offsets[i]` on, every `strides[i]`-th.

    A beat is kept or dropped as a whole. The output is a register: a beat that is kept is taken
    when that is free or is being taken; one that is dropped is taken at once.
    """

    name = "dataflow.slice"
    input = operand_def(StreamType)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = (
        "$input `offsets` $offsets `sizes` $sizes `strides` $strides attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        offsets: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
        lanes: int = 1,
    ) -> None:
        frame = TensorType(stream_type(value).element_type, sizes)
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(frame, lanes)],
            properties=slice_properties(offsets, sizes, strides),
        )

    @property
    def input_beats(self) -> int:
        """Beats of an input frame, at the lanes that the unit takes."""
        return stream_type(self.input).elements // self.lanes

    def levels(self) -> list[Level]:
        """Which beats are kept, as nested counters, the outermost first."""
        levels = levels_in_beats(self._element_levels(), self.lanes)
        assert levels is not None
        return levels

    def keeps(self) -> list[bool]:
        """For each beat of the input whether it is kept; what follows begins again."""
        return kept_items(self.levels())

    def _element_levels(self) -> list[Level]:
        shape = stream_type(self.input).shape
        return slice_levels(shape, self.offsets, self.sizes, self.strides)

    def lane_unit(self) -> int:
        return math.gcd(stream_type(self.input).elements, stream_type(self.output).elements)

    def suits(self, lanes: int) -> bool:
        return levels_in_beats(self._element_levels(), lanes) is not None

    def cycles(self) -> int:
        return self.input_beats

    def latency(self) -> int:
        return self.keeps().index(True) + 1

    def resources(self) -> Resources:
        width, counters = stream_type(self.output).beat_width, self.input_beats.bit_length()
        return Resources(4 * counters, width + 2 * counters)

    def verify_(self) -> None:
        source, result = stream_type(self.input), stream_type(self.output)
        self.check_slice(source.shape, source)
        if result.shape != self.sizes or result.element_type != source.element_type:
            raise VerifyException(f"the result has shape {list(self.sizes)}, not {result}")
        self.check_lanes()


@irdl_op_definition
class UpsampleOp(SpatialNode):
    """Every element `factors[i]` times along axis i, as `numpy.repeat`; channels once.

    Frames are […space, channels]. Blocks of `block_beats` beats, which are rows where rows are
    repeated and elements in space otherwise, go through a circular buffer of two blocks: while
    one is read, `offsets` saying in which order, the next one comes in. A beat is taken while the
    buffer is not full; one is read into the output register as soon as it has been written and
    that register is free or is being taken; a block is freed with the last read of it.
    """

    name = "dataflow.upsample"
    factors_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="factors")
    assembly_format = "$input `factors` $factors attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, factors: Sequence[int], lanes: int = 1) -> None:
        source = stream_type(value)
        shape = [size * f for size, f in zip(source.shape, factors, strict=True)]
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(TensorType(source.element_type, shape), lanes)],
            properties={"factors": integers(factors)},
        )

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times an element is repeated along each axis; 1 for channels."""
        return values_of(self.factors_attr)

    @property
    def repeats(self) -> tuple[int, int]:
        """How often a row is repeated, and how often an element; a sequence is one row."""
        return (1, self.factors[0]) if len(self.space) == 1 else (self.factors[0], self.factors[1])

    @property
    def block_elements(self) -> int:
        """Elements in space of a block: a row if rows are repeated."""
        return self.space[-1] if self.repeats[0] > 1 else 1

    @property
    def block_beats(self) -> int:
        """Beats of a block."""
        return self.block_elements * self.chunks

    @property
    def blocks(self) -> int:
        """Blocks of a frame."""
        return self.input_beats // self.block_beats

    @property
    def buffer_beats(self) -> int:
        """Beats that the buffer holds: a block that is read and one that comes in."""
        return 2 * self.block_beats

    def offsets(self) -> list[int]:
        """Which beat of a block is read, for each beat that is given until the next block."""
        rows, columns = self.repeats
        return [
            element * self.chunks + chunk
            for _ in range(rows)
            for element in range(self.block_elements)
            for _ in range(columns)
            for chunk in range(self.chunks)
        ]

    def cycles(self) -> int:
        return stream_type(self.output).beats

    def latency(self) -> int:
        # A beat is written in one cycle and read in the next.
        return 2

    def resources_at(self, lanes: int) -> Resources:
        source = stream_type(self.input)
        beats = 2 * self.block_elements * source.channels // lanes
        pointer = beats.bit_length()
        return Resources(8 * pointer, 5 * pointer, beats * lanes * source.element_width)

    def verify_(self) -> None:
        self.check_frame()
        source, result = stream_type(self.input), stream_type(self.output)
        if len(self.factors) != len(source.shape):
            raise VerifyException(f"a factor for each of the {len(source.shape)} axes is needed")
        if min(self.factors) < 1 or self.factors[-1] != 1:
            raise VerifyException(
                f"factors are positive and that of the channels is 1, unlike {list(self.factors)}"
            )
        expected = [size * factor for size, factor in zip(source.shape, self.factors, strict=True)]
        if list(result.shape) != expected or result.element_type != source.element_type:
            raise VerifyException(f"the result has shape {expected}, not {result}")
