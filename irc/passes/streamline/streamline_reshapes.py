"""Move reshapes towards the input, so that what follows them meets its own shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)

from irc.dialects import bnn
from irc.passes.analysis.function_chain import functions_to
from irc.passes.rewriting import apply_greedily, replace_located
from irc.passes.streamline.pixel_constants import FlattenForConstantsByPixel
from irc.passes.streamline.reshaped_functions import (
    moved_constants,
    reshaped_constant,
    with_shape,
)

Array = npt.NDArray[Any]

_ELEMENTWISE = (bnn.CastOp, bnn.EwiseOp, bnn.QuantizeOp, bnn.ThresholdOp)

_BRANCHES = (bnn.AddOp, bnn.ConcatOp, bnn.SliceOp, bnn.UpsampleOp)
"""Operations that have to see the shape that their operands and other readers have."""

_FUSED = (*_BRANCHES, bnn.LinearOp, bnn.ConvOp, bnn.SumPoolOp)
"""Operations right behind which their quantizer is best: one unit or kernel is both then."""


class MoveReshapeBeforeElementwise(RewritePattern):
    """`reshape(f(x)) = f(reshape(x))` for an element-wise f, its constants reshaped alike.

    Before a quantizer only with all the functions that lead to it, which thresholds absorb
    together, and not where these begin at a sum or a branch. Casts and float functions that others
    read too are cheap enough to be there twice.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ReshapeOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if not isinstance(inner, _ELEMENTWISE):
            return
        is_cheap = isinstance(inner, bnn.CastOp | bnn.EwiseOp)
        if not is_cheap and not op.input.has_one_use():
            return
        if isinstance(inner, bnn.ThresholdOp) and isinstance(inner.input.owner, _FUSED):
            return
        if _waits_for_quantizer(op):
            return
        shape = bnn.frame_type(op.output).get_shape()
        if isinstance(inner, bnn.QuantizeOp) and not _can_pass_chain(inner.input, shape):
            return
        properties = moved_constants(inner, shape)
        if properties is None:
            return
        reshape = bnn.ReshapeOp(inner.input, shape)
        reshape.location = op.location
        rewriter.replace(op, [reshape, with_shape(inner, reshape.output, properties)])


def _can_pass_chain(value: SSAValue, shape: tuple[int, ...]) -> bool:
    """Whether the constants of all float functions that lead to `value` can follow a reshape
    without growing, also those that a float sum at their beginning will leave behind it."""
    functions, value = functions_to(value)
    if any(_grows(op, shape) for op in functions):
        return False
    source = value.owner.input if isinstance(value.owner, bnn.CastOp) else value
    if isinstance(source.owner, _FUSED):
        return False
    is_exact_already = isinstance(value.owner, bnn.CastOp | Block)
    return is_exact_already or bnn.frame_type(value).get_shape()[-1:] == shape[-1:]


class MoveReshapeBehindQuantizer(RewritePattern):
    """`quantize(f(reshape(x))) = reshape(quantize(f(x)))` where x is a sum or a branch, or has gone
    through a function with constants that would be repeated behind the reshape.

    What absorbs f and the quantizer finds them right behind x, and one row of thresholds a channel.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.Quantizer):
            return
        chain: list[Operation] = [op]
        value = op.input
        while isinstance(value.owner, bnn.EwiseOp | bnn.CastOp) and value.has_one_use():
            chain.append(value.owner)
            value = value.owner.input
        reshape = value.owner
        if not isinstance(reshape, bnn.ReshapeOp) or not value.has_one_use():
            return
        if not isinstance(_begin(reshape.input).owner, _FUSED) and not _repeats(reshape):
            return
        shape = bnn.frame_type(reshape.input).get_shape()
        constants = [moved_constants(function, shape) for function in chain]
        if None in constants:
            return
        new_ops: list[Operation] = []
        previous = reshape.input
        for function, properties in zip(reversed(chain), reversed(constants), strict=True):
            assert properties is not None
            new_ops.append(with_shape(function, previous, properties))
            previous = new_ops[-1].results[0]
        new_ops.append(bnn.ReshapeOp(previous, bnn.frame_type(op.output).get_shape()))
        new_ops[-1].location = reshape.location
        rewriter.replace(op, new_ops)


def _begin(value: SSAValue) -> SSAValue:
    """What casts and float functions lead to a value from."""
    while isinstance(value.owner, bnn.EwiseOp | bnn.CastOp):
        value = value.owner.input
    return value


def _repeats(op: bnn.ReshapeOp) -> bool:
    """Whether constants of the functions in front of a reshape would grow behind it."""
    shape = bnn.frame_type(op.output).get_shape()
    return any(_grows(function, shape) for function in functions_to(op.input)[0])


def _grows(op: bnn.EwiseOp, shape: tuple[int, ...]) -> bool:
    """Whether a constant of a function would grow, or could not be told, in a frame of `shape`."""
    old = bnn.frame_type(op.output).get_shape()
    for attribute in op.properties.values():
        if isinstance(attribute, bnn.DenseAttr) and attribute.size != 1:
            moved = reshaped_constant(attribute.numpy(), old, shape)
            if moved is None or moved.size > attribute.size:
                return True
    return False


def _waits_for_quantizer(op: bnn.ReshapeOp) -> bool:
    """Whether a quantizer behind the reshape will move in front of it; see there."""
    if not isinstance(_begin(op.input).owner, _FUSED) and not _repeats(op):
        return False
    shape = bnn.frame_type(op.input).get_shape()
    value: SSAValue = op.output
    while value.has_one_use():
        reader = next(iter(value.uses)).operation
        if not isinstance(reader, bnn.EwiseOp | bnn.CastOp | bnn.Quantizer):
            return False
        if moved_constants(reader, shape) is None:
            return False
        if isinstance(reader, bnn.Quantizer):
            return True
        value = reader.output
    return False


class MergeReshapes(RewritePattern):
    """`reshape(reshape(x)) = reshape(x)`, and a reshape to its own shape is nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ReshapeOp, rewriter: PatternRewriter) -> None:
        if op.input.type == op.output.type:
            rewriter.replace(op, [], [op.input])
        elif isinstance(op.input.owner, bnn.ReshapeOp):
            shape = bnn.frame_type(op.output).get_shape()
            replace_located(rewriter, op, bnn.ReshapeOp(op.input.owner.input, shape))


class TransposeOfLines(RewritePattern):
    """A transpose that only moves axes of length one is a reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.TransposeOp, rewriter: PatternRewriter) -> None:
        shape = bnn.frame_type(op.input).get_shape()
        moved = [axis for axis in op.axes if shape[axis] != 1]
        if moved == sorted(moved):
            new_shape = bnn.frame_type(op.output).get_shape()
            replace_located(rewriter, op, bnn.ReshapeOp(op.input, new_shape))


@dataclass(frozen=True)
class StreamlineReshapes(ModulePass):
    """Move reshapes towards the input past element-wise operations, and merge them."""

    name = "streamline-reshapes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        streamline_reshapes(op)


def streamline_reshapes(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    return apply_greedily(
        module,
        MoveReshapeBeforeElementwise(),
        MoveReshapeBehindQuantizer(),
        FlattenForConstantsByPixel(),
        MergeReshapes(),
        TransposeOfLines(),
    )
