"""Move scales, offsets and casts past linear operations, so that sums are of exact values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)

from irc.dialects import bnn
from irc.dialects.dense import is_exact, smallest_int
from irc.passes.analysis.affine import (
    FLOAT32_BITS,
    SMALLEST_FLOAT32,
    UNIT_ROUNDOFF,
    Affine,
    as_affine,
    granule,
)
from irc.passes.analysis.ranges import (
    RangeAnalysis,
    conv_range,
    linear_range,
    row_blocks,
    signed_sums,
)
from irc.passes.rewriting import apply_greedily, replace_located

Array = npt.NDArray[Any]


@dataclass
class MoveAffinePastLinear(RewritePattern):
    """`W·(a·x + b) = a·(W·x) + W·b` for a scalar a and exact x and W.

    Every product and partial sum is a whole multiple of one power of two; while that many fit
    24 bits, float32 makes no error in any order, and the identity holds to the bit. Else a bound
    on how far the reference may be from what replaces it is recorded for the margin report.
    """

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        if not is_exact(op.weights.element_type) or is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input, self.analysis)
        if affine is None:
            return
        sums = linear_range(op.weights, affine.reachable)
        element_type = smallest_int(min(0, int(sums.low.min())), max(0, int(sums.high.max())))
        exact = bnn.LinearOp(affine.source, op.weights, element_type)

        scales = np.ones(1) if op.scales is None else op.scales.numpy().astype(np.float64)
        offsets = np.zeros(1) if op.offsets is None else op.offsets.numpy().astype(np.float64)
        factor = affine.scale * scales
        total, products = _row_sums(op.weights, affine.offset)
        offset = scales * products + offsets
        error = _rounding_error(
            affine, np.abs(scales) * total, scales, offsets, op.weights.shape[1]
        )

        replace_located(rewriter, op, exact, *_affine_of(exact.output, factor, offset, error))


@dataclass
class MoveAffinePastConv(RewritePattern):
    """`W∗(a·x + b) = a·(W∗x) + W∗b`: every window of a convolution is a linear operation.

    Without borders inside the window, `W∗b` is one number an output channel. Where each output
    channel reads one input channel, a may differ between them.
    """

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ConvOp, rewriter: PatternRewriter) -> None:
        if not is_exact(op.weights.element_type) or is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input, self.analysis, by_channel=op.weights.shape[-1] == 1)
        if affine is None:
            return
        sums = conv_range(op, affine.reachable)
        element_type = smallest_int(min(0, int(sums.low.min())), max(0, int(sums.high.max())))
        exact = bnn.ConvOp(
            affine.source, op.weights, element_type, op.strides, op.dilations, op.groups
        )
        scales = np.ones(1) if op.scales is None else op.scales.numpy().astype(np.float64)
        offsets = np.zeros(1) if op.offsets is None else op.offsets.numpy().astype(np.float64)
        weights = op.weights.numpy().astype(np.int64)
        rows, channels = len(weights), weights.shape[-1]
        flat = weights.reshape(rows, -1)
        # A row reads the offsets of its group's channels, at every position of the kernel.
        spread = np.broadcast_to(affine.offset, (channels * op.groups,)).reshape(op.groups, -1)
        of_row = np.repeat(spread, rows // op.groups, axis=0)
        products = (weights.reshape(rows, -1, channels).sum(axis=1) * of_row).sum(axis=1)
        total = np.abs(flat).sum(axis=1).astype(np.float64)
        offset = scales * products + offsets
        error = _rounding_error(affine, np.abs(scales) * total, scales, offsets, flat.shape[1])
        of_input = affine.scale
        if of_input.size > 1:
            of_input = np.repeat(of_input, rows // op.groups)
        factor = of_input * scales
        replace_located(rewriter, op, exact, *_affine_of(exact.output, factor, offset, error))


@dataclass
class MoveAffinePastSumPool(RewritePattern):
    """`Σ (a·x + b) = a·Σ x + n·b` over a window of n elements."""

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.SumPoolOp, rewriter: PatternRewriter) -> None:
        if is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input, self.analysis, by_channel=True)
        if affine is None:
            return
        size = op.window_size
        low, high = size * affine.reachable.low, size * affine.reachable.high
        element_type = smallest_int(min(0, int(low.min())), max(0, int(high.max())))
        exact = bnn.SumPoolOp(affine.source, op.kernel, op.strides, op.dilations, element_type)
        one, total = np.ones(1), np.array([float(size)])
        error = _rounding_error(affine, total, one, np.zeros(1), size)
        factor, offset = affine.scale, size * affine.offset
        replace_located(rewriter, op, exact, *_affine_of(exact.output, factor, offset, error))


def _affine_of(
    exact: SSAValue, factor: Array, offset: Array, error: bnn.DenseAttr | None
) -> list[Operation]:
    """`factor · cast(exact) + offset`, without what changes nothing."""
    new_ops: list[Operation] = [bnn.CastOp(exact)]
    if error is not None or bool((factor != 1).any()):
        new_ops.append(_scale(new_ops[-1], factor, error))
    if bool(offset.any()):
        new_ops.append(bnn.EwiseOp("add", new_ops[-1].results[0], _floats(offset)))
    return new_ops


def _row_sums(weights: bnn.DenseAttr, offset: Array) -> tuple[Array, Array]:
    """Per row the sum of the weights' magnitudes, and their product with `offset` [1] or [K]."""
    positive, negative = signed_sums(weights)
    if offset.size == 1:
        return positive + negative, offset * (positive - negative)
    products = [block @ offset for block in row_blocks(weights.numpy())]
    return positive + negative, np.concatenate([np.zeros(0), *products])


def _rounding_error(
    affine: Affine, total: Array, scales: Array, offsets: Array, length: int
) -> bnn.DenseAttr | None:
    """How far any float32 evaluation of the sums may be from ours; `None` for not at all.

    `total` is `Σ_k |scale·w|` a row of `length` products. In whatever order, a float32 dot
    product of n terms is off by at most n·u·Σ|w·x|, with u = 2⁻²⁴ (Jeannerod and Rump, Improved
    error bounds for inner products in floating-point arithmetic, SIAM J. Matrix Anal. Appl. 34,
    2013). Six more roundings are of the scaled weights, and ours: sum, factor, product, offset,
    its addition.
    """
    magnitude = total * affine.largest + np.abs(offsets)
    unit = min(affine.granule * granule(scales), granule(offsets))
    if unit >= SMALLEST_FLOAT32 and bool((magnitude < unit * 2.0**FLOAT32_BITS).all()):
        return None
    terms = length + 1
    error = total * affine.error + (terms + 6) * (UNIT_ROUNDOFF * magnitude + SMALLEST_FLOAT32)
    # Products of two roundings, and that of this very number to float32, are not worth counting.
    return _floats(error * (1 + 2.0**-10))


def _scale(of: Operation, factor: Array, error: bnn.DenseAttr | None) -> bnn.EwiseOp:
    return bnn.EwiseOp("mul", of.results[0], _floats(factor), result_error=error)


def _floats(values: Array) -> bnn.DenseAttr:
    """As f32, a scalar where all channels are alike."""
    same = values.size > 0 and bool((values == values.flat[0]).all())
    return bnn.DenseAttr.from_floats(values.flat[0] if same else values)


@dataclass(frozen=True)
class StreamlineLinear(ModulePass):
    """Move scales, offsets and casts past sums of products: W·(a·x + b) = a·(W·x) + W·b."""

    name = "streamline-linear"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        analysis = RangeAnalysis()
        apply_greedily(
            op,
            MoveAffinePastLinear(analysis),
            MoveAffinePastConv(analysis),
            MoveAffinePastSumPool(analysis),
        )
