"""The operation of the `bnn` dialect that turns logits into probabilities, at a network's end."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import SSAValue
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

from irc.dialects.bnn_base import check_float, check_same_shape, frame_type

SOFTMAX_FUNCTIONS = ("softmax", "log_softmax")


@irdl_op_definition
class SoftmaxOp(IRDLOperation):
    """`exp(x_i − max) / Σ_j exp(x_j − max)` along the last axis, or its logarithm, in float32."""

    name = "bnn.softmax"
    fn = prop_def(StringAttr)
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$fn $input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, fn: str, value: SSAValue) -> None:
        super().__init__(
            operands=[value], result_types=[value.type], properties={"fn": StringAttr(fn)}
        )

    def verify_(self) -> None:
        if self.fn.data not in SOFTMAX_FUNCTIONS:
            raise VerifyException(
                f"unknown function '{self.fn.data}'; known are {', '.join(SOFTMAX_FUNCTIONS)}"
            )
        check_float(self.input, "the operand")
        check_same_shape(self)
        if not frame_type(self.input).get_shape():
            raise VerifyException("softmax needs at least one axis")
