"""The `packed` dialect: networks as they lie in a small machine's memory.

Every op reads and writes buffers (`irc.dialects.packed_types`) and carries all that the generated
code depends on: layout, kernel, accumulator type, way of counting bits, place in the arena. The C
backend prints; it decides nothing.

A function keeps the signature that it has as `bnn`: its tensors are the caller's arrays, in
row-major order. `packed.input` and `packed.output` give them their buffer types and cost nothing
where the last kernel writes to the caller's memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    IntegerAttr,
    StringAttr,
    TensorType,
    UnitAttr,
    f32,
    i64,
)
from xdsl.ir import Dialect, SSAValue
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

from irc.dialects.bnn import BINARY_FUNCTIONS, UNARY_FUNCTIONS, frame_type
from irc.dialects.dense import BipolarType, DenseAttr, IntegerType, is_exact
from irc.dialects.packed_base import (
    ARENA,
    POPCOUNTS,
    BufferType,
    KernelOp,
    Staircase,
    ThresholdingOp,
    array_type,
    bits_type,
    buffer_type,
)
from irc.dialects.packed_dense import (
    DenseOp,
    IntDenseOp,
    PlaneDenseOp,
    SignDenseOp,
    XnorDenseOp,
)
from irc.dialects.packed_pool import MaxPoolOp, OrPoolOp, SumPoolOp
from irc.dialects.packed_spatial import GroupDenseOp, PadOp, PatchesOp
from irc.dialects.packed_types import ArrayType, BitsType, ResultSlotAttr, SlotAttr
from irc.dialects.packed_windows import Windows

__all__ = [
    "ARENA",
    "POPCOUNTS",
    "ArgmaxOp",
    "ArrayType",
    "BitsType",
    "BufferType",
    "DenseOp",
    "FloatChainOp",
    "GroupDenseOp",
    "InputOp",
    "IntDenseOp",
    "KernelOp",
    "MaxPoolOp",
    "OrPoolOp",
    "OutputOp",
    "PackOp",
    "Packed",
    "PadOp",
    "PatchesOp",
    "PlaneDenseOp",
    "QuantizeOp",
    "ResultSlotAttr",
    "SignDenseOp",
    "SlotAttr",
    "Staircase",
    "SumPoolOp",
    "ThresholdingOp",
    "TransposeOp",
    "Windows",
    "XnorDenseOp",
    "array_type",
    "bits_type",
    "buffer_type",
]


def _check_frame(array: ArrayType, tensor: TensorType) -> None:
    if array != ArrayType.of(math.prod(tensor.get_shape()), tensor.element_type):
        raise VerifyException(f"{tensor} and {array} differ")


@irdl_op_definition
class InputOp(IRDLOperation):
    """The caller's array behind a function argument."""

    name = "packed.input"
    input = operand_def(TensorType)
    output = result_def(ArrayType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue) -> None:
        frame = frame_type(value)
        result = ArrayType.of(math.prod(frame.get_shape()), frame.element_type)
        super().__init__(operands=[value], result_types=[result])

    def verify_(self) -> None:
        _check_frame(array_type(self.output), frame_type(self.input))


@irdl_op_definition
class OutputOp(IRDLOperation):
    """A buffer as a function result: copied, unless it lies in the caller's memory already."""

    name = "packed.output"
    input = operand_def(ArrayType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, shape: Sequence[int]) -> None:
        result = TensorType(array_type(value).element_type, shape)
        super().__init__(operands=[value], result_types=[result])

    def verify_(self) -> None:
        _check_frame(array_type(self.input), frame_type(self.output))


@irdl_op_definition
class PackOp(KernelOp):
    """The elements of an array as bit-planes."""

    name = "packed.pack"
    assembly_format = "$label $input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, label: str, value: SSAValue, result: BitsType) -> None:
        super().__init__(label, value, result, {})

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        result = self.expect_bits(self.output, "result")
        if source.element_type != result.element_type:
            raise VerifyException(f"packing keeps the element type: {source} to {result}")
        if source.length != result.rows * result.width:
            raise VerifyException(f"{source} and {result} differ in their number of elements")


@irdl_op_definition
class QuantizeOp(ThresholdingOp):
    """Thresholds applied to an array, element by element (see `Staircase`)."""

    name = "packed.quantize"
    assembly_format = (
        "$label $input `at` $thresholds (`steps` $steps^)? `bias` $bias attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        staircase: Staircase,
        accumulator: IntegerType,
    ) -> None:
        properties = {**staircase.properties(), "accumulator": accumulator}
        super().__init__(label, value, result, properties)

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if not is_exact(source.element_type):
            raise VerifyException(f"thresholds compare integers, not {source.element_type}")
        if self.thresholds is None:
            raise VerifyException("thresholds are missing")
        self.verify_results(1, source.length)
        result = self.output.type
        if isinstance(result, BitsType) and result.width % self.thresholds.shape[0]:
            raise VerifyException(
                f"{self.thresholds.shape[0]} rows of thresholds do not divide {result.width}"
            )


@irdl_op_definition
class FloatChainOp(KernelOp):
    """Float functions, applied one after another to each element of an array.

    The element is converted to float32 first, bipolar to ±1. `functions` are those of `bnn.ewise`;
    `constants` has one entry for each, `unit` where a function takes none. A constant is a vector
    whose length divides the array's: element `i` uses number `i mod length`.

    Each function rounds to float32 before the next, as when an ONNX runtime executes node by node.
    """

    name = "packed.float_chain"
    functions = prop_def(ArrayAttr[StringAttr])
    constants = prop_def(ArrayAttr[DenseAttr | UnitAttr])
    assembly_format = (
        "$label $input $functions `of` $constants attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self, label: str, value: SSAValue, steps: Sequence[tuple[str, DenseAttr | None]]
    ) -> None:
        super().__init__(
            label,
            value,
            ArrayType.of(array_type(value).length, f32),
            {
                "functions": ArrayAttr(StringAttr(fn) for fn, _ in steps),
                "constants": ArrayAttr(UnitAttr() if c is None else c for _, c in steps),
            },
        )

    @property
    def steps(self) -> list[tuple[str, DenseAttr | None]]:
        """Pairs of a function and its constant, in the order of application."""
        return [
            (fn.data, constant if isinstance(constant, DenseAttr) else None)
            for fn, constant in zip(self.functions, self.constants, strict=True)
        ]

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if self.output.type != ArrayType.of(source.length, f32):
            raise VerifyException(f"the result must be {ArrayType.of(source.length, f32)}")
        if len(self.functions) != len(self.constants):
            raise VerifyException("functions and constants differ in number")
        for fn, constant in self.steps:
            if fn not in (UNARY_FUNCTIONS if constant is None else BINARY_FUNCTIONS):
                takes = "without" if constant is None else "with"
                raise VerifyException(f"there is no function '{fn}' {takes} a constant")
            if constant is None:
                continue
            is_vector = len(constant.shape) == 1 and constant.size > 0
            if not isinstance(constant.element_type, Float32Type) or not is_vector:
                raise VerifyException(f"constants are f32 vectors, not {constant.type}")
            if source.length % constant.size:
                raise VerifyException(
                    f"{constant.size} constants do not divide {source.length} elements"
                )


@irdl_op_definition
class ArgmaxOp(KernelOp):
    """The index of the largest element of each row; ties go to the lowest index."""

    name = "packed.argmax"
    assembly_format = "$label $input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, label: str, value: SSAValue, result: ArrayType) -> None:
        super().__init__(label, value, result, {})

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        result = self.expect_array(self.output, "result")
        if source.length % result.length:
            raise VerifyException(f"{source} has no {result.length} rows of equal length")
        if isinstance(result.element_type, BipolarType) or not is_exact(result.element_type):
            raise VerifyException(f"an index is an integer, not {result.element_type}")


@irdl_op_definition
class TransposeOp(KernelOp):
    """Axes in another order: `shape` is that of the operand, `perm` as in `numpy.transpose`."""

    name = "packed.transpose"
    shape = prop_def(ArrayAttr[IntegerAttr[I64]])
    perm = prop_def(ArrayAttr[IntegerAttr[I64]])
    assembly_format = (
        "$label $input `shape` $shape `perm` $perm attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self, label: str, value: SSAValue, shape: Sequence[int], perm: Sequence[int]
    ) -> None:
        super().__init__(
            label,
            value,
            array_type(value),
            {
                "shape": ArrayAttr(IntegerAttr(dim, i64) for dim in shape),
                "perm": ArrayAttr(IntegerAttr(axis, i64) for axis in perm),
            },
        )

    @property
    def dims(self) -> tuple[int, ...]:
        """The operand's shape."""
        return tuple(dim.value.data for dim in self.shape)

    @property
    def axes(self) -> tuple[int, ...]:
        """The permutation."""
        return tuple(axis.value.data for axis in self.perm)

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if self.output.type != source:
            raise VerifyException(f"a transposed {source} is the same type")
        if math.prod(self.dims) != source.length:
            raise VerifyException(f"shape {list(self.dims)} does not fit {source}")
        if sorted(self.axes) != list(range(len(self.dims))):
            raise VerifyException(f"{list(self.axes)} is no permutation of {len(self.dims)} axes")


Packed = Dialect(
    "packed",
    [
        InputOp,
        OutputOp,
        PackOp,
        QuantizeOp,
        XnorDenseOp,
        PlaneDenseOp,
        SignDenseOp,
        IntDenseOp,
        FloatChainOp,
        ArgmaxOp,
        TransposeOp,
        PatchesOp,
        GroupDenseOp,
        PadOp,
        OrPoolOp,
        MaxPoolOp,
        SumPoolOp,
    ],
    [ArrayType, BitsType, SlotAttr, ResultSlotAttr],
)
