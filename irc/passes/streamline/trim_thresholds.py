"""Drop thresholds that no sum can be on both sides of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.dense import DenseAttr
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.threshold_search import Steps, trimmed
from irc.passes.rewriting import functions_of
from irc.passes.streamline.step_functions import reachable_by_row


@dataclass(frozen=True)
class TrimThresholds(ModulePass):
    """Drop columns of thresholds that no channel ever reaches, or that every channel always has
    behind it, which is a larger bias. At least one threshold stays.

    Thresholds come out of the search without such columns; they appear where constant channels are
    folded into them, and in networks that come as text.
    """

    name = "trim-thresholds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            analysis = RangeAnalysis()
            for threshold in function.body.block.ops:
                if isinstance(threshold, bnn.ThresholdOp):
                    _trim(threshold, analysis)


def _trim(op: bnn.ThresholdOp, analysis: RangeAnalysis) -> None:
    at = op.thresholds.numpy().astype(np.int64)
    steps = np.ones_like(at) if op.steps is None else op.steps.numpy().astype(np.int64)
    full = reachable_by_row(analysis, op.input, len(at))
    kept = trimmed(Steps(at, steps, op.bias.value.data), full)
    if not 0 < kept.at.shape[1] < at.shape[1]:
        return
    count("columns of thresholds dropped", at.shape[1] - kept.at.shape[1])
    op.properties["thresholds"] = DenseAttr.from_integers(kept.at)
    if op.steps is not None:
        op.properties["steps"] = DenseAttr.from_integers(kept.steps)
    op.properties["bias"] = IntegerAttr(kept.bias, i64)
