"""The `bnn` dialect: binary and low-bit networks on channels-last tensors of exact types.

A function describes one frame: types carry no batch dimension. Values are tensors of
`!bnn.bipolar`, `uiN`, `siN`, or `f32` where a network begins and ends. An imported network starts
out with `f32` throughout; the streamlining passes turn everything between the first quantizer and
the last linear operation into exact types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    Float32Type,
    IntegerAttr,
    StringAttr,
    TensorType,
    f32,
    i64,
)
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
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

from irc.dialects.dense import (
    BipolarType,
    DenseAttr,
    PackedBytes,
    bipolar,
    element_range,
    is_exact,
    sint,
    smallest_int,
    uint,
)

__all__ = [
    "BINARY_FUNCTIONS",
    "ROUNDINGS",
    "UNARY_FUNCTIONS",
    "ArgmaxOp",
    "BipolarType",
    "Bnn",
    "CastOp",
    "DenseAttr",
    "EwiseOp",
    "LinearOp",
    "QuantizeOp",
    "ReshapeOp",
    "ThresholdOp",
    "TransposeOp",
    "bipolar",
    "frame_type",
    "sint",
    "smallest_int",
    "uint",
]

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
    "sign",
)
"""How `bnn.quantize` maps a float to an integer, named as QONNX names its rounding modes: `up` is
away from zero, `down` towards it, `half_up` and `half_down` decide ties so. `bipolar` maps
x >= 0 to +1 and the rest to −1; `sign` maps to −1, 0 and +1."""


def frame_type(value: SSAValue) -> TensorType[Attribute]:
    """The tensor type of a value; every value of this dialect has one."""
    assert TensorType.constr().verifies(value.type)
    return value.type


def _like(value: SSAValue, element_type: Attribute) -> TensorType[Attribute]:
    return TensorType(element_type, frame_type(value).get_shape())


def _check_same_shape(op: Operation) -> None:
    source, result = frame_type(op.operands[0]), frame_type(op.results[0])
    if source.get_shape() != result.get_shape():
        raise VerifyException(f"{op.name} keeps the shape, but goes from {source} to {result}")


def _check_float(value: SSAValue, what: str) -> None:
    if not isinstance(frame_type(value).element_type, Float32Type):
        raise VerifyException(f"{what} must be f32, not {value.type}")


def _check_exact(value: SSAValue, what: str) -> None:
    if not is_exact(frame_type(value).element_type):
        raise VerifyException(f"{what} must be bipolar or integer, not {value.type}")


@irdl_op_definition
class CastOp(IRDLOperation):
    """The exact values as f32: `cast(x) = float(x)`, bipolar as ±1.0."""

    name = "bnn.cast"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue) -> None:
        super().__init__(operands=[value], result_types=[_like(value, f32)])

    def verify_(self) -> None:
        _check_same_shape(self)
        _check_exact(self.input, "the operand")
        _check_float(self.output, "the result")


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
            _check_floats(self.constant, "the constant")
            _check_broadcast(self.constant.shape, frame_type(self.input).get_shape())
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
                _check_floats(error, "an error")
                _check_broadcast(error.shape, frame_type(self.input).get_shape())
        _check_float(self.input, "the operand")
        _check_same_shape(self)


def _check_floats(constant: DenseAttr, what: str) -> None:
    if not isinstance(constant.element_type, Float32Type):
        raise VerifyException(f"{what} must be f32, not {constant.type}")


def _check_broadcast(constant: Sequence[int], frame: Sequence[int]) -> None:
    aligned = zip(reversed(constant), reversed(frame), strict=False)
    if len(constant) > len(frame) or any(c not in (1, f) for c, f in aligned):
        raise VerifyException(
            f"a constant of shape {list(constant)} does not broadcast to {list(frame)}"
        )


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
            result_types=[_like(value, element_type)],
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
        _check_same_shape(self)
        _check_float(self.input, "the operand")
        _check_exact(self.output, "the result")
        if self.rounding.data not in ROUNDINGS:
            raise VerifyException(
                f"unknown rounding '{self.rounding.data}'; known are {', '.join(ROUNDINGS)}"
            )
        is_bipolar = isinstance(frame_type(self.output).element_type, BipolarType)
        if is_bipolar != (self.rounding.data == "bipolar"):
            raise VerifyException("rounding 'bipolar' and result type !bnn.bipolar go together")
        low, high = element_range(frame_type(self.output).element_type)
        qmin, qmax = self.bounds
        if not low <= qmin <= qmax <= high:
            raise VerifyException(
                f"bounds {qmin} to {qmax} do not fit {frame_type(self.output).element_type}"
            )


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
        exact = is_exact(source.element_type) and is_exact(self.weights.element_type)
        if exact != is_exact(result.element_type):
            raise VerifyException(
                f"the result must be {'integer' if exact else 'f32'}, not {result}"
            )
        if isinstance(result.element_type, BipolarType):
            raise VerifyException("a sum is an integer, not bipolar")
        for what, attribute in (("scales", self.scales), ("offsets", self.offsets)):
            if attribute is None:
                continue
            if exact:
                raise VerifyException(f"an exact sum has no {what}")
            _check_floats(attribute, what)
            _check_broadcast(attribute.shape, (rows,))


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
            result_types=[_like(value, element_type)],
            properties={
                "thresholds": thresholds,
                "steps": steps,
                "bias": IntegerAttr(bias, i64),
            },
        )

    def verify_(self) -> None:
        _check_same_shape(self)
        _check_exact(self.input, "the operand")
        _check_exact(self.output, "the result")
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


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements in the same row-major order, under another shape."""

    name = "bnn.reshape"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, shape: Sequence[int]) -> None:
        element_type = frame_type(value).element_type
        super().__init__(operands=[value], result_types=[TensorType(element_type, shape)])

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        if source.element_type != result.element_type:
            raise VerifyException(f"a reshape keeps the element type: {source} to {result}")
        if math.prod(source.get_shape()) != math.prod(result.get_shape()):
            raise VerifyException(f"{source} and {result} differ in their number of elements")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """Axes in another order, as `numpy.transpose`: axis `i` of the result is `perm[i]`."""

    name = "bnn.transpose"
    perm = prop_def(ArrayAttr[IntegerAttr[I64]])
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input `perm` $perm attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, perm: Sequence[int]) -> None:
        source = frame_type(value)
        shape = [source.get_shape()[axis] for axis in perm]
        super().__init__(
            operands=[value],
            result_types=[TensorType(source.element_type, shape)],
            properties={"perm": ArrayAttr(IntegerAttr(axis, i64) for axis in perm)},
        )

    @property
    def axes(self) -> tuple[int, ...]:
        """The permutation as Python integers."""
        return tuple(axis.value.data for axis in self.perm)

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if sorted(self.axes) != list(range(len(shape))):
            raise VerifyException(f"{list(self.axes)} is no permutation of {len(shape)} axes")
        if result != TensorType(source.element_type, [shape[axis] for axis in self.axes]):
            raise VerifyException(f"transposing {source} by {list(self.axes)} is not {result}")


@irdl_op_definition
class ArgmaxOp(IRDLOperation):
    """The index of the largest element along the last axis; ties go to the lowest index."""

    name = "bnn.argmax"
    input = operand_def(TensorType)
    output = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($output)"

    def __init__(self, value: SSAValue, element_type: Attribute, keep_axis: bool = False) -> None:
        shape = frame_type(value).get_shape()
        shape = (*shape[:-1], 1) if keep_axis else shape[:-1]
        super().__init__(operands=[value], result_types=[TensorType(element_type, shape)])

    def verify_(self) -> None:
        source, result = frame_type(self.input), frame_type(self.output)
        shape = source.get_shape()
        if not shape:
            raise VerifyException("argmax needs at least one axis")
        if result.get_shape() not in (shape[:-1], (*shape[:-1], 1)):
            raise VerifyException(f"argmax over the last axis of {source} is not {result}")
        _check_exact(self.output, "the result")
        if element_range(result.element_type)[1] < shape[-1] - 1:
            raise VerifyException(f"{result.element_type} cannot hold index {shape[-1] - 1}")


Bnn = Dialect(
    "bnn",
    [
        CastOp,
        EwiseOp,
        QuantizeOp,
        LinearOp,
        ThresholdOp,
        ReshapeOp,
        TransposeOp,
        ArgmaxOp,
    ],
    [BipolarType, DenseAttr, PackedBytes],
)
