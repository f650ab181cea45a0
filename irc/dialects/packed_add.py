"""Sums of two buffers in the `packed` dialect: where the branches of a network meet."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import Float32Type, IntegerType, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import DenseAttr, is_exact
from irc.dialects.packed_base import (
    BufferType,
    KernelOp,
    Staircase,
    ThresholdingOp,
    array_type,
    buffer_type,
    element_count,
)
from irc.dialects.packed_types import ArrayType, BitsType


@irdl_op_definition
class AddOp(ThresholdingOp):
    """`acc[i] = p[i mod C] · a[i] + q[i mod C] · b[i]` of integers; bipolar elements are ±1.

    `multipliers` [2, C] or [2, 1] are `p` and `q`, both 1 without them. An operand is an array, or
    bits, read element by element; bits on any side have the same rows.
    """

    name = "packed.add"
    # Declared again: operands stand in the order of their definition, those of a subclass first.
    input = operand_def(ArrayType | BitsType)
    other = operand_def(ArrayType | BitsType)
    multipliers = opt_prop_def(DenseAttr)
    assembly_format = (
        "$label $input `,` $other (`multipliers` $multipliers^)? (`at` $thresholds^)? "
        "(`steps` $steps^)? (`bias` $bias^)? attr-dict "
        "`:` type($input) `,` type($other) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        values: tuple[SSAValue, SSAValue],
        multipliers: DenseAttr | None,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        codes: Mapping[str, Attribute | None] = {}
        if staircase is not None:
            codes = staircase.properties()
        properties = {"multipliers": multipliers, "accumulator": accumulator, **codes}
        super().__init__(label, values[0], result, properties, values[1])

    @property
    def width(self) -> int:
        """Elements in a row: those of the bits, else as many as constants have channels.

        One row of all where there are neither.
        """
        for buffer in (buffer_type(value) for value in (*self.operands, self.output)):
            if isinstance(buffer, BitsType):
                return buffer.width
        return self.channels if self.channels > 1 else self.size

    @property
    def size(self) -> int:
        """How many elements there are."""
        return element_count(buffer_type(self.output))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.size // self.width

    @property
    def channels(self) -> int:
        """How many channels the constants tell apart, 1 if none."""
        multipliers = () if self.multipliers is None else self.multipliers.shape[1:]
        thresholds = () if self.thresholds is None else self.thresholds.shape[:1]
        return max((1, *multipliers, *thresholds))

    def verify_kernel(self) -> None:
        buffers = [buffer_type(value) for value in (*self.operands, self.output)]
        for buffer in buffers[:2]:
            if not is_exact(buffer.element_type):
                raise VerifyException(f"operands are exact, not {buffer.element_type}")
        counts = {element_count(buffer) for buffer in buffers}
        rows = {(b.rows, b.width) for b in buffers if isinstance(b, BitsType)}
        if len(counts) != 1 or len(rows) > 1:
            kinds = ", ".join(map(str, buffers))
            raise VerifyException(f"operands and result differ in their elements: {kinds}")
        for constant, axis, form in (
            (self.multipliers, 1, "[2, C]"),
            (self.thresholds, 0, "[C, T]"),
        ):
            if constant is None:
                continue
            if len(constant.shape) != 2 or not is_exact(constant.element_type):
                raise VerifyException(f"constants must be integers {form}, not {constant.type}")
            if not constant.size or constant.shape[axis] not in (1, self.channels):
                raise VerifyException("multipliers and thresholds differ in their channels")
        if self.multipliers is not None and self.multipliers.shape[0] != 2:
            raise VerifyException(f"multipliers must be [2, C], not {self.multipliers.type}")
        if self.channels not in (1, self.width):
            raise VerifyException(f"{self.channels} channels do not make rows of {self.width}")
        if self.size % self.width:
            raise VerifyException(f"{self.width} channels do not divide {self.size} elements")
        self.verify_results(self.rows, self.width)


@irdl_op_definition
class FloatAddOp(KernelOp):
    """`a[i] + b[i]`, one addition in float32."""

    name = "packed.float_add"
    # Declared again: operands stand in the order of their definition, those of a subclass first.
    input = operand_def(ArrayType | BitsType)
    other = operand_def(ArrayType | BitsType)
    assembly_format = (
        "$label $input `,` $other attr-dict `:` type($input) `,` type($other) `->` type($output)"
    )

    def __init__(self, label: str, values: tuple[SSAValue, SSAValue]) -> None:
        result = ArrayType.of(array_type(values[0]).length, f32)
        super().__init__(label, values[0], result, {}, values[1])

    def verify_kernel(self) -> None:
        for value, what in ((self.input, "operand"), (self.other, "operand")):
            array = self.expect_array(value, what)
            if not isinstance(array.element_type, Float32Type) or array != self.output.type:
                raise VerifyException(f"floats are added to floats: {array} to {self.output.type}")
