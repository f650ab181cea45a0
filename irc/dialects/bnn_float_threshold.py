"""The operation of the `bnn` dialect that quantizes floats by explicit thresholds."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
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

from irc.dialects.bnn_base import (
    check_exact,
    check_float,
    check_floats,
    check_same_shape,
    frame_type,
    like,
)
from irc.dialects.dense import BipolarType, DenseAttr, element_range


@irdl_op_definition
class FloatThresholdOp(IRDLOperation):
    """`code = Σ_i [x >= thresholds[c, i]]` of floats, for channel c, the last axis.

    `thresholds` are f32 of shape [C, T], or [1, T] for all channels alike; the code is from 0 to
    T. A quantizer whose steps are not uniform; `fold-thresholds` absorbs it like `bnn.quantize`.
    """

    name = "bnn.float_threshold"
    input = operand_def(TensorType)
    thresholds = prop_def(DenseAttr)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input `at` $thresholds attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, thresholds: DenseAttr, element_type: Attribute) -> None:
        super().__init__(
            operands=[value],
            result_types=[like(value, element_type)],
            properties={"thresholds": thresholds},
        )

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and largest value of the result."""
        return 0, self.thresholds.shape[1]

    def verify_(self) -> None:
        check_same_shape(self)
        check_float(self.input, "the operand")
        check_exact(self.output, "the result")
        check_floats(self.thresholds, "the thresholds")
        shape, given = frame_type(self.input).get_shape(), self.thresholds.shape
        channels = shape[-1] if shape else 1
        if len(given) != 2 or given[0] not in (1, channels):
            raise VerifyException(
                f"thresholds must be [{channels}, T] or [1, T], not {self.thresholds.type}"
            )
        element_type = frame_type(self.output).element_type
        most = -1 if isinstance(element_type, BipolarType) else element_range(element_type)[1]
        if given[1] > most:
            raise VerifyException(f"codes from 0 to {given[1]} do not fit {element_type}")
