"""Which kernels may write their result over an operand, element by element."""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.dialects import packed
from irc.dialects.packed_types import ArrayType

_ELEMENTWISE = (packed.QuantizeOp, packed.FloatOp, packed.FloatAddOp, packed.AddOp)
"""These read element i of their operands, write element i of the result, and go on to the next."""


def may_overwrite(op: packed.KernelOp) -> list[SSAValue]:
    """The operands over which the result of `op` may lie, at the very same place.

    They are arrays of as many elements of the same C type. Pools write their pixels in order, and
    no pixel lies behind the first one of its window, nor of any later window. Softmax writes the
    exponential over what it has read; its logarithm reads the logits twice.
    """
    result = op.output.type
    if not isinstance(result, ArrayType) or op.is_lazy:
        return []
    if isinstance(op, packed.MaxPoolOp | packed.SumPoolOp):
        return [op.input] if _same_storage(op.input, result) and not op.windows.has_border else []
    is_softmax = isinstance(op, packed.SoftmaxOp) and op.fn.data == "softmax"
    if not isinstance(op, _ELEMENTWISE) and not is_softmax:
        return []
    return [
        value
        for value in op.operands
        if _same_storage(value, result) and packed.array_type(value).length == result.length
    ]


def _same_storage(value: SSAValue, result: ArrayType) -> bool:
    """Whether a value is an array that lies in the same region."""
    return isinstance(value.type, ArrayType) and value.type.region == result.region


__all__ = ["may_overwrite"]
