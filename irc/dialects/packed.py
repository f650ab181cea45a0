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

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Dialect, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn import frame_type
from irc.dialects.dense import BipolarType, IntegerType, is_exact
from irc.dialects.packed_add import AddOp, FloatAddOp
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
    element_count,
)
from irc.dialects.packed_bits_dense import BitsDenseOp, PlaneDenseOp, XnorDenseOp
from irc.dialects.packed_channels import ChannelDenseOp, channel_terms
from irc.dialects.packed_dense import DenseOp, IntDenseOp, SignDenseOp
from irc.dialects.packed_float import (
    FLOAT_INTEGERS,
    FloatChainOp,
    FloatOp,
    FloatQuantizeOp,
    FloatThresholdOp,
    SoftmaxOp,
)
from irc.dialects.packed_move import ConcatOp, SliceOp, TransposeOp, UpsampleOp
from irc.dialects.packed_pool import MaxPoolOp, OrPoolOp, SumPoolOp
from irc.dialects.packed_spatial import GroupDenseOp, PadOp, PatchesOp
from irc.dialects.packed_types import ArrayType, BitsType, ResultSlotAttr, SlotAttr
from irc.dialects.packed_windows import Windows

__all__ = [
    "ARENA",
    "FLOAT_INTEGERS",
    "POPCOUNTS",
    "AddOp",
    "ArgmaxOp",
    "ArrayType",
    "BitsDenseOp",
    "BitsType",
    "BufferType",
    "ChannelDenseOp",
    "ConcatOp",
    "DenseOp",
    "FloatAddOp",
    "FloatChainOp",
    "FloatOp",
    "FloatQuantizeOp",
    "FloatThresholdOp",
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
    "SliceOp",
    "SlotAttr",
    "SoftmaxOp",
    "Staircase",
    "SumPoolOp",
    "ThresholdingOp",
    "TransposeOp",
    "UpsampleOp",
    "Windows",
    "XnorDenseOp",
    "array_type",
    "bits_type",
    "buffer_type",
    "channel_terms",
]


def _check_frame(buffer: BufferType, tensor: TensorType) -> None:
    elements = math.prod(tensor.get_shape())
    if element_count(buffer) != elements or buffer.element_type != tensor.element_type:
        raise VerifyException(f"{tensor} and {buffer} differ")


@irdl_op_definition
class InputOp(IRDLOperation):
    """What the caller hands over as a function argument: an array, or words of bits."""

    name = "packed.input"
    input = operand_def(TensorType)
    output = result_def(ArrayType | BitsType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, layout: BitsType | None = None) -> None:
        frame = frame_type(value)
        array = ArrayType.of(math.prod(frame.get_shape()), frame.element_type)
        super().__init__(operands=[value], result_types=[layout or array])

    def verify_(self) -> None:
        _check_frame(buffer_type(self.output), frame_type(self.input))


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
        FloatQuantizeOp,
        FloatThresholdOp,
        FloatAddOp,
        SoftmaxOp,
        ArgmaxOp,
        AddOp,
        TransposeOp,
        ConcatOp,
        SliceOp,
        UpsampleOp,
        PatchesOp,
        ChannelDenseOp,
        GroupDenseOp,
        PadOp,
        OrPoolOp,
        MaxPoolOp,
        SumPoolOp,
    ],
    [ArrayType, BitsType, SlotAttr, ResultSlotAttr],
)
