"""What the ops of the `packed` dialect share: a label, a place in memory, thresholds."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import I64, IntegerAttr, IntegerType, StringAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, DenseAttr, is_exact
from irc.dialects.packed_types import ArrayType, BitsType, ResultSlotAttr, SlotAttr

BufferType = ArrayType | BitsType
"""What a value of this dialect is, besides the tensors in the function's signature."""

ACCUMULATOR_WIDTHS = (16, 32, 64)

ARENA = "packed.arena"
"""Function attribute: elements of each region of the arena, such as `{u32 = 27}`."""

POPCOUNTS = ("swar", "table", "builtin")
"""How bits are counted: by masks and shifts (Warren, "Hacker's Delight", figure 5-2), in a table
of 256 bytes, or by `__builtin_popcount`."""


def array_type(value: SSAValue) -> ArrayType:
    """The type of a value that is an array."""
    assert isinstance(value.type, ArrayType)
    return value.type


def bits_type(value: SSAValue) -> BitsType:
    """The type of a value that is a bit vector."""
    assert isinstance(value.type, BitsType)
    return value.type


def buffer_type(value: SSAValue) -> BufferType:
    """The type of a value that lies in memory."""
    assert isinstance(value.type, ArrayType | BitsType)
    return value.type


def element_count(buffer: BufferType) -> int:
    """How many elements (not words) a buffer holds."""
    return buffer.rows * buffer.width if isinstance(buffer, BitsType) else buffer.length


@dataclass(frozen=True)
class Staircase:
    """`code(x) = bias + Σ_i steps[c, i] · [x >= thresholds[c, i]]`, as in `bnn.threshold`.

    Element `i` of a frame, in row-major order, uses row `i mod C`.
    """

    thresholds: DenseAttr
    steps: DenseAttr | None
    bias: int

    def properties(self) -> dict[str, Attribute | None]:
        """The properties of an op that applies this function."""
        return {
            "thresholds": self.thresholds,
            "steps": self.steps,
            "bias": IntegerAttr(self.bias, i64),
        }

    @property
    def channels(self) -> int:
        """C: rows of thresholds."""
        return self.thresholds.shape[0]

    @property
    def levels(self) -> int:
        """T: thresholds in a row."""
        return self.thresholds.shape[1]

    def verify(self, elements: int, codes: Attribute) -> None:
        """Raise `VerifyException` unless it applies to a frame of so many elements."""
        for what, constant in (("thresholds", self.thresholds), ("steps", self.steps)):
            if constant is None:
                continue
            if not is_exact(constant.element_type) or len(constant.shape) != 2:
                raise VerifyException(f"{what} must be integers [C, T], not {constant.type}")
            if constant.shape[0] < 1 or elements % constant.shape[0]:
                raise VerifyException(
                    f"{constant.shape[0]} rows of {what} do not divide {elements} elements"
                )
        if self.levels < 1:
            raise VerifyException("at least one threshold is needed")
        if self.steps is not None and self.steps.shape != self.thresholds.shape:
            raise VerifyException(f"{self.steps.type} steps for {self.thresholds.type} thresholds")
        if not is_exact(codes):
            raise VerifyException(f"codes are bipolar or integers, not {codes}")


class KernelOp(IRDLOperation, ABC):
    """An op that reads a buffer, or several, and writes another.

    `label` names it, and its constants, in the generated code; `slot` says where the result lies,
    and `scratch` where the kernel may write besides, once `plan-arena` has decided.
    """

    irdl_options = (ParsePropInAttrDict(),)

    label = prop_def(StringAttr)
    input = operand_def(ArrayType | BitsType)
    slot = opt_prop_def(SlotAttr | ResultSlotAttr)
    scratch = opt_prop_def(SlotAttr)
    output = result_def(ArrayType | BitsType)
    traits = traits_def(Pure())

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        properties: Mapping[str, Attribute | None],
        *more: SSAValue | Sequence[SSAValue],
    ) -> None:
        super().__init__(
            operands=[value, *more],
            result_types=[result],
            properties={"label": StringAttr(label), **properties},
        )

    @property
    def slot_length(self) -> int:
        """Elements (for bits: words) that the result takes in memory."""
        return buffer_type(self.output).length

    @property
    def scratch_buffer(self) -> ArrayType | None:
        """Working memory that the kernel needs for as long as it runs, if any."""
        return None

    @property
    def is_lazy(self) -> bool:
        """Whether readers compute the result row by row, so that it never exists as a whole.

        The operand has to stay alive for them.
        """
        return False

    def verify_(self) -> None:
        if isinstance(self.slot, SlotAttr):
            expected = buffer_type(self.output).region
            if self.slot.region.data != expected:
                raise VerifyException(
                    f"{self.output.type} lies in region {expected}, not in {self.slot.region.data}"
                )
        if self.scratch is not None:
            needed = self.scratch_buffer
            if needed is None:
                raise VerifyException("the kernel needs no scratch")
            if self.scratch.region.data != needed.region:
                raise VerifyException(
                    f"scratch lies in region {needed.region}, not in {self.scratch.region.data}"
                )
        self.verify_kernel()

    def verify_kernel(self) -> None:
        """Check what is particular to the kernel; raises `VerifyException`."""

    def expect_array(self, value: SSAValue, what: str) -> ArrayType:
        """The type of `value`, which has to be an array."""
        if not isinstance(value.type, ArrayType):
            raise VerifyException(f"the {what} must be !packed.array, not {value.type}")
        return value.type

    def expect_bits(self, value: SSAValue, what: str) -> BitsType:
        """The type of `value`, which has to be bits."""
        if not isinstance(value.type, BitsType):
            raise VerifyException(f"the {what} must be !packed.bits, not {value.type}")
        return value.type


class ThresholdingOp(KernelOp, ABC):
    """A kernel that computes integers and may turn them into codes before it stores them.

    Without thresholds the integers themselves are stored, in an array. `accumulator` is the type
    of every intermediate result; it holds sums, thresholds and codes.
    """

    thresholds = opt_prop_def(DenseAttr)
    steps = opt_prop_def(DenseAttr)
    bias = opt_prop_def(IntegerAttr[I64])
    accumulator = prop_def(IntegerType)

    @property
    def staircase(self) -> Staircase | None:
        """The thresholds, if there are any."""
        if self.thresholds is None:
            return None
        bias = 0 if self.bias is None else self.bias.value.data
        return Staircase(self.thresholds, self.steps, bias)

    def verify_results(self, rows: int, channels: int) -> None:
        """Check the result of a kernel that computes `rows` × `channels` integers."""
        result = buffer_type(self.output)
        if self.accumulator.width.data not in ACCUMULATOR_WIDTHS:
            raise VerifyException(f"accumulators are si16, si32 or si64, not {self.accumulator}")
        if element_count(result) != rows * channels:
            raise VerifyException(f"{result} does not hold {rows} rows of {channels} results")
        staircase = self.staircase
        if staircase is not None:
            staircase.verify(rows * channels, result.element_type)
        elif isinstance(result, BitsType):
            raise VerifyException("sums without thresholds are stored in an array")
        elif isinstance(result.element_type, BipolarType) or not is_exact(result.element_type):
            raise VerifyException(f"sums are integers, not {result.element_type}")
