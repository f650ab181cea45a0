"""Element-wise operators: one float function each, with a constant or without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.dialects.dense import is_exact
from irc.passes.lift.clipped_grids import clipped_before_scale
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.rules.casts import check_whole
from irc.passes.lift.rules.qdq import as_floats, clip_integers
from irc.passes.lift.rules.sums import ENLARGES, added, difference

_UNARY = {
    "Neg": "neg",
    "Relu": "relu",
    "Abs": "abs",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "Floor": "floor",
    "Ceil": "ceil",
    "Round": "round",
    "Erf": "erf",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Reciprocal": "reciprocal",
}

_BINARY = {
    "Add": ("add", "add"),
    "Sub": ("sub", "rsub"),
    "Mul": ("mul", "mul"),
    "Div": ("div", "rdiv"),
    "Max": ("max", "max"),
    "Min": ("min", "min"),
    "Pow": ("pow", None),
}
"""ONNX operator to the function with the constant second, and first."""


_NOT_ON_INTEGERS = ("div", "rdiv", "pow", "prelu")


@rule(*_UNARY)
def lift_unary(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A function of one tensor."""
    return lifting.ewise(_UNARY[op.op_type], lifting.floats(op.input(0)))


@rule(*_BINARY)
def lift_binary(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A function of a tensor and a constant, in either order; or a sum of two tensors.

    Max and Min take any number of constants, one after the other.
    """
    activations = [value for value in op.operands if lifting.constant(value) is None]
    if len(activations) > 1:
        return _of_activations(lifting, op, activations)
    if len(op.operands) == 1:
        return as_floats(lifting, op.operands[0])
    second, first = _BINARY[op.op_type]
    if not activations:
        raise lifting.fail("an activation is expected where the model has constants")
    value = activations[0]
    if len(op.operands) == 2:
        constant = lifting.required_constant(op.operands[value is op.operands[0]], "a factor")
        fn = second if value is op.operands[0] else first
        if fn is None:
            raise lifting.fail("a constant raised to the power of an activation")
        return _with_constant(lifting, op, fn, value, _aligned(lifting, op, constant))
    constants = [found for v in op.operands if (found := lifting.constant(v)) is not None]
    reduce = np.maximum if op.op_type == "Max" else np.minimum
    together = constants[0]
    for constant in constants[1:]:
        together = reduce(together, constant)
    return _with_constant(lifting, op, second, value, together)


def _aligned(lifting: Lifting, op: onnx.OnnxOp, constant: np.ndarray) -> np.ndarray:
    """The second operand as it broadcasts by `axis`, the first of its axes, before opset 7."""
    if not op.has_attr("axis") or not op.int_attr("broadcast", 0):
        return constant
    rank = len(lifting.shape(op.operands[0]))
    behind = rank - op.int_attr("axis", 0) % rank - constant.ndim
    return constant.reshape(*constant.shape, *(1 for _ in range(behind)))


_WAY_ROUND = {
    "Mul": "gates, such as squeeze-and-excitation and x · sigmoid(x), have to be replaced in the "
    "model, for example by Relu",
    "Div": "divide by a constant instead, such as BatchNormalization's",
    "Max": "a MaxPool over stacked positions, or a sum of the branches, is supported",
    "Min": "a sum of the branches is supported",
}


def _of_activations(lifting: Lifting, op: onnx.OnnxOp, activations: Sequence[SSAValue]) -> SSAValue:
    """`a + b` and `a − b` of two activations; the square of one."""
    for activation in activations:
        lifting.frame(activation)
    left, right = op.operands[:2]
    if op.op_type in ("Add", "Sub"):
        lhs, rhs = as_floats(lifting, left), as_floats(lifting, right)
        combine = added if op.op_type == "Add" else difference
        return check_whole(lifting, op, combine(lifting, lhs, rhs))
    if left is right and op.op_type == "Mul":
        return check_whole(lifting, op, lifting.ewise("pow", as_floats(lifting, left), 2.0))
    hint = _WAY_ROUND.get(op.op_type)
    raise lifting.fail(
        "both inputs are activations; one must be a constant" + (f": {hint}" if hint else "")
    )


def _with_constant(
    lifting: Lifting, op: onnx.OnnxOp, fn: str, value: SSAValue, constant: np.ndarray
) -> SSAValue:
    lifted = as_floats(lifting, value)
    rank = len(lifting.shape(op.results[0]))
    if lifting.shape(op.results[0]) != lifting.shape(value):
        raise lifting.fail(ENLARGES)
    if fn in _NOT_ON_INTEGERS and isinstance(element_type_of(op.results[0]), IntegerType):
        raise lifting.fail("arithmetic on integers that rounds; cast to float32 first")
    return check_whole(
        lifting, op, lifting.ewise(fn, lifted, lifting.frame_constant(constant, rank))
    )


@rule("LeakyRelu")
def lift_leaky_relu(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`prelu` with one slope."""
    return lifting.ewise("prelu", lifting.floats(op.input(0)), op.float_attr("alpha", 0.01))


@rule("PRelu")
def lift_prelu(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`prelu` with a constant slope."""
    slope = lifting.required_constant(op.input(1), "the slope")
    return _with_constant(lifting, op, "prelu", op.operands[0], slope)


@rule("Clip")
def lift_clip(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`min(max(x, low), high)`; the bounds are attributes up to opset 10 and inputs after."""
    if is_exact(element_type_of(lifting.frame(op.input(0)))):
        return clip_integers(lifting, op, lifting.frame(op.input(0)))
    value = lifting.floats(op.input(0))
    low, high = _bound(lifting, op, 1, "min"), _bound(lifting, op, 2, "max")
    if low is not None and high is not None and low < high:
        moved = clipped_before_scale(lifting, value, float(low), float(high))
        if moved is not None:
            return moved
    for fn, bound in (("max", low), ("min", high)):
        value = value if bound is None else lifting.ewise(fn, value, bound)
    return value


def _bound(lifting: Lifting, op: onnx.OnnxOp, index: int, name: str) -> np.float32 | None:
    """One bound of a `Clip`, one number for all elements."""
    if op.input(index) is not None:
        constant = lifting.required_constant(op.input(index), f"the bound '{name}'")
        if constant.size != 1:
            raise lifting.fail(f"the bound '{name}' has shape {list(constant.shape)}")
        return np.float32(constant.reshape(())[()])
    return np.float32(op.float_attr(name, 0.0)) if op.has_attr(name) else None


@rule("HardSigmoid")
def lift_hard_sigmoid(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`max(0, min(1, alpha·x + beta))`."""
    value = lifting.floats(op.input(0))
    alpha, beta = op.float_attr("alpha", 0.2), op.float_attr("beta", 0.5)
    value = lifting.ewise("mul", value, alpha)
    # One runtime rounds the product, another fuses; it matters while alpha·x + beta is in [0, 1].
    error = 2.0**-23 * (1 + abs(beta))
    value = lifting.ewise("add", value, beta, error)
    return lifting.ewise("max", lifting.ewise("min", value, 1.0), 0.0)


def _check_inference(lifting: Lifting, op: onnx.OnnxOp) -> None:
    """Raise unless the node uses the statistics that it is given, one a channel."""
    is_old = (onnx.opset_of(op) or 7) < 7
    are_used = any(any(True for _ in result.uses) for result in op.results[1:])
    if op.int_attr("training_mode", 0) or are_used or (is_old and not op.int_attr("is_test", 0)):
        raise lifting.fail("training mode; export the model for inference")
    is_spatial = not op.has_attr("spatial") or op.int_attr("spatial", 1)
    if not is_spatial and len(lifting.shape(op.operands[0])) > 2:
        raise lifting.fail("spatial = 0: each pixel has statistics of its own")


@rule("BatchNormalization")
def lift_batch_normalization(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x·s + (beta − mean·s)`, `s = gamma · (1 / sqrt(var + eps))`, as ONNX Runtime evaluates it.

    The formula of the standard, `(x − mean)/sqrt(var + eps)·gamma + beta`, and those with a fused
    multiply-add round elsewhere. The recorded errors of the two constants cover them all: with
    unit roundoff u, s is computed to 3.5u, and `(x − mean)·s` to 5.5u in each of its two parts.
    """
    _check_inference(lifting, op)
    value = lifting.floats(op.input(0))
    gamma, beta, mean, variance = (
        lifting.required_constant(op.input(index), name).astype(np.float32)
        for index, name in enumerate(("scale", "B", "mean", "variance"), start=1)
    )
    epsilon = np.float32(op.float_attr("epsilon", 1e-5))
    with np.errstate(all="ignore"):
        scale = gamma * (np.float32(1) / np.sqrt(variance + epsilon))
    if not np.isfinite(scale).all():
        raise lifting.fail("scale / sqrt(variance + epsilon) is NaN or infinite")
    offset = beta - mean * scale
    unit = np.float32(2.0**-24)
    scale_error = 12 * unit * np.abs(scale)
    shift = np.abs(mean * scale)
    offset_error = np.where(shift > 0, 16 * unit * (shift + np.abs(beta)), 0)
    value = lifting.channels_last(value)
    value = lifting.ewise("mul", value, scale, scale_error)
    value = lifting.ewise("add", value, offset, offset_error)
    return lifting.channels_first(value)
