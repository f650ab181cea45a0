"""Move scales, offsets and casts past linear operations, so that sums are of exact values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)

from irc.dialects import bnn
from irc.dialects.dense import is_exact, smallest_int
from irc.dialects.locations import fused_location
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
from irc.passes.analysis.why_not import why_not_affine
from irc.passes.rewriting import apply_greedily, replace_located
from irc.passes.streamline.affine_ops import affine_ops, floats
from irc.rejections import reject

Array = npt.NDArray[Any]

SEVERAL_SCALES = "the channels that a sum reads have several scales; split-sums makes a sum of each"


@dataclass
class MoveAffinePastLinear(RewritePattern):
    """`W·(a·x + b) = a·(W·x) + W·b` for exact x and W, and one a for all that W reads.

    Every product and partial sum is a whole multiple of one power of two; while that many fit
    24 bits, float32 makes no error in any order, and the identity holds to the bit. Else a bound
    on how far the reference may be from what replaces it is recorded for the margin report.
    """

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        if not is_exact(op.weights.element_type) or is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input, self.analysis, by_channel=True)
        if affine is None:
            reject(op, self, lambda: f"its input: {why_not_affine(op.input, self.analysis)}")
            return
        scale = affine.scale_of(lambda: (op.weights.numpy() != 0).any(axis=0))
        if scale is None:
            reject(op, self, SEVERAL_SCALES)
            return
        sums = linear_range(op.weights, affine.reachable)
        element_type = smallest_int(min(0, int(sums.low.min())), max(0, int(sums.high.max())))
        exact = bnn.LinearOp(affine.source, op.weights, element_type)

        scales = np.ones(1) if op.scales is None else op.scales.numpy().astype(np.float64)
        offsets = np.zeros(1) if op.offsets is None else op.offsets.numpy().astype(np.float64)
        factor = scale * scales
        total, products = _row_sums(op.weights, affine.offset)
        offset = scales * products + offsets
        error = rounding_error(affine, np.abs(scales) * total, scales, offsets, op.weights.shape[1])

        _replace(rewriter, op, exact, affine_ops(exact.output, factor, offset, error))


@dataclass
class MoveAffinePastConv(RewritePattern):
    """`W∗(a·x + b) = a·(W∗x) + W∗b`: every window of a convolution is a linear operation.

    Without borders inside the window, `W∗b` is one number an output channel. Between groups of
    channels, of which an output channel reads one, a may differ.
    """

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ConvOp, rewriter: PatternRewriter) -> None:
        if not is_exact(op.weights.element_type) or is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input, self.analysis, by_channel=True)
        if affine is None:
            reject(op, self, lambda: f"its input: {why_not_affine(op.input, self.analysis)}")
            return
        of_group = _scales_of_groups(op, affine)
        if of_group is None:
            reject(op, self, SEVERAL_SCALES)
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
        error = rounding_error(affine, np.abs(scales) * total, scales, offsets, flat.shape[1])
        factor = np.repeat(of_group, rows // op.groups) * scales
        _replace(rewriter, op, exact, affine_ops(exact.output, factor, offset, error))


def _scales_of_groups(op: bnn.ConvOp, affine: Affine) -> Array | None:
    """The scale of what the weights of each group read; `None` where that has several."""
    if affine.scale.size == 1:
        return np.repeat(affine.scale, op.groups)
    weights = op.weights.numpy()
    used = (weights != 0).reshape(op.groups, -1, weights.shape[-1]).any(axis=1)
    found: list[float] = []
    for group in range(op.groups):
        mask = np.arange(op.groups)[:, None] == group
        scale = affine.scale_of(lambda mask=mask: (mask & used).reshape(-1))
        if scale is None:
            return None
        found.append(scale)
    return np.array(found)


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
            reject(op, self, lambda: f"its input: {why_not_affine(op.input, self.analysis)}")
            return
        size = op.window_size
        low, high = size * affine.reachable.low, size * affine.reachable.high
        element_type = smallest_int(min(0, int(low.min())), max(0, int(high.max())))
        exact = bnn.SumPoolOp(affine.source, op.kernel, op.strides, op.dilations, element_type)
        one, total = np.ones(1), np.array([float(size)])
        error = rounding_error(affine, total, one, np.zeros(1), size)
        factor, offset = affine.scale, size * affine.offset
        _replace(rewriter, op, exact, affine_ops(exact.output, factor, offset, error))


def _replace(
    rewriter: PatternRewriter,
    op: bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp,
    exact: Operation,
    affine: Sequence[Operation],
) -> None:
    """Let an exact sum and the functions behind it take the place of `op`; these are also where
    the functions were that stood before it."""
    before: list[LocationAttr] = []
    owner = op.input.owner
    while isinstance(owner, bnn.EwiseOp | bnn.CastOp):
        before.append(owner.location)
        owner = owner.input.owner
    # The scale of a quantizer is called like the quantizer, which stays where it is.
    while isinstance(owner, bnn.MaxPoolOp | bnn.ReshapeOp | bnn.TransposeOp | bnn.PadOp):
        owner = owner.input.owner
    quantizer = owner.location if isinstance(owner, Operation) else None
    location = fused_location(op.location, *reversed(before), without=quantizer)
    replace_located(rewriter, op, exact, *affine)
    for new_op in affine:
        new_op.location = location


def _row_sums(weights: bnn.DenseAttr, offset: Array) -> tuple[Array, Array]:
    """Per row the sum of the weights' magnitudes, and their product with `offset` [1] or [K]."""
    positive, negative = signed_sums(weights)
    if offset.size == 1:
        return positive + negative, offset * (positive - negative)
    products = [block @ offset for block in row_blocks(weights.numpy())]
    return positive + negative, np.concatenate([np.zeros(0), *products])


def rounding_error(
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
    return floats(error * (1 + 2.0**-10))


@dataclass(frozen=True)
class StreamlineLinear(ModulePass):
    """Move scales, offsets and casts past sums of products: W·(a·x + b) = a·(W·x) + W·b."""

    name = "streamline-linear"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        streamline_linear(op)


def streamline_linear(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    analysis = RangeAnalysis()
    return apply_greedily(
        module,
        MoveAffinePastLinear(analysis),
        MoveAffinePastConv(analysis),
        MoveAffinePastSumPool(analysis),
    )
