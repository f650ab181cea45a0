"""Split sums of products whose inputs have several scales: one sum for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.analysis.affine import as_affine
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.rewriting import apply_greedily
from irc.passes.streamline.exact_sums import REASON
from irc.passes.streamline.streamline_linear import rounding_error

Array = npt.NDArray[Any]

MAX_PARTS = 8
"""Most sums that one is split into."""


@dataclass
class SplitByScale(RewritePattern):
    """`W·(a₁·x₁, a₂·x₂) = W₁·(a₁·x₁) + W₂·(a₂·x₂)`: what a concat of several scales leads to.

    Each part then is a sum of integers with one scale. How the reference may round the whole sum,
    in whatever order, is stated behind it.
    """

    analysis: RangeAnalysis

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.LinearOp | bnn.ConvOp) or REASON in op.attributes:
            return
        if is_exact(bnn.frame_type(op.input).element_type) or not is_exact(op.weights.element_type):
            return
        affine = as_affine(op.input, self.analysis, by_channel=True)
        if affine is None or affine.scale.size == 1:
            return
        places = _places(affine.scale, _read(op))
        if len(places) < 2:
            return
        if len(places) > MAX_PARTS:
            op.attributes[REASON] = StringAttr(
                f"its input channels have {len(places)} scales, which no integer sum can share; "
                "quantize its input with one scale"
            )
            return
        row_scales = _floats(op.scales, 1.0)
        weights = np.abs(op.weights.numpy().astype(np.float64)).reshape(op.weights.shape[0], -1)
        total = np.abs(row_scales) * weights.sum(axis=1)
        error = rounding_error(
            affine, total, row_scales, _floats(op.offsets, 0.0), weights.shape[1] + len(places)
        )
        parts: list[Operation] = []
        sums: list[SSAValue] = []
        for index, channels in enumerate(places):
            new_ops, value = _part(op, channels, op.offsets if index == 0 else None)
            parts += new_ops
            sums.append(value)
        whole = sums[0]
        for value in sums[1:]:
            parts.append(bnn.AddOp(whole, value, bnn.frame_type(op.output).element_type))
            whole = parts[-1].results[0]
        if error is not None:
            one = bnn.DenseAttr.from_floats(1.0)
            parts.append(bnn.EwiseOp("mul", whole, one, result_error=error))
        for part in parts:
            part.location = op.location
        rewriter.replace(op, parts)


def _read(op: bnn.LinearOp | bnn.ConvOp) -> Array:
    """A mask [groups, C/groups] of the input channels with a weight that is not 0."""
    weights = op.weights.numpy() != 0
    groups = op.groups if isinstance(op, bnn.ConvOp) else 1
    return weights.reshape(groups, -1, weights.shape[-1]).any(axis=1)


def _places(scales: Array, read: Array) -> list[Array]:
    """The channels of each part: all that are read, in each group those of one scale."""
    groups, width = read.shape
    found: list[list[Array]] = []
    for group, (of_group, used) in enumerate(zip(scales.reshape(groups, width), read, strict=True)):
        masks = [used & (of_group == scale) for scale in np.unique(of_group[used])]
        places = sorted((np.flatnonzero(mask) for mask in masks), key=lambda each: int(each[0]))
        for index, channels in enumerate(places):
            if index == len(found):
                found.append([])
            found[index].append(group * width + channels)
    return [np.concatenate(each) for each in found]


def _floats(attribute: bnn.DenseAttr | None, default: float) -> Array:
    return np.full(1, default) if attribute is None else attribute.numpy().astype(np.float64)


def _part(
    op: bnn.LinearOp | bnn.ConvOp, channels: Array, offsets: bnn.DenseAttr | None
) -> tuple[list[Operation], SSAValue]:
    """The sum over some input channels: of a slice of the input, where they are one; else with
    weights of 0 for the others."""
    shape = bnn.frame_type(op.input).get_shape()
    weights = op.weights.numpy()
    strides = np.unique(np.diff(channels))
    groups = op.groups if isinstance(op, bnn.ConvOp) else 1
    new_ops: list[Operation] = []
    value = op.input
    if len(strides) <= 1 and groups == 1:
        rank, stride = len(shape), int(strides[0]) if len(strides) else 1
        move = bnn.SliceOp(
            value,
            [0] * (rank - 1) + [int(channels[0])],
            [*shape[:-1], len(channels)],
            [1] * (rank - 1) + [stride],
        )
        new_ops.append(move)
        value = move.output
        attribute = bnn.DenseAttr.from_numpy(weights[..., channels], op.weights.element_type)
    else:
        mask = np.zeros((groups, weights.shape[-1]), np.int64)
        mask.reshape(-1)[channels] = 1
        # A row reads the channels of its group, at every position of the kernel.
        of_row = np.repeat(mask, len(weights) // groups, axis=0)
        of_row = of_row.reshape(len(weights), *[1] * (weights.ndim - 2), -1)
        attribute = bnn.DenseAttr.from_integers(weights * of_row)
    element_type = bnn.frame_type(op.output).element_type
    if isinstance(op, bnn.LinearOp):
        new_ops.append(bnn.LinearOp(value, attribute, element_type, op.scales, offsets))
    else:
        new_ops.append(
            bnn.ConvOp(
                value, attribute, element_type, op.strides, op.dilations, groups, op.scales, offsets
            )
        )
    return new_ops, new_ops[-1].results[0]


@dataclass(frozen=True)
class SplitSums(ModulePass):
    """Make one sum for each scale of its inputs, and add them: W·(x, y) = W₁·x + W₂·y."""

    name = "split-sums"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        split_sums(op)


def split_sums(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    return apply_greedily(module, SplitByScale(RangeAnalysis()))
