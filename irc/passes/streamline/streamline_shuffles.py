"""Let weights absorb shuffles of channels: reshape, transpose, reshape, as in ShuffleNet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.passes.rewriting import apply_greedily, erase_dead, functions_of, replace_located
from irc.passes.streamline.channel_shuffles import Shuffle, match_shuffle, order_of

Array = npt.NDArray[Any]

_BY_CHANNEL = (
    bnn.CastOp,
    bnn.EwiseOp,
    bnn.QuantizeOp,
    bnn.FloatThresholdOp,
    bnn.ThresholdOp,
    bnn.PadOp,
    bnn.MaxPoolOp,
    bnn.SumPoolOp,
    bnn.ConvOp,
)
"""Operations that may do the same to every channel, but for constants."""


class MoveShuffleDown(RewritePattern):
    """`f(shuffle(x)) = shuffle(f(x))` for an f that works channel by channel, its constants in the
    order of x: functions, quantizers, borders, pools, depthwise convolutions."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _BY_CHANNEL):
            return
        if isinstance(op, bnn.ConvOp) and not _is_depthwise(op):
            return
        shuffle = match_shuffle(op.input)
        if shuffle is None:
            return
        moved = type(op).create(
            operands=[shuffle.source],
            result_types=[result.type for result in op.results],
            properties={
                name: _moved(attribute, _channel_axis(op), shuffle.order)
                if isinstance(attribute, bnn.DenseAttr)
                else attribute
                for name, attribute in op.properties.items()
            },
            attributes=dict(op.attributes),
        )
        after, _ = shuffle.of(moved.results[0])
        replace_located(rewriter, op, moved, *after)


def _is_depthwise(op: bnn.ConvOp) -> bool:
    rows, *_, channels = op.weights.shape
    return channels == 1 and rows == op.groups


def _channel_axis(op: Operation) -> int:
    """The axis of an operation's constants that is channels."""
    return 0 if isinstance(op, bnn.ThresholdOp | bnn.FloatThresholdOp | bnn.ConvOp) else -1


def _moved(constant: bnn.DenseAttr, axis: int, order: Array) -> bnn.DenseAttr:
    """A constant in the order of what is shuffled, one for all channels as it is."""
    values = constant.numpy()
    if values.ndim == 0 or values.shape[axis] == 1:
        return constant
    return bnn.DenseAttr.from_numpy(np.take(values, np.argsort(order), axis), constant.element_type)


class AbsorbShuffle(RewritePattern):
    """`W∗shuffle(x) = W'∗x`, the columns of W' in the order of x.

    A group of channels reads others then: a grouped convolution of single pixels becomes one over
    all channels, whose other weights are 0.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.LinearOp | bnn.ConvOp):
            return
        if isinstance(op, bnn.ConvOp) and op.groups > 1 and math.prod(op.kernel) > 1:
            return
        shuffle = match_shuffle(op.input)
        if shuffle is None:
            return
        element_type = bnn.frame_type(op.output).element_type
        constants = op.scales, op.offsets
        if isinstance(op, bnn.LinearOp):
            weights = _moved(op.weights, -1, shuffle.order)
            new = bnn.LinearOp(shuffle.source, weights, element_type, *constants)
        else:
            weights = _moved(_over_all_channels(op), -1, shuffle.order)
            new = bnn.ConvOp(
                shuffle.source, weights, element_type, op.strides, op.dilations, 1, *constants
            )
        replace_located(rewriter, op, new)


def _over_all_channels(op: bnn.ConvOp) -> bnn.DenseAttr:
    """The weights of a convolution as if it had one group: 0 for the channels of the others."""
    if op.groups == 1:
        return op.weights
    rows, *kernel, channels = op.weights.shape
    weights = op.weights.numpy().reshape(op.groups, rows // op.groups, *kernel, channels)
    whole = np.zeros((*weights.shape[:-1], op.groups, channels), weights.dtype)
    for group in range(op.groups):
        whole[group, ..., group, :] = weights[group]
    whole = whole.reshape(rows, *kernel, op.groups * channels)
    if whole.dtype.kind == "f":
        return bnn.DenseAttr.from_floats(whole)
    return bnn.DenseAttr.from_integers(whole)


class AbsorbOrder(RewritePattern):
    """`W·flatten(p(x)) = W'·flatten(x)` for reshapes and transposes p, the columns of W' in the
    order of x."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        if len(bnn.frame_type(op.input).get_shape()) != 1:
            return
        chain: list[Operation] = []
        source: SSAValue = op.input
        while isinstance(source.owner, bnn.ReshapeOp | bnn.TransposeOp):
            chain.insert(0, source.owner)
            source = source.owner.input
        if not any(isinstance(each, bnn.TransposeOp) for each in chain):
            return
        weights = _moved(op.weights, -1, order_of(source, chain))
        flat = bnn.ReshapeOp(source, bnn.frame_type(op.input).get_shape())
        element_type = bnn.frame_type(op.output).element_type
        linear = bnn.LinearOp(flat.output, weights, element_type, op.scales, op.offsets)
        replace_located(rewriter, op, flat, linear)


def _multiplied(shuffle: Shuffle) -> Operation:
    """A shuffle as a product with a matrix that has one 1 in each row."""
    source = shuffle.source
    element_type = bnn.frame_type(source).element_type
    if isinstance(element_type, bnn.BipolarType):
        element_type = bnn.sint(2)
    matrix = np.eye(len(shuffle.order), dtype=np.int64)[shuffle.order]
    rank = len(bnn.frame_type(source).get_shape()) - 1
    if rank == 0:
        return bnn.LinearOp(source, bnn.DenseAttr.from_integers(matrix), element_type)
    matrix = matrix.reshape(len(matrix), *[1] * rank, len(matrix))
    weights = bnn.DenseAttr.from_integers(matrix)
    return bnn.ConvOp(source, weights, element_type, [1] * rank, [1] * rank)


def _leads_to_layer(value: SSAValue) -> bool:
    """Whether sums of products depend on a value."""
    seen: set[Operation] = set()
    pending = [use.operation for use in value.uses]
    while pending:
        op = pending.pop()
        if isinstance(op, bnn.LinearOp | bnn.ConvOp):
            return True
        if op not in seen:
            seen.add(op)
            pending += [use.operation for result in op.results for use in result.uses]
    return False


@dataclass(frozen=True)
class StreamlineShuffles(ModulePass):
    """Move shuffles of channels past what works channel by channel, until weights absorb them.

    What no weights absorb, as before a sum of branches, is multiplied with the matrix of the
    shuffle: a convolution of single pixels, for which each target has a unit.
    """

    name = "streamline-shuffles"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, MoveShuffleDown(), AbsorbShuffle(), AbsorbOrder())
        for function in functions_of(op):
            for reshape in list(function.body.block.ops):
                if not isinstance(reshape, bnn.ReshapeOp) or not _leads_to_layer(reshape.output):
                    continue
                shuffle = match_shuffle(reshape.output)
                if shuffle is not None:
                    new = _multiplied(shuffle)
                    new.location = reshape.location
                    Rewriter.replace_op(reshape, new)
            erase_dead(function)
