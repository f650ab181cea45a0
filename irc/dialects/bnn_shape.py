"""Operations of the `bnn` dialect that move elements, or look for the largest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, TensorType, i64
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

from irc.dialects.bnn_base import check_exact, frame_type
from irc.dialects.dense import element_range


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements in the same row-major order, under another shape."""

    name = "bnn.reshape"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, shape: Sequence[int]) -> None:
        element_type = frame_type(value).element_type
        super().__init__(operands=[value], result_types=[TensorType(element_type, shape)])

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        if source.element_type != result.element_type:
            raise VerifyException(f"a reshape keeps the element type: {source} to {result}")
        if math.prod(source.get_shape()) != math.prod(result.get_shape()):
            raise VerifyException(f"{source} and {result} differ in their number of elements")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """Axes in another order, as `numpy.transpose`: axis `i` of the result is `perm[i]`."""

    name = "bnn.transpose"
    perm = prop_def(ArrayAttr[IntegerAttr[I64]])
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input `perm` $perm attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, perm: Sequence[int]) -> None:
        source = frame_type(value)
        shape = [source.get_shape()[axis] for axis in perm]
        super().__init__(
            operands=[value],
            result_types=[TensorType(source.element_type, shape)],
            properties={"perm": ArrayAttr(IntegerAttr(axis, i64) for axis in perm)},
        )

    @property
    def axes(self) -> tuple[int, ...]:
        """The permutation as Python integers."""
        return tuple(axis.value.data for axis in self.perm)

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if sorted(self.axes) != list(range(len(shape))):
            raise VerifyException(f"{list(self.axes)} is no permutation of {len(shape)} axes")
        if result != TensorType(source.element_type, [shape[axis] for axis in self.axes]):
            raise VerifyException(f"transposing {source} by {list(self.axes)} is not {result}")


@irdl_op_definition
class ArgmaxOp(IRDLOperation):
    """The index of the largest element along the last axis; ties go to the lowest index."""

    name = "bnn.argmax"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, element_type: Attribute, keep_axis: bool = False) -> None:
        shape = frame_type(value).get_shape()
        shape = (*shape[:-1], 1) if keep_axis else shape[:-1]
        super().__init__(operands=[value], result_types=[TensorType(element_type, shape)])

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if not shape:
            raise VerifyException("argmax needs at least one axis")
        if result.get_shape() not in (shape[:-1], (*shape[:-1], 1)):
            raise VerifyException(f"argmax over the last axis of {source} is not {result}")
        check_exact(self.output, "the result")
        if element_range(result.element_type)[1] < shape[-1] - 1:
            raise VerifyException(f"{result.element_type} cannot hold index {shape[-1] - 1}")
