"""Move quantizers before joins and upsampling, float functions behind what moves exact values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.rewriting import apply_greedily
from irc.passes.streamline.concat_patterns import (
    ConcatBeforeChains,
    FunctionBeforeConcat,
    MergeConcats,
    aligned_shape,
    compact,
    is_float,
    leads_to_quantizer,
    with_operand,
)
from irc.rejections import reject

Array = npt.NDArray[Any]


def _moved(op: Operation, move: Callable[[Array], Array]) -> dict[str, bnn.DenseAttr]:
    """The constants of a float function after `move`, which gets them with all axes."""
    rank = len(bnn.frame_type(op.results[0]).get_shape())
    return {
        name: bnn.DenseAttr.from_floats(compact(move(aligned_shape(attribute.numpy(), rank))))
        for name, attribute in op.properties.items()
        if isinstance(attribute, bnn.DenseAttr) and attribute.size != 1
    }


class FunctionBeforeUpsample(RewritePattern):
    """`f(upsample(x)) = upsample(f(x))` for quantizers, and functions that lead to one.

    Their constants must be the same for all copies of an element.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.EwiseOp | bnn.Quantizer) or not leads_to_quantizer(op):
            return
        upsample = op.input.owner
        if not isinstance(upsample, bnn.UpsampleOp):
            return
        if not _is_repeatable(op, upsample):
            reject(op, self, "its constants, or those behind it, differ between copies of a pixel")
            return
        first = with_operand(op, upsample.input, {})
        after = bnn.UpsampleOp(first.results[0], upsample.factors)
        after.location = upsample.location
        rewriter.replace(op, [first, after])


def _is_repeatable(op: Operation, upsample: bnn.UpsampleOp) -> bool:
    """Whether what leads to a quantizer is the same for all copies of an element."""
    if upsample.factors[-1] != 1:
        return False
    while isinstance(op, bnn.EwiseOp):
        constants = [a for a in op.properties.values() if isinstance(a, bnn.DenseAttr)]
        if any(a.size not in (1, *a.shape[-1:]) for a in constants):
            return False
        op = next(iter(op.output.uses)).operation
    return True


class UpsampleBeforeFunction(RewritePattern):
    """`upsample(f(x)) = f(upsample(x))` for casts and functions that no quantizer follows."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.UpsampleOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if not isinstance(inner, bnn.CastOp | bnn.EwiseOp):
            return
        readers = [use.operation for use in op.output.uses]
        if any(leads_to_quantizer(reader) and _is_repeatable(reader, op) for reader in readers):
            return

        def repeated(constant: Array) -> Array:
            for axis, factor in enumerate(op.factors):
                if constant.shape[axis] > 1:
                    constant = np.repeat(constant, factor, axis=axis)
            return constant

        first = bnn.UpsampleOp(inner.input, op.factors)
        first.location = op.location
        rewriter.replace(op, [first, with_operand(inner, first.output, _moved(inner, repeated))])


def _slice_like(op: bnn.SliceOp, value: SSAValue) -> bnn.SliceOp:
    made = bnn.SliceOp(value, op.offsets, op.sizes, op.strides)
    made.location = op.location
    return made


class SliceBeforeFunction(RewritePattern):
    """`slice(f(x)) = f(slice(x))` for casts and float functions, their constants sliced alike."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.SliceOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if not isinstance(inner, bnn.CastOp | bnn.EwiseOp):
            return

        def sliced(constant: Array) -> Array:
            moves = zip(constant.shape, op.offsets, op.sizes, op.strides, strict=True)
            return constant[
                tuple(
                    slice(o, o + (n - 1) * s + 1, s) if size > 1 else slice(None)
                    for size, o, n, s in moves
                )
            ]

        first = _slice_like(op, inner.input)
        rewriter.replace(op, [first, with_operand(inner, first.output, _moved(inner, sliced))])


class SliceBeforeSum(RewritePattern):
    """`slice(x + y) = slice(x) + slice(y)` of floats, whose sum is not exact yet."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.SliceOp, rewriter: PatternRewriter) -> None:
        total = op.input.owner
        if not isinstance(total, bnn.AddOp) or not is_float(total.output):
            return
        parts = [_slice_like(op, value) for value in (total.lhs, total.rhs)]
        element_type = bnn.frame_type(total.output).element_type
        after = bnn.AddOp(parts[0].output, parts[1].output, element_type)
        after.location = total.location
        rewriter.replace(op, [*parts, after])


class SliceOfConcat(RewritePattern):
    """`slice(concat(x, y))` is a slice of x where it reads only that; of floats, a join of slices.

    A slice of everything is nothing, and one of another is one.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.SliceOp, rewriter: PatternRewriter) -> None:
        if op.input.type == op.output.type:
            rewriter.replace(op, [], [op.input])
            return
        inner = op.input.owner
        if isinstance(inner, bnn.SliceOp):
            steps = zip(inner.offsets, inner.strides, op.offsets, strict=True)
            offsets = [first + stride * offset for first, stride, offset in steps]
            strides = [a * b for a, b in zip(inner.strides, op.strides, strict=True)]
            made = bnn.SliceOp(inner.input, offsets, op.sizes, strides)
            made.location = op.location
            rewriter.replace(op, made)
        elif isinstance(inner, bnn.ConcatOp):
            self._of_concat(op, inner, rewriter)

    def _of_concat(self, op: bnn.SliceOp, concat: bnn.ConcatOp, rewriter: PatternRewriter) -> None:
        axis, start = concat.axis_index, 0
        wanted = range(
            op.offsets[axis],
            op.offsets[axis] + op.sizes[axis] * op.strides[axis],
            op.strides[axis],
        )
        found: list[tuple[SSAValue, list[int], list[int]]] = []
        for value in concat.inputs:
            size = bnn.frame_type(value).get_shape()[axis]
            inside = [place - start for place in wanted if start <= place < start + size]
            start += size
            if inside:
                offsets, sizes = list(op.offsets), list(op.sizes)
                offsets[axis], sizes[axis] = inside[0], len(inside)
                found.append((value, offsets, sizes))
        if len(found) > 1 and not is_float(op.output):
            return
        # Only now: operations that nobody inserts would go on reading the values.
        parts = [bnn.SliceOp(value, offsets, sizes, op.strides) for value, offsets, sizes in found]
        for part in parts:
            part.location = op.location
        if len(parts) == 1:
            rewriter.replace(op, parts)
        else:
            joined = bnn.ConcatOp([part.output for part in parts], axis)
            joined.location = concat.location
            rewriter.replace(op, [*parts, joined])


class SliceBeforePad(RewritePattern):
    """`slice(pad(x)) = pad(slice(x))` where only channels are left out."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.SliceOp, rewriter: PatternRewriter) -> None:
        pad = op.input.owner
        if not isinstance(pad, bnn.PadOp):
            return
        shape = bnn.frame_type(op.input).get_shape()
        if op.sizes[:-1] != shape[:-1]:
            return
        sizes = (*bnn.frame_type(pad.input).get_shape()[:-1], op.sizes[-1])
        first = bnn.SliceOp(pad.input, op.offsets, sizes, op.strides)
        element_type = bnn.frame_type(pad.output).element_type
        after = bnn.PadOp(first.output, pad.before, pad.after, pad.pad_value, element_type)
        first.location, after.location = op.location, pad.location
        rewriter.replace(op, [first, after])


@dataclass(frozen=True)
class StreamlineBranches(ModulePass):
    """Let concat, slice and upsample move exact values: quantizers go in front, the rest behind.

    f(concat(x, y)) = concat(f(x), f(y)) and back again, whichever leaves integers to be moved.
    """

    name = "streamline-branches"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        streamline_branches(op)


def streamline_branches(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    # All quantizers first: what one of them follows is better in front of what it leads to.
    forward = apply_greedily(
        module, FunctionBeforeConcat(), FunctionBeforeUpsample(), MergeConcats()
    )
    backward = apply_greedily(
        module,
        SliceBeforeFunction(),
        SliceBeforeSum(),
        SliceOfConcat(),
        SliceBeforePad(),
        UpsampleBeforeFunction(),
        ConcatBeforeChains(RangeAnalysis()),
    )
    return forward or backward
