"""Move scales, offsets and casts past linear operations, so that sums are of exact values."""

from __future__ import annotations

import math
from collections.abc import Callable
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
from irc.passes.analysis.ranges import RangeAnalysis, linear_range
from irc.passes.rewriting import apply_greedily, replace_located

Array = npt.NDArray[Any]

FLOAT32_BITS = 24
"""Integers of up to this many bits, times a power of two, are float32 numbers."""

UNIT_ROUNDOFF = 2.0**-FLOAT32_BITS


@dataclass
class Affine:
    """`scale · x + offset` of an exact x: a scalar scale, an offset [1] or [K], in float64."""

    source: SSAValue
    scale: float
    offset: Array


_COEFFICIENTS: dict[str, Callable[[float, Array, Array], tuple[float | Array, Array]]] = {
    "add": lambda a, b, c: (a, b + c),
    "sub": lambda a, b, c: (a, b - c),
    "rsub": lambda a, b, c: (-a, c - b),
    "mul": lambda a, b, c: (a * c, b * c),
    "div": lambda a, b, c: (a / c, b / c),
}


def as_affine(value: SSAValue) -> Affine | None:
    """See `value` as an affine function of an exact value, if it is one with a scalar scale."""
    chain: list[bnn.EwiseOp] = []
    while isinstance(value.owner, bnn.EwiseOp):
        chain.append(value.owner)
        value = value.owner.input
    if not isinstance(value.owner, bnn.CastOp):
        return None
    found = Affine(value.owner.input, 1.0, np.zeros(1))
    for op in reversed(chain):
        if op.fn.data == "neg":
            found.scale, found.offset = -found.scale, -found.offset
            continue
        rule = _COEFFICIENTS.get(op.fn.data)
        if rule is None or op.constant is None or op.constant_error or op.result_error:
            return None
        constant = op.constant.numpy().astype(np.float64)
        if constant.size > 1 and constant.shape[-1] != constant.size:
            return None
        scale, offset = rule(found.scale, found.offset, constant.reshape(-1))
        scale = np.unique(scale)
        if scale.size != 1:
            return None
        found.scale, found.offset = float(scale[0]), offset
    return found


def granule(values: Array) -> float:
    """The largest power of two of which every finite float in `values` is a whole multiple."""
    nonzero = values[values != 0]
    if nonzero.size == 0:
        return math.inf
    mantissas, exponents = np.frexp(nonzero)
    odd = (mantissas * 2.0**53).astype(np.int64)
    trailing = np.log2((odd & -odd).astype(np.float64)).astype(np.int64)
    return 2.0 ** int((exponents - 53 + trailing).min())


class MoveAffinePastLinear(RewritePattern):
    """`W·(a·x + b) = a·(W·x) + W·b` for a scalar a and exact x and W.

    Every product and partial sum is a whole multiple of one power of two; while that many fit
    24 bits, float32 makes no error in any order, and the identity holds to the bit. Else the
    error bound of a float32 dot product, K·u·Σ|w·x| with u = 2⁻²⁴ (Higham, Accuracy and
    Stability of Numerical Algorithms, 2002, section 3.1), plus four roundings for the scales
    and their product, is recorded for the margin report.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        if not is_exact(op.weights.element_type) or is_exact(bnn.frame_type(op.input).element_type):
            return
        affine = as_affine(op.input)
        if affine is None:
            return
        analysis = RangeAnalysis()
        reachable = analysis.of(affine.source)
        assert reachable is not None
        sums = linear_range(op.weights, reachable)
        exact = bnn.LinearOp(
            affine.source,
            op.weights,
            smallest_int(min(0, int(sums.low.min())), max(0, int(sums.high.max()))),
        )
        weights = op.weights.numpy()
        scales = np.ones(1) if op.scales is None else op.scales.numpy().astype(np.float64)
        factor = affine.scale * scales
        offset = scales * (weights.astype(np.float64) @ _filled(affine.offset, weights.shape[1]))

        ends = np.stack([affine.scale * bound for bound in (reachable.low, reachable.high)])
        largest = np.abs(ends).max() + np.abs(affine.offset).max()
        magnitude = scales * (np.abs(weights.astype(np.int64)).sum(axis=1) * largest)
        terms = np.concatenate([[affine.scale], affine.offset])
        unit = granule(terms) * granule(scales)
        is_free_of_rounding = bool((magnitude < unit * 2.0**FLOAT32_BITS).all())
        bound = magnitude * (weights.shape[1] + 4) * UNIT_ROUNDOFF
        error = None if is_free_of_rounding else bnn.DenseAttr.from_floats(bound)

        new_ops: list[Operation] = [exact, bnn.CastOp(exact.output)]
        is_identity = bool((factor == 1).all())
        if not is_identity or error is not None:
            new_ops.append(_scale(new_ops[-1].results[0], factor, error))
        if bool(offset.any()):
            new_ops.append(
                bnn.EwiseOp("add", new_ops[-1].results[0], bnn.DenseAttr.from_floats(offset))
            )
        replace_located(rewriter, op, *new_ops)


def _filled(offset: Array, length: int) -> Array:
    return np.broadcast_to(offset, (length,))


def _scale(value: SSAValue, factor: Array, error: bnn.DenseAttr | None) -> bnn.EwiseOp:
    same = np.unique(factor)
    constant = same[0] if same.size == 1 else factor
    return bnn.EwiseOp("mul", value, bnn.DenseAttr.from_floats(constant), result_error=error)


@dataclass(frozen=True)
class StreamlineLinear(ModulePass):
    """Move scales, offsets and casts past linear operations: W·(a·x + b) = a·(W·x) + W·b."""

    name = "streamline-linear"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, MoveAffinePastLinear())
