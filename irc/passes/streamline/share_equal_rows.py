"""Sum equal rows of weights once, where several channels of a layer have them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.dense import DenseAttr
from irc.passes.analysis.margin import Ambiguity
from irc.passes.analysis.network_cost import NetworkCost
from irc.passes.analysis.redundant_channels import ChannelPath, why_no_path
from irc.passes.rewriting import functions_of
from irc.passes.streamline.fold_thresholds import MARGIN, margin_attribute, margin_of
from irc.rejections import reject

Array = npt.NDArray[Any]

SHARED = "equal rows of weights shared"


@dataclass(frozen=True)
class ShareEqualRows(ModulePass):
    """Let channels with equal weights share one sum: t₁(w·x), t₂(w·x) of one w·x.

    Channels that differ in their thresholds alone, or that a layer behind weighs by too narrow
    weights to be merged, keep their thresholds and lose their row. Sums are then kept in place of
    codes, and parts of them quantized and joined again, in an order that the weights of the next
    layer follow: that has to save `least_macs` multiplications for every channel of the layer.
    """

    name = "share-equal-rows"

    least_macs: int = 16

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            before = NetworkCost.of(function)
            for threshold in list(function.body.block.ops):
                if isinstance(threshold, bnn.ThresholdOp):
                    self._share(threshold)
            before.count_savings(NetworkCost.of(function))

    def _share(self, threshold: bnn.ThresholdOp) -> None:
        path = ChannelPath.from_threshold(threshold)
        if path is None:
            maker = threshold.input.owner
            if isinstance(maker, bnn.LinearOp | bnn.ConvOp) and len(equal_rows(maker.weights)) > 1:
                reject(
                    threshold, self.name, lambda: f"rows are alike, but {why_no_path(threshold)}"
                )
            return
        parts = equal_rows(path.maker.weights)
        spare = path.channels - len(parts[0])
        if not spare:
            return
        saved = spare * path.maker.weights.size // path.channels
        if saved < self.least_macs * path.channels:
            reject(
                threshold,
                self.name,
                f"{spare} of {path.channels} rows are like others, which saves {saved} "
                f"multiplications; expected {self.least_macs} a channel",
            )
            return
        _rebuild(path, parts)
        count(SHARED, spare)


def equal_rows(weights: DenseAttr) -> list[list[int]]:
    """The rows in parts: the first has each kind of row once, the next the second of each kind
    that has two, in the same order, and so on. Each part is of the first kinds."""
    rows = weights.numpy().reshape(weights.shape[0], -1)
    kinds: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        kinds[row.tobytes()].append(index)
    ordered = sorted(kinds.values(), key=lambda kind: (-len(kind), kind[0]))
    return [
        [kind[place] for kind in ordered if len(kind) > place] for place in range(len(ordered[0]))
    ]


def _rebuild(path: ChannelPath, parts: list[list[int]]) -> None:
    maker, threshold = path.maker, path.threshold
    values = maker.weights.numpy()[parts[0]]
    shape = (*bnn.frame_type(maker.output).get_shape()[:-1], len(parts[0]))
    weights = DenseAttr.from_numpy(values, maker.weights.element_type)
    sums = type(maker).create(
        operands=[maker.input],
        result_types=[TensorType(bnn.frame_type(maker.output).element_type, shape)],
        properties={**maker.properties, "weights": weights},
        attributes=dict(maker.attributes),
    )
    new_ops: list[Operation] = [sums]
    codes: list[SSAValue] = []
    for part in parts:
        value = sums.results[0]
        if len(part) < len(parts[0]):
            rank = len(shape)
            cut = bnn.SliceOp(value, [0] * rank, (*shape[:-1], len(part)), [1] * rank)
            new_ops.append(cut)
            value = cut.output
        new_ops.append(_threshold_of(threshold, value, part))
        codes.append(new_ops[-1].results[0])
    joined = bnn.ConcatOp(codes, len(shape) - 1)
    for op in new_ops:
        op.location = maker.location if op is sums else threshold.location
    joined.location = threshold.location
    Rewriter.insert_op([*new_ops, joined], InsertPoint.before(threshold))
    threshold.output.replace_all_uses_with(joined.output)
    _reorder(path, [channel for part in parts for channel in part])
    for op in (threshold, maker):
        op.detach()
        op.erase()


def _threshold_of(op: bnn.ThresholdOp, value: SSAValue, part: list[int]) -> bnn.ThresholdOp:
    """The thresholds of some channels on another value."""
    tables: list[DenseAttr | None] = []
    for table in (op.thresholds, op.steps):
        if table is not None and table.shape[0] > 1:
            table = DenseAttr.from_numpy(table.numpy()[part], table.element_type)
        tables.append(table)
    thresholds, steps = tables
    assert thresholds is not None
    element_type = bnn.frame_type(op.output).element_type
    made = bnn.ThresholdOp(value, thresholds, element_type, op.bias.value.data, steps)
    margin = margin_of(op)
    if margin is not None:
        if op.thresholds.shape[0] > 1:
            margin = [Ambiguity(part.index(c), a, b) for c, a, b in margin if c in part]
        made.attributes[MARGIN] = margin_attribute(margin)
    return made


def _reorder(path: ChannelPath, order: list[int]) -> None:
    """Let the reader's weights be for channels in another order."""
    old = path.reader.weights
    values = path.read_weights()[:, :, order].reshape(old.shape)
    path.reader.properties["weights"] = DenseAttr.from_numpy(values, old.element_type)
