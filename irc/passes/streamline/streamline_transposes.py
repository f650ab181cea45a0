"""Cancel the transposes that lie between ONNX's channels-first and our channels-last order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.passes.rewriting import apply_greedily, replace_located

Array = npt.NDArray[Any]

_ELEMENTWISE = (bnn.CastOp, bnn.EwiseOp, bnn.QuantizeOp)


def _is_rotation_to_last(axes: tuple[int, ...]) -> bool:
    """Whether the first axis moves to the end, as from channels first to channels last."""
    return len(axes) > 1 and axes == (*range(1, len(axes)), 0)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(axis) for axis in np.argsort(axes))


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

    Not for transposes to channels last: those move up, and meet the others on their way.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, _ELEMENTWISE):
            return
        inner = op.input.owner
        if not isinstance(inner, bnn.TransposeOp) or _is_rotation_to_last(inner.axes):
            return
        if not op.input.has_one_use():
            return
        moved = _with_axes(op, inner.input, _inverse(inner.axes))
        after = bnn.TransposeOp(moved.results[0], inner.axes)
        moved.location, after.location = op.location, inner.location
        rewriter.replace(op, [moved, after])


class MoveTransposeUp(RewritePattern):
    """`transpose(f(x)) = f(transpose(x))` for element-wise f and transposes to channels last."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.TransposeOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if not _is_rotation_to_last(op.axes) or not isinstance(inner, _ELEMENTWISE):
            return
        if not op.input.has_one_use():
            return
        before = bnn.TransposeOp(inner.input, op.axes)
        moved = _with_axes(inner, before.output, op.axes)
        before.location, moved.location = op.location, inner.location
        rewriter.replace(op, [before, moved])


def _with_axes(op: Operation, value: SSAValue, axes: tuple[int, ...]) -> Operation:
    """`op` on a transposed operand: `f(transpose(x, axes))` with the constants transposed."""
    properties = dict(op.properties)
    for name, attribute in op.properties.items():
        if isinstance(attribute, bnn.DenseAttr) and attribute.size != 1:
            properties[name] = bnn.DenseAttr.from_floats(_transposed(attribute.numpy(), axes))
    element_type = bnn.frame_type(op.results[0]).element_type
    return type(op).create(
        operands=[value],
        result_types=[TensorType(element_type, bnn.frame_type(value).get_shape())],
        properties=properties,
        attributes=dict(op.attributes),
    )


def _transposed(constant: Array, axes: tuple[int, ...]) -> Array:
    """A constant that broadcasts to a frame, for the frame with its axes in another order."""
    full = constant.reshape((1,) * (len(axes) - constant.ndim) + constant.shape)
    moved = np.transpose(full, axes)
    while moved.ndim > 1 and moved.shape[0] == 1:
        moved = moved[0]
    return moved


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


@dataclass(frozen=True)
class StreamlineTransposes(ModulePass):
    """Move transposes past element-wise operations until they cancel or weights absorb them."""

    name = "streamline-transposes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(
            op,
            MergeTransposes(),
            MoveTransposeDown(),
            MoveTransposeUp(),
            AbsorbTransposeIntoLinear(),
        )
