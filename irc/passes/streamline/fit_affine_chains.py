"""Replace float functions of integers by scale and offset, where that is what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.dialects.locations import fused_location
from irc.interp.ewise import apply_ewise, quantize
from irc.passes.analysis.affine import as_affine
from irc.passes.analysis.chain import Link
from irc.passes.analysis.function_chain import ExactChain, exact_chain
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.rewriting import apply_greedily

Array = npt.NDArray[Any]

MAX_INTEGERS = 1 << 16
"""Most integers at which a chain is compared with its affine function."""

MAX_CODES = 1 << 8
"""Most integers, of which and into which a chain is seen as a quantizer."""


_SUMS = (bnn.LinearOp, bnn.ConvOp, bnn.SumPoolOp)


@dataclass
class ChainIsAffine(RewritePattern):
    """`f(x) = a·x + b` on every integer x that can occur, to the bit in float32.

    Preprocessing that models carry, such as `floor((x/127.5 − 1)·128)` of a byte, is `x − 128` in
    disguise. Only in front of sums of products, where scale and offset can move behind the sum.
    """

    analysis: RangeAnalysis

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _SUMS) or is_exact(bnn.frame_type(op.input).element_type):
            return
        links: list[bnn.EwiseOp | bnn.QuantizeOp | bnn.CastOp] = []
        value = op.input
        while isinstance(value.owner, bnn.EwiseOp | bnn.QuantizeOp | bnn.CastOp):
            links.append(value.owner)
            value = value.owner.input
        links = links[::-1]
        if not links or not isinstance(links[0], bnn.CastOp) or _is_plain(links):
            return
        reachable = self.analysis.of(value)
        if reachable is None:
            return
        all_ = reachable.merged()
        low, high, step = int(all_.low[0]), int(all_.high[0]), int(all_.step[0])
        if (high - low) // step >= MAX_INTEGERS or high == low:
            return
        integers = np.arange(low, high + 1, step)
        results = _evaluate(links, integers)
        if results is None:
            return
        slope = np.float32((float(results[-1]) - float(results[0])) / (high - low))
        offset = np.float32(float(results[0]) - float(slope) * low)
        fitted = integers.astype(np.float32) * slope + offset
        if not np.array_equal(fitted, results) or slope == 0:
            return
        new_ops: list[Operation] = [bnn.CastOp(value)]
        if slope != 1:
            constant = bnn.DenseAttr.from_floats(slope)
            new_ops.append(bnn.EwiseOp("mul", new_ops[-1].results[0], constant))
        if offset != 0:
            constant = bnn.DenseAttr.from_floats(offset)
            new_ops.append(bnn.EwiseOp("add", new_ops[-1].results[0], constant))
        for new_op in new_ops:
            new_op.location = fused_location(links[-1].location, *(link.location for link in links))
        rewriter.insert(new_ops, InsertPoint.before(op))
        op.operands[0] = new_ops[-1].results[0]
        rewriter.handle_operation_modification(op)


def _is_plain(links: list[bnn.EwiseOp | bnn.QuantizeOp | bnn.CastOp]) -> bool:
    """Whether the chain is scales and offsets already."""
    affine = {"add", "sub", "rsub", "mul", "div", "neg"}
    return all(isinstance(op, bnn.EwiseOp) and op.fn.data in affine for op in links[1:])


def _evaluate(
    links: list[bnn.EwiseOp | bnn.QuantizeOp | bnn.CastOp], integers: Array
) -> Array | None:
    """The chain's float32 results; `None` where its constants differ between channels."""
    x = integers
    for op in links:
        match op:
            case bnn.CastOp():
                x = x.astype(np.float32)
            case bnn.QuantizeOp():
                x = quantize(op.rounding.data, x, *op.bounds)
            case bnn.EwiseOp():
                constant = None if op.constant is None else op.constant.numpy()
                is_varied = constant is not None and constant.size != 1
                if is_varied or op.constant_error or op.result_error:
                    return None
                x = apply_ewise(op.fn.data, x, None if constant is None else constant.reshape(()))
    return x if bool(np.isfinite(x).all()) else None


@dataclass
class ChainIsQuantizer(RewritePattern):
    """`f(x) = a·q(x)` on every integer x that can occur, with q(x) an integer of few bits.

    Such is a ReLU, a clip or a slope a channel behind a quantizer. Only in front of sums of
    products, and where f is no scale and offset that can move behind the sum.
    """

    analysis: RangeAnalysis

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _SUMS) or is_exact(bnn.frame_type(op.input).element_type):
            return
        chain = exact_chain(op.input)
        if chain is None or not chain.functions:
            return
        if as_affine(op.input, self.analysis) is not None:
            return
        results = self._results(chain)
        unit = None if results is None else _unit(results)
        if results is None or unit is None:
            return
        codes = np.rint(results / unit)
        low, high = int(codes.min()), int(codes.max())
        constant = bnn.DenseAttr.from_floats(unit)
        divided = bnn.EwiseOp("div", op.input, constant)
        quantized = bnn.QuantizeOp(
            "half_even", divided.output, bnn.smallest_int(low, high), low, high
        )
        cast = bnn.CastOp(quantized.output)
        scaled = bnn.EwiseOp("mul", cast.output, constant)
        for new_op in (divided, quantized, cast, scaled):
            new_op.location = fused_location(
                chain.functions[-1].location, *(link.location for link in chain.functions)
            )
        rewriter.insert([divided, quantized, cast, scaled], InsertPoint.before(op))
        op.operands[0] = scaled.output
        rewriter.handle_operation_modification(op)

    def _results(self, chain: ExactChain) -> Array | None:
        """The chain's float32 results [n, C] (or [n, 1]) for all n integers; `None` where they
        are too many, or not the same in every runtime or at every pixel."""
        reachable = self.analysis.of(chain.source)
        assert reachable is not None
        all_ = reachable.merged()
        low, high, step = int(all_.low[0]), int(all_.high[0]), int(all_.step[0])
        if (high - low) // step >= MAX_CODES:
            return None
        x = np.arange(low, high + 1, step).astype(np.float32)[:, None]
        for op in chain.functions:
            constant = None if op.constant is None else op.constant.numpy()
            if constant is not None and constant.size not in (1, *constant.shape[-1:]):
                return None
            if not Link.of(op).is_reproducible:
                return None
            x = apply_ewise(op.fn.data, x, None if constant is None else constant.reshape(-1))
        return x if bool(np.isfinite(x).all()) else None


def _unit(results: Array) -> np.float32 | None:
    """A number of which all results are multiples, to the bit in float32, and few; if any."""
    different = np.unique(results)
    if not different.any():
        return np.float32(1)
    for candidates in (np.abs(different), np.diff(different)):
        unit = candidates[candidates > 0].min(initial=np.float32(np.inf))
        if not np.isfinite(unit):
            continue
        with np.errstate(over="ignore"):
            codes = np.rint(different / unit)
        if codes.max() - codes.min() < MAX_CODES and np.array_equal(codes * unit, different):
            return unit
    return None


@dataclass(frozen=True)
class FitAffineChains(ModulePass):
    """See chains of float functions as a·x + b or a·q(x) on the integers that occur."""

    name = "fit-affine-chains"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        fit_affine_chains(op)


def fit_affine_chains(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    analysis = RangeAnalysis()
    return apply_greedily(module, ChainIsAffine(analysis), ChainIsQuantizer(analysis))
