"""Give every sum the narrowest type that its actual weights and inputs can fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.analysis.ranges import RangeAnalysis, Reachable, linear_range
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class NarrowAccumulators(ModulePass):
    """Narrow the type of each linear operation to the sums that can occur, partial ones too.

    A product that has not been added yet counts as 0, so partial sums in any order lie within
    the sums of inputs whose intervals are extended to 0.
    """

    name = "narrow-accumulators"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            analysis = RangeAnalysis()
            for linear in list(function.body.block.ops):
                if isinstance(linear, bnn.LinearOp):
                    _narrow(linear, analysis)


def _narrow(linear: bnn.LinearOp, analysis: RangeAnalysis) -> None:
    if not is_exact(bnn.frame_type(linear.output).element_type):
        return
    source = analysis.of(linear.input)
    assert source is not None
    with_zero = Reachable(np.minimum(source.low, 0), np.maximum(source.high, 0), source.step)
    sums = linear_range(linear.weights, with_zero)
    element_type = bnn.smallest_int(min(0, int(sums.low.min())), max(0, int(sums.high.max())))
    if element_type == bnn.frame_type(linear.output).element_type:
        return
    if any(
        not isinstance(use.operation, bnn.ThresholdOp | bnn.CastOp) for use in linear.output.uses
    ):
        return
    narrow = bnn.LinearOp(linear.input, linear.weights, element_type)
    narrow.location = linear.location
    Rewriter.insert_op(narrow, InsertPoint.before(linear))
    linear.output.replace_all_uses_with(narrow.output)
    linear.detach()
    linear.erase()
