"""Cancel the transposes that lie between ONNX's channels-first and our channels-last order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.passes.rewriting import apply_greedily, cse, replace_located
from irc.passes.streamline.channel_shuffles import match_first_axis
from irc.passes.streamline.transpose_branches import (
    AbsorbTransposeIntoRows,
    MoveFlattenPastBranches,
    MoveTransposePastBranches,
    MoveTransposeToInput,
    inverse,
)

Array = npt.NDArray[Any]

_ELEMENTWISE = (bnn.CastOp, bnn.EwiseOp, bnn.QuantizeOp)


class MergeTransposes(RewritePattern):
    """`transpose_p(transpose_q(x)) = transpose_{q∘p}(x)`; the identity is nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.TransposeOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if isinstance(inner, bnn.TransposeOp):
            axes = [inner.axes[axis] for axis in op.axes]
            replace_located(rewriter, op, bnn.TransposeOp(inner.input, axes))
        elif op.axes == tuple(range(len(op.axes))):
            rewriter.replace(op, [], [op.input])


class MoveTransposeDown(RewritePattern):
    """`f(transpose(x)) = transpose(f(x))` for an element-wise f, its constants moved alike.

    A transpose that several operations read goes with each of them: it is f that stays one.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _ELEMENTWISE):
            return
        inner = op.input.owner
        if not isinstance(inner, bnn.TransposeOp):
            return
        moved = _with_axes(op, inner.input, inverse(inner.axes))
        after = bnn.TransposeOp(moved.results[0], inner.axes)
        moved.location, after.location = op.location, inner.location
        rewriter.replace(op, [moved, after])


class MoveFlattenDown(RewritePattern):
    """`f(flatten(x)) = flatten(f(x))` for an element-wise f, its constants in the shape of x.

    Quantizers join the sum that they belong to, and a transpose before it can follow, towards
    the weights that will absorb it.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _ELEMENTWISE):
            return
        reshape = op.input.owner
        if not isinstance(reshape, bnn.ReshapeOp):
            return
        if isinstance(reshape.input.owner, Block):
            return
        if len(bnn.frame_type(reshape.output).get_shape()) != 1:
            return
        shape = bnn.frame_type(reshape.input).get_shape()
        moved = _with_constants(op, reshape.input, lambda constant: constant.reshape(shape))
        after = bnn.ReshapeOp(moved.results[0], bnn.frame_type(reshape.output).get_shape())
        moved.location, after.location = op.location, reshape.location
        rewriter.replace(op, [moved, after])


def _with_axes(op: Operation, value: SSAValue, axes: tuple[int, ...]) -> Operation:
    """`op` on a transposed operand: `f(transpose(x, axes))` with the constants transposed."""

    def moved(constant: Array) -> Array:
        full = constant.reshape((1,) * (len(axes) - constant.ndim) + constant.shape)
        return np.transpose(full, axes)

    return _with_constants(op, value, moved)


def _with_constants(op: Operation, value: SSAValue, move: Callable[[Array], Array]) -> Operation:
    """`op` on another operand, with its constants, scalars apart, after `move`."""
    properties = dict(op.properties)
    for name, attribute in op.properties.items():
        if isinstance(attribute, bnn.DenseAttr) and attribute.size != 1:
            properties[name] = bnn.DenseAttr.from_floats(_compact(move(attribute.numpy())))
    element_type = bnn.frame_type(op.results[0]).element_type
    return type(op).create(
        operands=[value],
        result_types=[TensorType(element_type, bnn.frame_type(value).get_shape())],
        properties=properties,
        attributes=dict(op.attributes),
    )


def _compact(constant: Array) -> Array:
    """The same by broadcasting, along the last axis alone where only that makes a difference."""
    rows = constant.reshape(-1, constant.shape[-1])
    if bool((rows == rows[:1]).all()):
        return rows[0]
    while constant.ndim > 1 and constant.shape[0] == 1:
        constant = constant[0]
    return constant


class AbsorbTransposeIntoLinear(RewritePattern):
    """`W·flatten(transpose(x)) = W'·flatten(x)`, the columns of W' in the order of x."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        reshape = op.input.owner
        if not isinstance(reshape, bnn.ReshapeOp):
            return
        transpose = reshape.input.owner
        if not isinstance(transpose, bnn.TransposeOp):
            return
        flat = bnn.frame_type(reshape.output).get_shape()
        if len(flat) != 1:
            return
        shape = bnn.frame_type(transpose.input).get_shape()
        # Where each element of flatten(x) stands in flatten(transpose(x)).
        order = np.argsort(np.arange(flat[0]).reshape(shape).transpose(transpose.axes).reshape(-1))
        weights = bnn.DenseAttr.from_numpy(op.weights.numpy()[:, order], op.weights.element_type)
        straight = bnn.ReshapeOp(transpose.input, flat)
        element_type = bnn.frame_type(op.output).element_type
        linear = bnn.LinearOp(straight.output, weights, element_type, op.scales, op.offsets)
        straight.location, linear.location = reshape.location, op.location
        rewriter.replace(op, [straight, linear])


class MoveTransposePastShuffle(RewritePattern):
    """`shuffle(transpose(x)) = transpose(shuffle'(x))`, the channels of x being its last axis."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ReshapeOp, rewriter: PatternRewriter) -> None:
        rank = len(bnn.frame_type(op.output).get_shape())
        shuffle = match_first_axis(op.output) if rank > 1 else None
        if shuffle is None:
            return
        new_ops, value = shuffle.of(shuffle.source)
        after = bnn.TransposeOp(value, (rank - 1, *range(rank - 1)))
        replace_located(rewriter, op, *new_ops, after)


@dataclass(frozen=True)
class StreamlineTransposes(ModulePass):
    """Move transposes past functions and branches until they cancel or weights absorb them.

    All go down first, and meet; one that is left behind an input goes back up to it. Where
    several readers took a transpose along, what has become equal is computed once.
    """

    name = "streamline-transposes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(
            op,
            MergeTransposes(),
            MoveTransposeDown(),
            MoveTransposePastShuffle(),
            MoveTransposePastBranches(),
            MoveFlattenDown(),
            MoveFlattenPastBranches(),
            AbsorbTransposeIntoLinear(),
        )
        apply_greedily(
            op, MergeTransposes(), AbsorbTransposeIntoRows(), MoveTransposeToInput(_with_axes)
        )
        cse(op)
