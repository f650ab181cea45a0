"""Pools of the `packed` dialect."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, is_exact, uint
from irc.dialects.packed_base import (
    BufferType,
    Staircase,
    ThresholdingOp,
    array_type,
)
from irc.dialects.packed_types import BitsType
from irc.dialects.packed_windows import WINDOWS, WindowOp, Windows


@irdl_op_definition
class OrPoolOp(WindowOp):
    """The largest element of each window, channel by channel, where an element is one bit."""

    name = "packed.or_pool"
    assembly_format = f"$label $input {WINDOWS} attr-dict `:` type($input) `->` type($output)"

    def __init__(self, label: str, value: SSAValue, result: BitsType, windows: Windows) -> None:
        super().__init__(label, value, result, windows.properties())

    def verify_kernel(self) -> None:
        self.verify_frame()
        source = self.expect_bits(self.input, "operand")
        if not isinstance(source.element_type, BipolarType) and source.element_type != uint(1):
            raise VerifyException(f"OR is the largest of bipolar or ui1, not {source.element_type}")
        expected = BitsType.of(self.windows.number, source.width, source.element_type, source.word)
        if self.output.type != expected:
            raise VerifyException(f"the result must be {expected}, not {self.output.type}")


class ArrayPoolOp(WindowOp, ThresholdingOp, ABC):
    """An integer for each window and channel, from an array; thresholded where there are any."""

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        windows: Windows,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        codes: Mapping[str, Attribute | None] = {}
        if staircase is not None:
            codes = staircase.properties()
        properties = {**windows.properties(), **codes, "accumulator": accumulator}
        super().__init__(label, value, result, properties)

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if not is_exact(source.element_type):
            raise VerifyException(f"pooling takes integers, not {source.element_type}")
        self.verify_frame()
        self.verify_results(self.windows.number, self.channels)
        result = self.output.type
        if isinstance(result, BitsType) and result.width != self.channels:
            raise VerifyException(f"rows of {self.channels} results do not fit {result}")
        if self.thresholds is not None and self.thresholds.shape[0] not in (1, self.channels):
            raise VerifyException(
                f"thresholds must be [{self.channels}, T] or [1, T], not {self.thresholds.type}"
            )


_POOL = (
    f"$label $input {WINDOWS} (`at` $thresholds^)? (`steps` $steps^)? (`bias` $bias^)? "
    "attr-dict `:` type($input) `->` type($output)"
)


@irdl_op_definition
class MaxPoolOp(ArrayPoolOp):
    """`acc[p, c]` is the largest element of window `p` in channel `c`.

    Without thresholds the element type may be bipolar.
    """

    name = "packed.max_pool"
    assembly_format = _POOL

    def verify_results(self, rows: int, channels: int) -> None:
        result = self.output.type
        if self.thresholds is None and result == self._same_type(rows * channels):
            return
        super().verify_results(rows, channels)

    def _same_type(self, elements: int) -> BufferType:
        source = array_type(self.input)
        return source.of(elements, source.element_type)


@irdl_op_definition
class SumPoolOp(ArrayPoolOp):
    """`acc[p, c]` is the sum of window `p` in channel `c`."""

    name = "packed.sum_pool"
    assembly_format = _POOL
