"""Operations of the `packed` dialect that move elements and compute nothing.

All take arrays of any type. Concat, slice and upsample also take bits whose rows are pixels, and
move whole words where they can.
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, var_operand_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.integer_lists import integers, values_of
from irc.dialects.packed_base import (
    BufferType,
    KernelOp,
    array_type,
    buffer_type,
    element_count,
)
from irc.dialects.packed_types import ArrayType, BitsType
from irc.dialects.slices import SlicingOp, slice_properties


class MoveOp(KernelOp, ABC):
    """What ops share that move the elements of one frame of a given shape."""

    shape = prop_def(ArrayAttr[IntegerAttr[I64]])

    @property
    def dims(self) -> tuple[int, ...]:
        """The operand's shape; for bits, the last axis is a row."""
        return values_of(self.shape)

    def verify_frame(self, result: Sequence[int]) -> None:
        """Check that operand and result are frames of `dims` and of shape `result`."""
        source, target = buffer_type(self.input), buffer_type(self.output)
        if source.element_type != target.element_type:
            raise VerifyException(f"moving keeps the element type: {source} to {target}")
        for buffer, dims in ((source, self.dims), (target, result)):
            if element_count(buffer) != math.prod(dims) or min(dims, default=1) < 1:
                raise VerifyException(f"shape {list(dims)} does not fit {buffer}")
            if isinstance(buffer, BitsType) and (not dims or buffer.width != dims[-1]):
                raise VerifyException(f"rows of {buffer} are not the last axis of {list(dims)}")
        words = {b.word if isinstance(b, BitsType) else None for b in (source, target)}
        if len(words) != 1:
            raise VerifyException(f"moving keeps the layout: {source} to {target}")


@irdl_op_definition
class TransposeOp(MoveOp):
    """Axes in another order: `shape` is that of the operand, `perm` as in `numpy.transpose`."""

    name = "packed.transpose"
    perm = prop_def(ArrayAttr[IntegerAttr[I64]])
    assembly_format = (
        "$label $input `shape` $shape `perm` $perm attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self, label: str, value: SSAValue, shape: Sequence[int], perm: Sequence[int]
    ) -> None:
        properties: dict[str, Attribute | None] = {
            "shape": integers(shape),
            "perm": integers(perm),
        }
        super().__init__(label, value, array_type(value), properties)

    @property
    def axes(self) -> tuple[int, ...]:
        """The permutation."""
        return values_of(self.perm)

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if self.output.type != source:
            raise VerifyException(f"a transposed {source} is the same type")
        if math.prod(self.dims) != source.length:
            raise VerifyException(f"shape {list(self.dims)} does not fit {source}")
        if sorted(self.axes) != list(range(len(self.dims))):
            raise VerifyException(f"{list(self.axes)} is no permutation of {len(self.dims)} axes")


@irdl_op_definition
class SliceOp(SlicingOp, MoveOp):
    """`sizes[i]` elements along axis `i`, from `offsets[i]` on, every `strides[i]`-th.

    Of bits, the elements of a row that are kept lie side by side.
    """

    name = "packed.slice"
    assembly_format = (
        "$label $input `shape` $shape `offsets` $offsets `sizes` $sizes `strides` $strides "
        "attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        shape: Sequence[int],
        offsets: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
    ) -> None:
        super().__init__(
            label,
            value,
            result,
            {"shape": integers(shape), **slice_properties(offsets, sizes, strides)},
        )

    def verify_kernel(self) -> None:
        lists = (self.offsets, self.sizes, self.strides)
        if {len(values) for values in lists} != {len(self.dims)}:
            raise VerifyException("shape, offsets, sizes and strides differ in length")
        for dim, offset, size, stride in zip(self.dims, *lists, strict=True):
            if offset < 0 or size < 1 or stride < 1 or offset + (size - 1) * stride >= dim:
                raise VerifyException(
                    f"{size} elements from {offset} on, {stride} apart, are not among {dim}"
                )
        self.verify_frame(self.sizes)
        if isinstance(self.input.type, BitsType) and self.strides[-1] != 1:
            raise VerifyException("bits of a row that are kept lie side by side")


@irdl_op_definition
class UpsampleOp(MoveOp):
    """Every element `factors[i]` times along axis `i`; bits keep their rows as they are."""

    name = "packed.upsample"
    factors_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="factors")
    assembly_format = (
        "$label $input `shape` $shape `factors` $factors attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        shape: Sequence[int],
        factors: Sequence[int],
    ) -> None:
        properties: dict[str, Attribute | None] = {
            "shape": integers(shape),
            "factors": integers(factors),
        }
        super().__init__(label, value, result, properties)

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times an element is repeated along each axis."""
        return values_of(self.factors_attr)

    def verify_kernel(self) -> None:
        if len(self.factors) != len(self.dims) or min(self.factors, default=1) < 1:
            raise VerifyException(f"{list(self.factors)} are no factors for {list(self.dims)}")
        sizes = zip(self.dims, self.factors, strict=True)
        self.verify_frame([size * factor for size, factor in sizes])


@irdl_op_definition
class ConcatOp(KernelOp):
    """Buffers behind each other, part by part: each consists of `parts` equal ones.

    A part of the result is the operands' parts in order. An array is cut into equal pieces. Bits
    join their rows, a row being a part, if the result's rows are as wide as all operands' together;
    else they keep them, and a part is some rows.
    """

    name = "packed.concat"
    # Declared again: operands stand in the order of their definition, those of a subclass first.
    input = operand_def(ArrayType | BitsType)
    others = var_operand_def(ArrayType | BitsType)
    parts_attr = prop_def(IntegerAttr[I64], prop_name="parts")
    assembly_format = (
        "$label $input (`,` $others^)? `parts` $parts attr-dict "
        "`:` type($input) (`,` type($others)^)? `->` type($output)"
    )

    def __init__(
        self, label: str, values: Sequence[SSAValue], result: BufferType, parts: int
    ) -> None:
        properties: dict[str, Attribute | None] = {"parts": IntegerAttr(parts, i64)}
        super().__init__(label, values[0], result, properties, values[1:])

    @property
    def parts(self) -> int:
        """How many times the operands take turns."""
        return self.parts_attr.value.data

    @property
    def joins_rows(self) -> bool:
        """Whether rows of bits become one wider row."""
        result = buffer_type(self.output)
        first = buffer_type(self.input)
        return (
            isinstance(result, BitsType)
            and isinstance(first, BitsType)
            and result.width != first.width
        )

    def verify_kernel(self) -> None:
        sources = [buffer_type(value) for value in self.operands]
        result = buffer_type(self.output)
        if self.parts < 1:
            raise VerifyException("there is at least one part")
        for source in sources:
            if source.element_type != result.element_type:
                raise VerifyException(f"moving keeps the element type: {source} to {result}")
            if isinstance(source, BitsType) != isinstance(result, BitsType):
                raise VerifyException(f"moving keeps the layout: {source} to {result}")
            if isinstance(source, BitsType) and isinstance(result, BitsType):
                self._verify_rows(source, result)
            elif source.length % self.parts:
                raise VerifyException(f"{source} is not {self.parts} equal parts")
        if sum(map(element_count, sources)) != element_count(result):
            raise VerifyException(f"{result} does not hold the elements of all operands")

    def _verify_rows(self, source: BitsType, result: BitsType) -> None:
        """Check one operand of bits."""
        if source.word != result.word:
            raise VerifyException(f"moving keeps the layout: {source} to {result}")
        if self.joins_rows:
            if not source.rows == result.rows == self.parts:
                raise VerifyException(
                    f"{self.parts} rows are joined, not {source.rows} to {result.rows}"
                )
        elif source.width != result.width or source.rows % self.parts:
            raise VerifyException(f"{source} is not {self.parts} equal parts of {result}")


__all__ = ["ConcatOp", "MoveOp", "SliceOp", "TransposeOp", "UpsampleOp"]
