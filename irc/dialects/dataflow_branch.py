"""Units where streams part and meet: forks, sums and concatenations.

When beats move, cycle by cycle, is what the models in `irc/interp/branch_cycles.py` say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_effects import MakesStream
from irc.dialects.dataflow_node import DataflowNode, Resources, divisors
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import BipolarType, DenseAttr, element_width, is_exact


class BranchNode(DataflowNode):
    """A unit that takes as many lanes from each operand as it gives.

    The lanes of the operands may differ until `insert-width-converters` has run.
    """

    @property
    def lanes(self) -> int:
        """Elements a beat, of every stream of the unit."""
        return stream_type(self.results[0]).lanes

    def input_lanes(self) -> int:
        """Elements a beat that the unit takes from each operand."""
        return self.lanes

    def lane_choices(self) -> list[int]:
        """Possible numbers of lanes, ascending."""
        return [lanes for lanes in divisors(self.lane_unit()) if self.suits(lanes)]

    def lane_unit(self) -> int:
        """A number of elements that the lanes must divide."""
        return math.gcd(*(stream_type(value).elements for value in (*self.operands, *self.results)))

    def suits(self, lanes: int) -> bool:
        """Whether a divisor of `lane_unit` is a possible number of lanes: all are by default."""
        return self.lane_unit() % lanes == 0

    def check_lanes(self) -> None:
        """Raise unless the lanes are possible."""
        if self.lane_unit() % self.lanes or not self.suits(self.lanes):
            raise VerifyException(
                f"{self.lanes} lanes are not possible here; possible are "
                f"{', '.join(map(str, self.lane_choices()))}"
            )


@irdl_op_definition
class ForkOp(DataflowNode):
    """The same stream to each of several readers.

    A beat stays on the input until every reader has taken it, in whatever cycles they do; who has
    is remembered by a flag of each output. Nothing is stored: `tvalid` of an output is that of
    the input while the flag is clear, and `tready` of the input says that each reader has taken
    the beat, or takes it in this cycle.
    """

    name = "dataflow.fork"
    input = operand_def(StreamType)
    outputs = var_result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$input attr-dict `:` type($input) `->` type($outputs)"

    def __init__(self, value: SSAValue, readers: int) -> None:
        super().__init__(operands=[value], result_types=[[value.type] * readers])

    def cycles(self) -> int:
        return stream_type(self.input).beats

    def latency(self) -> int:
        return 0

    def resources(self) -> Resources:
        return Resources(luts=3 * len(self.outputs), flipflops=len(self.outputs))

    def verify_(self) -> None:
        if len(self.outputs) < 2:
            raise VerifyException(f"a fork has at least 2 readers, not {len(self.outputs)}")
        for output in self.outputs:
            if output.type != self.input.type:
                raise VerifyException(
                    f"a fork gives what it gets, {self.input.type}, not {output.type}"
                )


@irdl_op_definition
class AddOp(BranchNode):
    """`y = p[c] · a + q[c] · b`, element by element; bipolar operands count as ±1.

    `multipliers` [2, C] hold `p` and `q` for each channel (the last axis), or [2, 1] for all;
    without, both are 1. The type of the result, an integer, holds every sum that can
    occur.

    A beat of each operand is taken in the same cycle. The unit is a pipeline under one enable of
    `stages` registers, the last being the output: one for the sum; with multipliers that take more
    than wires one for the products before it; and where the multipliers change from beat to beat
    one before that, in which they are read.
    """

    name = "dataflow.add"
    layer = prop_def(StringAttr)
    lhs = operand_def(StreamType)
    rhs = operand_def(StreamType)
    multipliers = opt_prop_def(DenseAttr)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = (
        "$layer $lhs `,` $rhs (`multipliers` $multipliers^)? attr-dict "
        "`:` type($lhs) `,` type($rhs) `->` type($output)"
    )

    def __init__(
        self,
        layer: str,
        lhs: SSAValue,
        rhs: SSAValue,
        element_type: Attribute,
        multipliers: DenseAttr | None = None,
        lanes: int = 1,
    ) -> None:
        frame = TensorType(element_type, stream_type(lhs).shape)
        super().__init__(
            operands=[lhs, rhs],
            result_types=[StreamType.of(frame, lanes)],
            properties={"layer": StringAttr(layer), "multipliers": multipliers},
        )

    @property
    def channel_folds(self) -> int:
        """Beats after which the same multipliers come again; 1 where all channels share them."""
        rows = 1 if self.multipliers is None else self.multipliers.shape[1]
        return max(1, rows // self.lanes)

    @property
    def stages(self) -> int:
        """Registers from the operands to the output, which is one of them."""
        if self.multipliers is None:
            return 1
        if self.channel_folds > 1:
            return 3
        return 1 if self._only_shifts() else 2

    def _only_shifts(self) -> bool:
        """Whether every sum is one addition or subtraction of shifted operands."""
        assert self.multipliers is not None
        factors = self.multipliers.numpy().astype(np.int64)
        magnitudes = np.abs(factors)
        is_shift = bool((magnitudes & (magnitudes - 1) == 0).all())
        return is_shift and not bool((factors < 0).all(axis=0).any())

    def lane_unit(self) -> int:
        source = stream_type(self.output)
        per_channel = self.multipliers is not None and self.multipliers.shape[1] > 1
        return source.channels if per_channel else source.elements

    def cycles(self) -> int:
        return stream_type(self.output).beats

    def latency(self) -> int:
        return self.stages

    def resources(self) -> Resources:
        result = stream_type(self.output)
        if self.stages == 1:
            return Resources(luts=result.beat_width, flipflops=result.beat_width)
        assert self.multipliers is not None
        widths = sum(stream_type(value).element_width for value in self.operands)
        bits = element_width(self.multipliers.element_type)
        stored = 0 if self.channel_folds == 1 else self.multipliers.size
        products = self.lanes * (widths + 2 * bits)
        luts = self.lanes * widths * bits + result.beat_width + stored * bits // 32
        return Resources(luts, result.beat_width + products)

    def verify_(self) -> None:
        lhs, rhs, result = map(stream_type, (self.lhs, self.rhs, self.output))
        if not lhs.shape == rhs.shape == result.shape:
            raise VerifyException(f"{lhs} and {rhs} and their sum {result} need one shape")
        if isinstance(result.element_type, BipolarType):
            raise VerifyException("a sum is an integer, not bipolar")
        if self.multipliers is not None:
            exact = is_exact(self.multipliers.element_type)
            if not exact or self.multipliers.shape not in ((2, 1), (2, result.channels)):
                raise VerifyException(
                    f"multipliers must be integers [2, {result.channels}] or [2, 1], not "
                    f"{self.multipliers.type}"
                )
        self.check_lanes()


@irdl_op_definition
class ConcatOp(BranchNode):
    """The operands one after another along `axis` of their frames, as `numpy.concatenate`.

    In turn, `part_beats[i]` beats are taken from operand i, `turns` times a frame. The output is
    a register: a beat of the operand whose turn it is is taken when that is free or is being
    taken; the other operands wait.
    """

    name = "dataflow.concat"
    inputs = var_operand_def(StreamType)
    axis_attr = prop_def(IntegerAttr[I64], prop_name="axis")
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = "$inputs `axis` $axis attr-dict `:` type($inputs) `->` type($output)"

    def __init__(self, values: Sequence[SSAValue], axis: int, lanes: int = 1) -> None:
        first = stream_type(values[0])
        shape = list(first.shape)
        shape[axis] = sum(stream_type(value).shape[axis] for value in values)
        frame = TensorType(first.element_type, shape)
        super().__init__(
            operands=[values],
            result_types=[StreamType.of(frame, lanes)],
            properties={"axis": IntegerAttr(axis, i64)},
        )

    @property
    def axis_index(self) -> int:
        """The axis along which the operands follow each other."""
        return self.axis_attr.value.data

    @property
    def turns(self) -> int:
        """How often a frame takes from every operand: once for each index before the axis."""
        return math.prod(stream_type(self.output).shape[: self.axis_index])

    @property
    def part_beats(self) -> tuple[int, ...]:
        """Beats that each operand gives in its turn."""
        return tuple(part // self.lanes for part in self._parts())

    def _parts(self) -> list[int]:
        """Elements that each operand gives in its turn."""
        return [math.prod(stream_type(v).shape[self.axis_index :]) for v in self.inputs]

    def lane_unit(self) -> int:
        return math.gcd(*self._parts())

    def cycles(self) -> int:
        return stream_type(self.output).beats

    def latency(self) -> int:
        return 1

    def resources(self) -> Resources:
        width, counters = stream_type(self.output).beat_width, max(self.part_beats).bit_length()
        luts = width * (len(self.inputs) + 1) // 2 + 2 * counters + 2 * len(self.inputs)
        return Resources(luts, width + counters + len(self.inputs))

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("concat needs at least one operand")
        sources, result = [stream_type(value) for value in self.inputs], stream_type(self.output)
        axis, expected = self.axis_index, list(sources[0].shape)
        if not 0 <= axis < len(expected):
            raise VerifyException(f"axis {axis} is none of {sources[0]}")
        expected[axis] = sum(source.shape[axis] for source in sources if len(source.shape) > axis)
        for source in sources:
            rest = [*source.shape]
            rest[axis : axis + 1] = expected[axis : axis + 1]
            if rest != expected or source.element_type != result.element_type:
                raise VerifyException(f"{sources[0]} and {source} differ beside axis {axis}")
        if list(result.shape) != expected:
            raise VerifyException(f"the result has shape {expected}, not {result}")
        self.check_lanes()
