"""Operations of the `bnn` dialect on images and sequences: frames of shape […space, channels]."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    FloatAttr,
    IntegerAttr,
    TensorType,
    f32,
    i64,
)
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

from irc.dialects.bnn_base import check_weighted_sum, frame_type
from irc.dialects.dense import BipolarType, DenseAttr, is_exact
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.padding import (
    PaddingOp,
    border_properties,
    check_border_value,
    padded_space,
)


def window_counts(
    space: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[int, ...]:
    """How many windows fit along each axis: `(size − dilation·(kernel − 1) − 1) / stride + 1`."""
    return tuple(
        (size - dilation * (extent - 1) - 1) // stride + 1
        for size, extent, stride, dilation in zip(space, kernel, strides, dilations, strict=True)
    )


def check_windows(
    space: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> None:
    """Raise `VerifyException` unless each axis has its numbers and a window fits."""
    lengths = {len(kernel), len(strides), len(dilations), len(space)}
    if len(lengths) != 1:
        raise VerifyException(
            f"kernel {list(kernel)}, strides {list(strides)}, dilations {list(dilations)} do not "
            f"have one entry for each of the {len(space)} axes in space"
        )
    if min((*kernel, *strides, *dilations)) < 1:
        raise VerifyException("kernel, strides and dilations are positive")
    if min(window_counts(space, kernel, strides, dilations)) < 1:
        raise VerifyException(f"a window of {list(kernel)} does not fit into {list(space)}")


@irdl_op_definition
class ConvOp(IRDLOperation):
    """`y[p, m] = Σ_{k, c} weights[m, k, c] · x[p·stride + k·dilation, g(m)·C/G + c]`.

    `weights` has shape [M, …kernel, C/G]: output channel m reads the C/G input channels of its
    group `g(m) = m // (M/G)`. There is no padding: `bnn.pad` says it explicitly, with its value.
    On floats, `scales` and `offsets` are as in `bnn.linear`. An exact result type holds every sum
    that can occur.
    """

    name = "bnn.conv"
    input = operand_def(TensorType)
    weights = prop_def(DenseAttr)
    scales = opt_prop_def(DenseAttr)
    offsets = opt_prop_def(DenseAttr)
    strides_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="strides")
    dilations_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="dilations")
    groups_attr = prop_def(IntegerAttr[I64], prop_name="groups")
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `,` $weights (`scales` $scales^)? (`offsets` $offsets^)? "
        "`strides` $strides `dilations` $dilations `groups` $groups attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        weights: DenseAttr,
        element_type: Attribute,
        strides: Sequence[int],
        dilations: Sequence[int],
        groups: int = 1,
        scales: DenseAttr | None = None,
        offsets: DenseAttr | None = None,
    ) -> None:
        space = frame_type(value).get_shape()[:-1]
        counts = window_counts(space, weights.shape[1:-1], strides, dilations)
        super().__init__(
            operands=[value],
            result_types=[TensorType(element_type, (*counts, weights.shape[0]))],
            properties={
                "weights": weights,
                "scales": scales,
                "offsets": offsets,
                "strides": integers(strides),
                "dilations": integers(dilations),
                "groups": IntegerAttr(groups, i64),
            },
        )

    @property
    def kernel(self) -> tuple[int, ...]:
        """Extent of the window along each axis."""
        return self.weights.shape[1:-1]

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance of neighbouring windows along each axis."""
        return values_of(self.strides_attr)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Distance of neighbouring elements of a window along each axis."""
        return values_of(self.dilations_attr)

    @property
    def groups(self) -> int:
        """How many groups the channels fall into; as many as channels: depthwise."""
        return self.groups_attr.value.data

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape, weights = source.get_shape(), self.weights.shape
        if len(weights) < 3 or len(shape) != len(weights) - 1:
            raise VerifyException(f"weights {self.weights.type} do not fit an input of {source}")
        check_windows(shape[:-1], self.kernel, self.strides, self.dilations)
        if self.groups < 1 or weights[0] % self.groups or weights[-1] * self.groups != shape[-1]:
            raise VerifyException(
                f"{self.groups} groups of {weights[-1]} channels do not fit {shape[-1]} input and "
                f"{weights[0]} output channels"
            )
        counts = window_counts(shape[:-1], self.kernel, self.strides, self.dilations)
        if result.get_shape() != (*counts, weights[0]):
            raise VerifyException(f"the result has shape {[*counts, weights[0]]}, not {result}")
        check_weighted_sum(source, self.weights, result, self.scales, self.offsets)


@irdl_op_definition
class PadOp(PaddingOp):
    """The frame with a border of `value`: `before` and `after` elements along each axis in space.

    The value is a number of the result's element type, which may be wider than the operand's:
    zeros around bipolar values make a ternary frame.
    """

    name = "bnn.pad"
    input = operand_def(TensorType)
    value_attr = prop_def(FloatAttr[Float32Type], prop_name="value")
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `before` $before `after` $after `value` $value attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        before: Sequence[int],
        after: Sequence[int],
        pad_value: float,
        element_type: Attribute,
    ) -> None:
        *space, channels = frame_type(value).get_shape()
        padded = [size + b + a for size, b, a in zip(space, before, after, strict=True)]
        super().__init__(
            operands=[value],
            result_types=[TensorType(element_type, (*padded, channels))],
            properties={
                **border_properties(before, after),
                "value": FloatAttr(pad_value, f32),
            },
        )

    @property
    def pad_value(self) -> float:
        """What the border holds."""
        return self.value_attr.value.data

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        *space, channels = source.get_shape()
        padded = padded_space(space, self.before, self.after)
        if result.get_shape() != (*padded, channels):
            raise VerifyException(f"the result has shape {[*padded, channels]}, not {result}")
        if isinstance(result.element_type, Float32Type):
            if not isinstance(source.element_type, Float32Type):
                raise VerifyException(f"padding {source} does not make floats")
            return
        if not is_exact(source.element_type) or not is_exact(result.element_type):
            raise VerifyException(f"padding goes from exact to exact, not {source} to {result}")
        check_border_value(self.pad_value, source.element_type, result.element_type)


class _PoolOp(IRDLOperation):
    """A function of each window, channel by channel."""

    input = operand_def(TensorType)
    kernel_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="kernel")
    strides_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="strides")
    dilations_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="dilations")
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `dilations` $dilations attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        element_type: Attribute,
    ) -> None:
        *space, channels = frame_type(value).get_shape()
        counts = window_counts(space, kernel, strides, dilations)
        super().__init__(
            operands=[value],
            result_types=[TensorType(element_type, (*counts, channels))],
            properties={
                "kernel": integers(kernel),
                "strides": integers(strides),
                "dilations": integers(dilations),
            },
        )

    @property
    def kernel(self) -> tuple[int, ...]:
        """Extent of the window along each axis."""
        return values_of(self.kernel_attr)

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance of neighbouring windows along each axis."""
        return values_of(self.strides_attr)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Distance of neighbouring elements of a window along each axis."""
        return values_of(self.dilations_attr)

    @property
    def window_size(self) -> int:
        """Elements of a window."""
        return math.prod(self.kernel)

    def check_shapes(self) -> None:
        """Raise unless the windows fit the operand and their number is the result's shape."""
        source, result = frame_type(self.input), frame_type(self.output)
        *space, channels = source.get_shape()
        check_windows(space, self.kernel, self.strides, self.dilations)
        counts = window_counts(space, self.kernel, self.strides, self.dilations)
        if result.get_shape() != (*counts, channels):
            raise VerifyException(f"the result has shape {[*counts, channels]}, not {result}")


@irdl_op_definition
class MaxPoolOp(_PoolOp):
    """The largest element of each window; on bipolar values the OR of the bits.

    A border of the smallest value of the type, by `bnn.pad`, is as good as no element.
    """

    name = "bnn.max_pool"

    def verify_(self) -> None:
        self.check_shapes()
        if frame_type(self.input).element_type != frame_type(self.output).element_type:
            raise VerifyException("the largest element has the type of all")


@irdl_op_definition
class SumPoolOp(_PoolOp):
    """The sum of each window; an average is a `bnn.ewise` division behind it."""

    name = "bnn.sum_pool"

    def verify_(self) -> None:
        self.check_shapes()
        source, result = frame_type(self.input), frame_type(self.output)
        if is_exact(source.element_type) != is_exact(result.element_type):
            raise VerifyException(f"the sum of {source.element_type} is not {result.element_type}")
        if isinstance(result.element_type, BipolarType):
            raise VerifyException("a sum is an integer, not bipolar")
