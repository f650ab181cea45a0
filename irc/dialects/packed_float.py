"""Operations of the `packed` dialect on floats, at a network's beginning and at its end."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_float import BINARY_FUNCTIONS, ROUNDINGS, SIGNS, UNARY_FUNCTIONS
from irc.dialects.bnn_softmax import SOFTMAX_FUNCTIONS
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact, uint
from irc.dialects.packed_base import BufferType, KernelOp, array_type, buffer_type, element_count
from irc.dialects.packed_types import ArrayType, BitsType

FLOAT_INTEGERS = 1 << 24
"""Up to here float32 represents every integer."""

Steps = Sequence[tuple[str, DenseAttr | None]]
"""Float functions in the order of application, each with its constant if it takes one."""


class FloatOp(KernelOp, ABC):
    """Float functions, applied one after another to each element of an array.

    The element is converted to float32 first, bipolar to ±1. `functions` are those of `bnn.ewise`;
    `constants` has one entry for each, `unit` where a function takes none. A constant is a vector
    whose length divides the array's: element `i` uses number `i mod length`. Where the result is
    rows of bits, it divides a row or covers the whole array.

    Each function rounds to float32 before the next, as when an ONNX runtime executes node by node.
    """

    functions = prop_def(ArrayAttr[StringAttr])
    constants = prop_def(ArrayAttr[DenseAttr | UnitAttr])

    def __init__(
        self,
        label: str,
        value: SSAValue,
        steps: Steps,
        result: BufferType,
        properties: Mapping[str, Attribute | None],
    ) -> None:
        super().__init__(
            label,
            value,
            result,
            {
                "functions": ArrayAttr(StringAttr(fn) for fn, _ in steps),
                "constants": ArrayAttr(UnitAttr() if c is None else c for _, c in steps),
                **properties,
            },
        )

    @property
    def steps(self) -> list[tuple[str, DenseAttr | None]]:
        """Pairs of a function and its constant, in the order of application."""
        return [
            (fn.data, constant if isinstance(constant, DenseAttr) else None)
            for fn, constant in zip(self.functions, self.constants, strict=True)
        ]

    @property
    def row(self) -> int:
        """Elements in a row of the result; an array is one."""
        result = buffer_type(self.output)
        return result.width if isinstance(result, BitsType) else result.length

    def verify_steps(self) -> None:
        """Check functions and constants, and that the result has as many elements."""
        source = self.expect_array(self.input, "operand")
        result = buffer_type(self.output)
        if element_count(result) != source.length:
            raise VerifyException(f"{source} and {result} differ in their number of elements")
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
            if constant.size != source.length and self.row % constant.size:
                raise VerifyException(
                    f"{constant.size} constants do not divide {self.row} elements"
                )


@irdl_op_definition
class FloatChainOp(FloatOp):
    """Float functions whose result is a float."""

    name = "packed.float_chain"
    assembly_format = (
        "$label $input $functions `of` $constants attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(self, label: str, value: SSAValue, steps: Steps) -> None:
        super().__init__(label, value, steps, ArrayType.of(array_type(value).length, f32), {})

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if self.output.type != ArrayType.of(source.length, f32):
            raise VerifyException(f"the result must be {ArrayType.of(source.length, f32)}")
        self.verify_steps()


@irdl_op_definition
class FloatQuantizeOp(FloatOp):
    """`clip(round(f(x)), min, max)` after the functions `f`; roundings are those of `bnn.quantize`.

    Not a number becomes `min`. `keys`, which ascend, say the same of floats without computing with
    them: for each code but the lowest the bits, in an order that `irc.passes.software.float_keys`
    explains, of the least float that has it.
    """

    name = "packed.float_quantize"
    keys = opt_prop_def(DenseAttr)
    rounding = prop_def(StringAttr)
    qmin_attr = prop_def(IntegerAttr[I64], prop_name="qmin")
    qmax_attr = prop_def(IntegerAttr[I64], prop_name="qmax")
    assembly_format = (
        "$label $input $functions `of` $constants `rounding` $rounding `min` $qmin `max` $qmax "
        "attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        steps: Steps,
        result: BufferType,
        rounding: str,
        bounds: tuple[int, int],
    ) -> None:
        properties: dict[str, Attribute | None] = {
            "rounding": StringAttr(rounding),
            "qmin": IntegerAttr(bounds[0], i64),
            "qmax": IntegerAttr(bounds[1], i64),
        }
        super().__init__(label, value, steps, result, properties)

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and largest value of the result."""
        return self.qmin_attr.value.data, self.qmax_attr.value.data

    def verify_kernel(self) -> None:
        self.verify_steps()
        kind = buffer_type(self.output).element_type
        if not is_exact(kind):
            raise VerifyException(f"the result is exact, not {kind}")
        rounding = self.rounding.data
        if rounding not in ROUNDINGS or isinstance(kind, BipolarType) != (rounding in SIGNS):
            raise VerifyException(f"rounding '{rounding}' does not give {kind}")
        low, high = element_range(kind)
        least, most = self.bounds
        if not low <= least <= most <= high:
            raise VerifyException(f"bounds {least} to {most} do not fit {kind}")
        if max(-least, most) > FLOAT_INTEGERS:
            raise VerifyException(f"float32 does not represent all of {least} to {most}")
        if self.keys is not None:
            codes = 1 if isinstance(kind, BipolarType) else most - least
            if self.keys.element_type != uint(32) or self.keys.shape != (codes,):
                raise VerifyException(f"keys are tensor<{codes}xui32>, not {self.keys.type}")


@irdl_op_definition
class FloatThresholdOp(FloatOp):
    """`code = Σ_i [f(x) >= thresholds[c, i]]` after the functions `f`, for element `c mod C` of a
    row; `thresholds` are f32 [C, T]."""

    name = "packed.float_threshold"
    thresholds = prop_def(DenseAttr)
    assembly_format = (
        "$label $input $functions `of` $constants `at` $thresholds attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self, label: str, value: SSAValue, steps: Steps, result: BufferType, thresholds: DenseAttr
    ) -> None:
        super().__init__(label, value, steps, result, {"thresholds": thresholds})

    def verify_kernel(self) -> None:
        self.verify_steps()
        thresholds, kind = self.thresholds, buffer_type(self.output).element_type
        is_float = isinstance(thresholds.element_type, Float32Type)
        if not is_float or len(thresholds.shape) != 2 or not thresholds.size:
            raise VerifyException(f"thresholds are f32 [C, T], not {thresholds.type}")
        if self.row % thresholds.shape[0]:
            raise VerifyException(
                f"{thresholds.shape[0]} rows of thresholds do not divide {self.row}"
            )
        if isinstance(kind, BipolarType) or not is_exact(kind):
            raise VerifyException(f"codes are integers, not {kind}")
        if element_range(kind)[1] < thresholds.shape[1]:
            raise VerifyException(f"codes from 0 to {thresholds.shape[1]} do not fit {kind}")


@irdl_op_definition
class SoftmaxOp(KernelOp):
    """Probabilities, or their logarithms, of `rows` rows of logits, in float32."""

    name = "packed.softmax"
    fn = prop_def(StringAttr)
    rows_attr = prop_def(IntegerAttr[I64], prop_name="rows")
    assembly_format = "$label $fn $input `rows` $rows attr-dict `:` type($input) `->` type($output)"

    def __init__(self, label: str, fn: str, value: SSAValue, rows: int) -> None:
        properties: dict[str, Attribute | None] = {
            "fn": StringAttr(fn),
            "rows": IntegerAttr(rows, i64),
        }
        super().__init__(label, value, array_type(value), properties)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.rows_attr.value.data

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if not isinstance(source.element_type, Float32Type) or self.output.type != source:
            raise VerifyException(f"logits and probabilities are f32, not {source}")
        if self.fn.data not in SOFTMAX_FUNCTIONS:
            known = ", ".join(SOFTMAX_FUNCTIONS)
            raise VerifyException(f"unknown function '{self.fn.data}'; known are {known}")
        if self.rows < 1 or source.length % self.rows:
            raise VerifyException(f"{source} is not {self.rows} rows")


__all__ = [
    "FLOAT_INTEGERS",
    "FloatChainOp",
    "FloatOp",
    "FloatQuantizeOp",
    "FloatThresholdOp",
    "SoftmaxOp",
    "Steps",
]
