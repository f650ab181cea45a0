"""How far the float results of a model may be off because its own last sums round."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.analysis.affine import as_affine
from irc.passes.analysis.ranges import RangeAnalysis

_FLAT = ("relu", "max", "min", "sigmoid", "tanh")
"""Functions that enlarge no difference."""


def tail_roundings(function: FuncOp) -> list[float]:
    """For every result of a function at level bnn, a bound on what float32 rounding can change.

    It covers affine functions of integers and what often follows them; 0 for anything else. It
    stays below half the step between two neighbouring sums, so that a wrong sum is not taken for
    rounding.
    """
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    analysis = RangeAnalysis()
    return [_rounding(value, analysis) for value in terminator.arguments]


def _rounding(value: SSAValue, analysis: RangeAnalysis) -> float:
    enlarged = 1.0
    while True:
        match value.owner:
            case bnn.ReshapeOp() | bnn.TransposeOp() as op:
                value = op.input
            case bnn.EwiseOp() as op if op.fn.data in _FLAT:
                value = op.input
            case bnn.SoftmaxOp() as op:
                value = op.input
                enlarged = 2.0 if op.fn.data == "log_softmax" else 0.5
            case _:
                break
    affine = as_affine(value, analysis, by_channel=True)
    if affine is None:
        return 0.0
    steps = np.abs(affine.scale[affine.scale != 0])
    limit = float(steps.min(initial=np.inf)) / 2
    return min(affine.error, limit) * enlarged
