"""What the passes on sums of branches share: how such a sum of integers is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.passes.analysis.branch import Branch
from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.threshold_search import Steps, trimmed
from irc.passes.streamline.fold_thresholds import MARGIN

Array = npt.NDArray[Any]

REASON = "bnn.reason"
"""On a float sum of branches: why it stayed one."""

MAX_WIDTH = 31
"""Widest sum that is built: every target has an integer type for it."""


@dataclass(frozen=True)
class Term:
    """An operand of an exact sum, what it can be, and the operations that make it."""

    value: SSAValue
    reachable: Reachable
    new_ops: tuple[Operation, ...] = ()


def looked_up_term(branch: Branch, table: Array | None) -> Term:
    """`table[c, i]` for the i-th integer of a branch's channel c; without a table the integer."""
    if table is None:
        return Term(branch.source, branch.reachable)
    integers = branch.integers(len(table))
    low, high = table.min(axis=1), table.max(axis=1)
    reachable = Reachable(low, high, np.ones_like(low)).compact()
    bias = int(table[:, 0].min())
    steps = Steps(integers, np.diff(table, axis=1, prepend=bias), bias)
    steps = trimmed(steps, branch.reachable.expanded(len(table)))
    op = bnn.ThresholdOp(
        branch.source,
        bnn.DenseAttr.from_integers(steps.at),
        bnn.smallest_int(min(0, int(low.min())), max(0, int(high.max()))),
        steps.bias,
        bnn.DenseAttr.from_integers(steps.steps),
    )
    op.attributes[MARGIN] = StringAttr("exact")
    return Term(op.output, reachable, (op,))


def unwanted_width(full: Reachable) -> str | None:
    """Why sums of the range `full` are not built; `None` if they are."""
    width = bnn.smallest_int(*_bounds(full)).width.data
    if width <= MAX_WIDTH:
        return None
    return f"the multipliers that it takes give sums of {width} bits; {MAX_WIDTH} are supported"


def exact_sum(lhs: SSAValue, rhs: SSAValue, p: Array, q: Array, full: Reachable) -> bnn.AddOp:
    """`p·lhs + q·rhs` for p and q of shape [C] or [1] each; `full` is what it can be."""
    p, q = np.broadcast_arrays(p, q)
    multipliers = None
    if bool((p != 1).any() or (q != 1).any()):
        multipliers = bnn.DenseAttr.from_integers(np.stack([p, q]))
    return bnn.AddOp(lhs, rhs, bnn.smallest_int(*_bounds(full)), multipliers)


def _bounds(full: Reachable) -> tuple[int, int]:
    return min(0, int(full.low.min())), max(0, int(full.high.max()))
