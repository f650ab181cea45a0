"""Which integers can occur whatever the weights and thresholds are, by their types and shapes."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.reachable import Reachable

WEIGHTS = "bnn.reloadable_weights"
"""Attribute of a layer whose weights may be others: `ternary`, or the name of their type."""


def any_sum(op: bnn.LinearOp | bnn.ConvOp, source: Reachable) -> Reachable:
    """The sums of a row [..., K] of any weights that a layer takes, of inputs from `source`: K
    times the least and the largest product."""
    columns = op.weights.size // max(1, op.weights.shape[0])
    inputs = source.merged()
    ends = np.array([int(inputs.low[0]), int(inputs.high[0])])
    ternary = op.attributes.get(WEIGHTS) == StringAttr("ternary")
    weights = (-1, 1) if ternary else element_range(op.weights.element_type)
    products = np.outer(ends, np.array(weights))
    return Reachable.uniform(columns * int(products.min()), columns * int(products.max()))


class AnyWeightsAnalysis(RangeAnalysis):
    """Reachable sets that hold for every network of the same layers and types."""

    def sums(self, op: bnn.LinearOp | bnn.ConvOp, source: Reachable) -> Reachable:
        return any_sum(op, source)

    def _compute(self, value: SSAValue) -> Reachable:
        if isinstance(value.owner, bnn.ThresholdOp):
            return Reachable.of_type(bnn.frame_type(value).element_type)
        return super()._compute(value)
