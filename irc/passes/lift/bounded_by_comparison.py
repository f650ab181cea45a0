"""`Where` with a comparison of the very value that it passes on: a bound, or a slope."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.passes.lift.lifting import Lifting, element_type_of

_IS_ABOVE = {"Greater": True, "GreaterOrEqual": True, "Less": False, "LessOrEqual": False}


def bounded_by_comparison(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue | None:
    """`x > c ? x : c = max(x, c)`, `x > c ? c : x = min(x, c)`, `x > 0 ? x : a·x = prelu(x)`.

    Whether the comparison holds where both sides are equal makes no difference.
    """
    comparison = op.operands[0].owner
    if not isinstance(comparison, onnx.OnnxOp) or comparison.op_type not in _IS_ABOVE:
        return None
    left, right = comparison.operands
    is_above, compared, bound = _IS_ABOVE[comparison.op_type], left, lifting.constant(right)
    if bound is None:
        is_above, compared, bound = not is_above, right, lifting.constant(left)
    if bound is None or not isinstance(element_type_of(op.results[0]), Float32Type):
        return None
    then, other = op.operands[1:] if is_above else op.operands[:0:-1]
    # From here on: `x > c ? then : other`.
    value, rank = lifting.floats(compared), len(lifting.shape(op.results[0]))
    limit = lifting.frame_constant(bound, rank)
    if then is compared and _is_same(lifting.constant(other), bound):
        return lifting.ewise("max", value, limit)
    if other is compared and _is_same(lifting.constant(then), bound):
        return lifting.ewise("min", value, limit)
    if bound.any():
        return None
    if then is compared:
        slope = _slope(lifting, other, compared)
        return None if slope is None else lifting.ewise("prelu", value, _of(lifting, slope, rank))
    return None


def _is_same(constant: np.ndarray | None, bound: np.ndarray) -> bool:
    if constant is None:
        return False
    one = constant.reshape(-1)[:1] if constant.size == 1 else constant
    two = bound.reshape(-1)[:1] if bound.size == 1 else bound
    return one.shape == two.shape and bool((one == two).all())


def _slope(lifting: Lifting, value: SSAValue, compared: SSAValue) -> np.ndarray | None:
    """The constant by which a product multiplies `compared`."""
    product = value.owner
    if not isinstance(product, onnx.OnnxOp) or product.op_type != "Mul":
        return None
    if compared not in product.operands:
        return None
    factor = product.operands[product.operands[0] is compared]
    constant = lifting.constant(factor)
    # Elsewhere the product may have the shape of the factor.
    return constant if value.type == compared.type else None


def _of(lifting: Lifting, constant: np.ndarray, rank: int) -> np.ndarray:
    return lifting.frame_constant(constant, rank)
