"""Operations of the `bnn` dialect where branches of a network meet, part or change size.

There is no operation for a fork: a value may have any number of readers.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, Float32Type, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_base import frame_type, like
from irc.dialects.dense import BipolarType, DenseAttr, is_exact
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.slices import SlicingOp, slice_properties


@irdl_op_definition
class AddOp(IRDLOperation):
    """`y = a + b` of two frames of one shape; of exact ones `y = p[c] · a + q[c] · b`.

    Floats are added in float32. Of exact values, bipolar counting as ±1, the sum is an integer
    whose type holds every sum that can occur; `multipliers` [2, C] or [2, 1] are the integers
    `p` and `q`, one a channel (the last axis) or one for all, and 1 without the attribute.
    """

    name = "bnn.add"
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    multipliers = opt_prop_def(DenseAttr)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$lhs `,` $rhs (`multipliers` $multipliers^)? attr-dict "
        "`:` type($lhs) `,` type($rhs) `->` type($output)"
    )

    def __init__(
        self,
        lhs: SSAValue,
        rhs: SSAValue,
        element_type: Attribute,
        multipliers: DenseAttr | None = None,
    ) -> None:
        super().__init__(
            operands=[lhs, rhs],
            result_types=[like(lhs, element_type)],
            properties={"multipliers": multipliers},
        )

    def verify_(self) -> None:
        lhs, rhs, result = (frame_type(v) for v in (self.lhs, self.rhs, self.output))
        if not lhs.get_shape() == rhs.get_shape() == result.get_shape():
            raise VerifyException(f"{lhs} and {rhs} and their sum {result} need one shape")
        exact = is_exact(lhs.element_type)
        if is_exact(rhs.element_type) != exact:
            raise VerifyException(f"an exact value and a float cannot be added: {lhs} and {rhs}")
        if not exact:
            if not isinstance(result.element_type, Float32Type):
                raise VerifyException(f"the sum of floats is f32, not {result}")
            if self.multipliers is not None:
                raise VerifyException("a sum of floats has no multipliers")
            return
        if not is_exact(result.element_type) or isinstance(result.element_type, BipolarType):
            raise VerifyException(f"the sum of exact values is an integer, not {result}")
        self._check_multipliers()

    def _check_multipliers(self) -> None:
        if self.multipliers is None:
            return
        if not is_exact(self.multipliers.element_type):
            raise VerifyException(f"multipliers must be integers, not {self.multipliers.type}")
        shape = frame_type(self.output).get_shape()
        channels = shape[-1] if shape else 1
        if self.multipliers.shape not in ((2, channels), (2, 1)):
            raise VerifyException(
                f"multipliers must be [2, {channels}] or [2, 1], not {self.multipliers.type}"
            )


@irdl_op_definition
class ConcatOp(IRDLOperation):
    """Frames one after another along an axis, as `numpy.concatenate`."""

    name = "bnn.concat"
    inputs = var_operand_def(TensorType)
    axis_attr = prop_def(IntegerAttr[I64], prop_name="axis")
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$inputs `axis` $axis attr-dict `:` type($inputs) `->` type($output)"

    def __init__(self, values: Sequence[SSAValue], axis: int) -> None:
        first = frame_type(values[0])
        shape = list(first.get_shape())
        shape[axis] = sum(frame_type(value).get_shape()[axis] for value in values)
        super().__init__(
            operands=[values],
            result_types=[TensorType(first.element_type, shape)],
            properties={"axis": IntegerAttr(axis, i64)},
        )

    @property
    def axis_index(self) -> int:
        """The axis of the frame, from 0, along which the operands follow each other."""
        return self.axis_attr.value.data

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("concat needs at least one operand")
        sources, result = [frame_type(value) for value in self.inputs], frame_type(self.output)
        rank, axis = len(sources[0].get_shape()), self.axis_index
        if not 0 <= axis < rank:
            raise VerifyException(f"axis {axis} is none of {sources[0]}")
        expected = list(sources[0].get_shape())
        expected[axis] = 0
        for source in sources:
            if source.element_type != sources[0].element_type:
                raise VerifyException(f"{sources[0]} and {source} have no common element type")
            shape = list(source.get_shape())
            if len(shape) != rank or any(
                size != common
                for index, (size, common) in enumerate(zip(shape, expected, strict=True))
                if index != axis
            ):
                raise VerifyException(f"{sources[0]} and {source} differ beside axis {axis}")
            expected[axis] += shape[axis]
        if result != TensorType(sources[0].element_type, expected):
            raise VerifyException(f"the result has shape {expected}, not {result}")


@irdl_op_definition
class SliceOp(SlicingOp):
    """`sizes[i]` elements along axis i, from `offsets[i]` on, every `strides[i]`-th."""

    name = "bnn.slice"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
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
    ) -> None:
        super().__init__(
            operands=[value],
            result_types=[TensorType(frame_type(value).element_type, sizes)],
            properties=slice_properties(offsets, sizes, strides),
        )

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        self.check_slice(source.get_shape(), source)
        if result != TensorType(source.element_type, self.sizes):
            raise VerifyException(f"the result has shape {list(self.sizes)}, not {result}")


@irdl_op_definition
class UpsampleOp(IRDLOperation):
    """Every element `factors[i]` times along axis i, as `numpy.repeat`: the nearest neighbour."""

    name = "bnn.upsample"
    input = operand_def(TensorType)
    factors_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="factors")
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input `factors` $factors attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, factors: Sequence[int]) -> None:
        source = frame_type(value)
        shape = [size * f for size, f in zip(source.get_shape(), factors, strict=True)]
        super().__init__(
            operands=[value],
            result_types=[TensorType(source.element_type, shape)],
            properties={"factors": integers(factors)},
        )

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times an element is repeated along each axis."""
        return values_of(self.factors_attr)

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if len(self.factors) != len(shape):
            raise VerifyException(f"a factor for each of the {len(shape)} axes is needed")
        if min(self.factors, default=1) < 1:
            raise VerifyException(f"factors are positive, not {list(self.factors)}")
        expected = [size * factor for size, factor in zip(shape, self.factors, strict=True)]
        if result != TensorType(source.element_type, expected):
            raise VerifyException(f"the result has shape {expected}, not {result}")
