"""Values of different exact types as values of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, i64
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.streamline.fold_thresholds import MARGIN

MAX_STEPS = 1 << 8
"""Most thresholds that stand for a change of type."""

ANY_EXACT = (
    bnn.CastOp,
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.SumPoolOp,
    bnn.ThresholdOp,
    bnn.AddOp,
)
"""Readers that take any exact type, and give the same whatever it is."""


def common_type(values: Sequence[SSAValue]) -> Attribute:
    """The type of all values if they have one, else the narrowest integer that holds them."""
    types = {bnn.frame_type(value).element_type for value in values}
    if len(types) == 1:
        return types.pop()
    low, high = zip(*map(element_range, types), strict=True)
    return bnn.smallest_int(min(low), max(high))


def can_widen(value: SSAValue, element_type: Attribute, analysis: RangeAnalysis) -> bool:
    """Whether `widened` succeeds."""
    if bnn.frame_type(value).element_type == element_type or _may_change_type(value):
        return True
    reachable = analysis.of(value)
    assert reachable is not None
    all_ = reachable.merged()
    return int((all_.high[0] - all_.low[0]) // all_.step[0]) <= MAX_STEPS


def widened(
    value: SSAValue, element_type: Attribute, analysis: RangeAnalysis
) -> tuple[list[Operation], SSAValue]:
    """`value` in a type that holds all of it, and the new operations that it takes, if any.

    A sum or a quantizer gives its result in the wider type at once; else thresholds that are the
    identity do: `x = low + Σ_i step·[x >= low + i·step]`.
    """
    shape = bnn.frame_type(value).get_shape()
    if bnn.frame_type(value).element_type == element_type:
        return [], value
    if _may_change_type(value):
        if isinstance(op := value.owner, bnn.QuantizeOp):
            for name, bound in zip(("qmin", "qmax"), op.bounds, strict=True):
                op.properties[name] = IntegerAttr[I64](bound, i64)
        return [], Rewriter.replace_value_with_new_type(value, TensorType(element_type, shape))
    reachable = analysis.of(value)
    assert reachable is not None
    all_ = reachable.merged()
    low, high, step = (int(a[0]) for a in (all_.low, all_.high, all_.step))
    at = np.arange(low + step, high + 1, step)[None, :]
    steps = None if step == 1 else bnn.DenseAttr.from_integers(np.full_like(at, step))
    op = bnn.ThresholdOp(value, bnn.DenseAttr.from_integers(at), element_type, low, steps)
    op.attributes[MARGIN] = StringAttr("exact")
    return [op], op.output


def _may_change_type(value: SSAValue) -> bool:
    """Whether what makes an integer can make it of a wider type, with no reader minding."""
    makes = bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp | bnn.AddOp | bnn.ThresholdOp | bnn.QuantizeOp
    if not isinstance(value.owner, makes):
        return False
    if isinstance(bnn.frame_type(value).element_type, bnn.BipolarType):
        return False
    return all(isinstance(use.operation, ANY_EXACT) for use in value.uses) and not any(
        isinstance(use.operation, ReturnOp) for use in value.uses
    )
