"""Operations of the `bnn` dialect on exact values: sums of products, and thresholds."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import I64, IntegerAttr, TensorType, i64
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
    check_exact,
    check_same_shape,
    check_weighted_sum,
    frame_type,
    like,
)
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact


@irdl_op_definition
class LinearOp(IRDLOperation):
    """`y[m] = Σ_k weights[m, k] · x[k]` along the last axis: exact, unless `x` is f32.

    `weights` has shape [M, K]; an exact result type holds every sum that can occur. On floats,
    `scales` of shape [M] or [1] says that the model's weights are `scales[m] · weights[m, k]`,
    and `offsets`, of either shape too, are one more term of the sum, rounded along with the rest.
    """

    name = "bnn.linear"
    input = operand_def(TensorType)
    weights = prop_def(DenseAttr)
    scales = opt_prop_def(DenseAttr)
    offsets = opt_prop_def(DenseAttr)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `,` $weights (`scales` $scales^)? (`offsets` $offsets^)? attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        weights: DenseAttr,
        element_type: Attribute,
        scales: DenseAttr | None = None,
        offsets: DenseAttr | None = None,
    ) -> None:
        shape = (*frame_type(value).get_shape()[:-1], weights.shape[0])
        super().__init__(
            operands=[value],
            result_types=[TensorType(element_type, shape)],
            properties={"weights": weights, "scales": scales, "offsets": offsets},
        )

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if len(self.weights.shape) != 2:
            raise VerifyException(f"weights must be [M, K], not {self.weights.type}")
        rows, columns = self.weights.shape
        if not shape or shape[-1] != columns:
            raise VerifyException(
                f"weights of {columns} columns do not fit an input of type {source}"
            )
        if result.get_shape() != (*shape[:-1], rows):
            raise VerifyException(f"{rows} rows do not give {result}")
        check_weighted_sum(source, self.weights, result, self.scales, self.offsets)


@irdl_op_definition
class ThresholdOp(IRDLOperation):
    """`code = bias + Σ_i steps[c, i] · [x >= thresholds[c, i]]` for channel c, the last axis.

    `thresholds` and `steps` have shape [C, T], or [1, T] for all channels alike; without `steps`
    each is +1. The code of `!bnn.bipolar` is its bit, that of an integer its value. Any function
    from an integer to an integer is such a sum: one step wherever the function changes.
    """

    name = "bnn.threshold"
    input = operand_def(TensorType)
    thresholds = prop_def(DenseAttr)
    steps = opt_prop_def(DenseAttr)
    bias = prop_def(IntegerAttr[I64])
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `at` $thresholds (`steps` $steps^)? `bias` $bias attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        thresholds: DenseAttr,
        element_type: Attribute,
        bias: int = 0,
        steps: DenseAttr | None = None,
    ) -> None:
        super().__init__(
            operands=[value],
            result_types=[like(value, element_type)],
            properties={
                "thresholds": thresholds,
                "steps": steps,
                "bias": IntegerAttr(bias, i64),
            },
        )

    def verify_(self) -> None:
        check_same_shape(self)
        check_exact(self.input, "the operand")
        check_exact(self.output, "the result")
        shape = frame_type(self.input).get_shape()
        channels = shape[-1] if shape else 1
        for what, attribute in (("thresholds", self.thresholds), ("steps", self.steps)):
            if attribute is None:
                continue
            if not is_exact(attribute.element_type):
                raise VerifyException(f"{what} must be integers, not {attribute.type}")
            if len(attribute.shape) != 2 or attribute.shape[0] not in (1, channels):
                raise VerifyException(
                    f"{what} must be [{channels}, T] or [1, T], not {attribute.type}"
                )
        if self.steps is not None and self.steps.shape != self.thresholds.shape:
            raise VerifyException(f"{self.steps.type} steps for {self.thresholds.type} thresholds")
        self._check_codes()

    def _check_codes(self) -> None:
        element_type = frame_type(self.output).element_type
        is_bipolar = isinstance(element_type, BipolarType)
        least, most = (0, 1) if is_bipolar else element_range(element_type)
        low, high = self.code_bounds()
        if low < least or high > most:
            raise VerifyException(f"codes from {low} to {high} do not fit {element_type}")

    def code_bounds(self) -> tuple[int, int]:
        """Smallest and largest code, over all integers."""
        bias = self.bias.value.data
        if self.steps is None:
            return bias, bias + self.thresholds.shape[1]
        thresholds, steps = self.thresholds.numpy(), self.steps.numpy().astype(np.int64)
        order = np.argsort(thresholds, axis=1, kind="stable")
        thresholds = np.take_along_axis(thresholds, order, axis=1)
        sums = np.cumsum(np.take_along_axis(steps, order, axis=1), axis=1)
        # Between equal thresholds there is no integer that has the sum in between.
        sums = sums[:, :-1][thresholds[:, :-1] != thresholds[:, 1:]], sums[:, -1:]
        seen = np.concatenate([[0], *(part.reshape(-1) for part in sums)])
        return bias + int(seen.min()), bias + int(seen.max())
