"""Casts, and integer tensors that are computed in f32.

Sums of integers and what follows them are lifted as f32 tensors of whole numbers: streamlining
turns them into exact types again. Below 2^24 nothing is rounded; what may be above is refused.
"""

from __future__ import annotations

import math

from xdsl.dialects.builtin import Float32Type, i1
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import element_range, is_exact
from irc.passes.lift.choices import indicator
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.value_bounds import bounds_of

LARGEST_WHOLE = 1 << 24
"""Up to here every integer is a float32 number."""


@rule("Cast")
def lift_cast(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """To float32: exact from integers; to the same or a wider type: nothing.

    From float32 to integers: towards zero, where the bounds of the value fit the type.
    """
    value = lifting.frame(op.input(0))
    lifted = element_type_of(value)
    source, target = element_type_of(op.operands[0]), element_type_of(op.results[0])
    if source == target:
        return value
    if isinstance(lifted, bnn.BipolarType) and _is_boolean(source):
        number = indicator(lifting, value)
        if isinstance(target, Float32Type) or is_exact(target):
            return number
    if _is_boolean(target):
        raise lifting.fail("a cast to boolean; write a comparison, such as Greater, instead")
    if isinstance(target, Float32Type) and is_exact(source):
        return lifting.emit(bnn.CastOp(value)) if is_exact(lifted) else value
    if not is_exact(target):
        raise lifting.fail(f"a cast from {source} to {target}; only float32 is supported")
    low, high = element_range(lifted) if is_exact(lifted) else bounds_of(value)
    least, most = element_range(target)
    if math.isfinite(low) and math.isfinite(high) and not is_exact(source):
        low, high = math.trunc(low), math.trunc(high)
    if low < least or high > most:
        if is_exact(source):
            raise lifting.fail(f"a cast from {source} to {target}, which may change the value")
        raise lifting.fail(
            f"a cast from {source} to {target} of a value that may leave it; Clip it first"
        )
    if is_exact(source):
        return value
    kind = bnn.smallest_int(int(low), int(high))
    return lifting.emit(bnn.QuantizeOp("down", value, kind, int(low), int(high)))


def _is_boolean(element_type: Attribute) -> bool:
    return element_type == i1


def check_whole(lifting: Lifting, op: onnx.OnnxOp, value: SSAValue) -> SSAValue:
    """The f32 result of arithmetic on ONNX integers; raises where a number may leave the
    integer type, or the whole numbers that f32 holds."""
    target = element_type_of(op.results[0])
    if not is_exact(target):
        return value
    least, most = element_range(target)
    found = bounds_of(value)
    low, high = found
    if low < max(least, -LARGEST_WHOLE) or high > min(most, LARGEST_WHOLE):
        raise lifting.fail(
            f"arithmetic on {target} whose result, from {low:.0f} to {high:.0f}, may leave the "
            "type or 24 bits; cast to float32 first"
        )
    return value
