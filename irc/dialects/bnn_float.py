"""Operations of the `bnn` dialect on floats: what the streamlining passes absorb."""

from __future__ import annotations

from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, f32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_base import (
    check_broadcast,
    check_exact,
    check_float,
    check_floats,
    check_same_shape,
    frame_type,
    like,
)
from irc.dialects.dense import BipolarType, DenseAttr, element_range

BINARY_FUNCTIONS = (
    "add",
    "sub",
    "rsub",
    "mul",
    "div",
    "rdiv",
    "max",
    "min",
    "pow",
    "prelu",
)
"""Functions of `bnn.ewise` that take a constant; `rsub` and `rdiv` are constant first."""

UNARY_FUNCTIONS = (
    "neg",
    "relu",
    "abs",
    "sigmoid",
    "tanh",
    "exp",
    "log",
    "sqrt",
    "floor",
    "ceil",
    "round",
    "sign",
    "erf",
    "softplus",
    "softsign",
    "reciprocal",
)
"""Functions of `bnn.ewise` of the tensor alone; `round` is half to even."""

ROUNDINGS = (
    "half_even",
    "half_up",
    "half_down",
    "floor",
    "ceil",
    "up",
    "down",
    "bipolar",
    "positive",
    "sign",
)
"""How `bnn.quantize` maps a float to an integer, named as QONNX names its rounding modes: `up` is
away from zero, `down` towards it, `half_up` and `half_down` decide ties so. `bipolar` maps
x >= 0 to +1 and the rest to −1, `positive` x > 0; `sign` maps to −1, 0 and +1."""

SIGNS = ("bipolar", "positive")
"""The roundings to `!bnn.bipolar`: they differ at 0."""


@irdl_op_definition
class CastOp(IRDLOperation):
    """The exact values as f32: `cast(x) = float(x)`, bipolar as ±1.0."""

    name = "bnn.cast"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue) -> None:
        super().__init__(operands=[value], result_types=[like(value, f32)])

    def verify_(self) -> None:
        check_same_shape(self)
        check_exact(self.input, "the operand")
        check_float(self.output, "the result")


@irdl_op_definition
class EwiseOp(IRDLOperation):
    """An element-wise float function, with a constant for the functions of two arguments.

    The constant broadcasts as in NumPy against the frame's shape; most often it is a scalar or
    one number a channel. Everything is computed in float32, operation by operation.

    `constant_error` and `result_error` bound, in absolute terms, how far the reference may be
    from this constant or result when it sums or factors in another order; the threshold search
    turns them into its margin report. Absent means that no evaluation order makes a difference.
    """

    name = "bnn.ewise"
    fn = prop_def(StringAttr)
    input = operand_def(TensorType)
    constant = opt_prop_def(DenseAttr)
    constant_error = opt_prop_def(DenseAttr)
    result_error = opt_prop_def(DenseAttr)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$fn $input (`,` $constant^)? (`constant_error` $constant_error^)? "
        "(`result_error` $result_error^)? attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        fn: str,
        value: SSAValue,
        constant: DenseAttr | None = None,
        constant_error: DenseAttr | None = None,
        result_error: DenseAttr | None = None,
    ) -> None:
        super().__init__(
            operands=[value],
            result_types=[value.type],
            properties={
                "fn": StringAttr(fn),
                "constant": constant,
                "constant_error": constant_error,
                "result_error": result_error,
            },
        )

    def verify_(self) -> None:
        fn = self.fn.data
        if fn in BINARY_FUNCTIONS:
            if self.constant is None:
                raise VerifyException(f"function '{fn}' takes a constant")
            check_floats(self.constant, "the constant")
            check_broadcast(self.constant.shape, frame_type(self.input).get_shape())
        elif fn in UNARY_FUNCTIONS:
            if self.constant is not None:
                raise VerifyException(f"function '{fn}' takes no constant")
        else:
            known = ", ".join(BINARY_FUNCTIONS + UNARY_FUNCTIONS)
            raise VerifyException(f"unknown function '{fn}'; known are {known}")
        if self.constant_error is not None and self.constant is None:
            raise VerifyException("there is no constant that could have an error")
        for error in (self.constant_error, self.result_error):
            if error is not None:
                check_floats(error, "an error")
                check_broadcast(error.shape, frame_type(self.input).get_shape())
        check_float(self.input, "the operand")
        check_same_shape(self)


@irdl_op_definition
class QuantizeOp(IRDLOperation):
    """`clip(round(x), qmin, qmax)` as an exact value; scale and zero point are `bnn.ewise` before.

    `qmin` and `qmax` default to the range of the result type.
    """

    name = "bnn.quantize"
    rounding = prop_def(StringAttr)
    input = operand_def(TensorType)
    qmin = opt_prop_def(IntegerAttr[I64])
    qmax = opt_prop_def(IntegerAttr[I64])
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$rounding $input (`min` $qmin^)? (`max` $qmax^)? attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        rounding: str,
        value: SSAValue,
        element_type: Attribute,
        qmin: int | None = None,
        qmax: int | None = None,
    ) -> None:
        super().__init__(
            operands=[value],
            result_types=[like(value, element_type)],
            properties={
                "rounding": StringAttr(rounding),
                "qmin": None if qmin is None else IntegerAttr(qmin, i64),
                "qmax": None if qmax is None else IntegerAttr(qmax, i64),
            },
        )

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and largest value of the result."""
        low, high = element_range(frame_type(self.output).element_type)
        if self.rounding.data == "sign":
            low, high = max(low, -1), min(high, 1)
        if self.qmin is not None:
            low = self.qmin.value.data
        if self.qmax is not None:
            high = self.qmax.value.data
        return low, high

    def verify_(self) -> None:
        check_same_shape(self)
        check_float(self.input, "the operand")
        check_exact(self.output, "the result")
        if self.rounding.data not in ROUNDINGS:
            raise VerifyException(
                f"unknown rounding '{self.rounding.data}'; known are {', '.join(ROUNDINGS)}"
            )
        is_bipolar = isinstance(frame_type(self.output).element_type, BipolarType)
        if is_bipolar != (self.rounding.data in SIGNS):
            raise VerifyException(
                "roundings 'bipolar' and 'positive' and result type !bnn.bipolar go together"
            )
        low, high = element_range(frame_type(self.output).element_type)
        qmin, qmax = self.bounds
        if not low <= qmin <= qmax <= high:
            raise VerifyException(
                f"bounds {qmin} to {qmax} do not fit {frame_type(self.output).element_type}"
            )
