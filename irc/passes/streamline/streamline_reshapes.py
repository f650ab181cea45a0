"""Move reshapes towards the input, so that what follows them meets its own shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    RewritePattern,
    op_type_rewrite_pattern,
)

from irc.dialects import bnn
from irc.passes.rewriting import apply_greedily, replace_located

Array = npt.NDArray[Any]


_ELEMENTWISE = (bnn.CastOp, bnn.EwiseOp, bnn.QuantizeOp, bnn.ThresholdOp)


class MoveReshapeBeforeElementwise(RewritePattern):
    """`reshape(f(x)) = f(reshape(x))` for an element-wise f, its constants reshaped alike.

    Before a quantizer only with all the functions that lead to it, which thresholds absorb
    together. Casts and float functions that others read too are cheap enough to be there twice.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ReshapeOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if not isinstance(inner, _ELEMENTWISE):
            return
        is_cheap = isinstance(inner, bnn.CastOp | bnn.EwiseOp)
        if not is_cheap and not op.input.has_one_use():
            return
        shape = bnn.frame_type(op.output).get_shape()
        if isinstance(inner, bnn.QuantizeOp) and not _can_pass_chain(inner.input, shape):
            return
        reshape = bnn.ReshapeOp(inner.input, shape)
        after = _with_shape(inner, reshape.output, shape)
        if after is None:
            return
        reshape.location, after.location = op.location, inner.location
        rewriter.replace(op, [reshape, after])


def _can_pass_chain(value: SSAValue, shape: tuple[int, ...]) -> bool:
    """Whether the constants of all float functions that lead to `value` can follow a reshape
    without growing, also those that a float sum at their beginning will leave behind it."""
    while isinstance(value.owner, bnn.EwiseOp):
        op = value.owner
        for attribute in op.properties.values():
            if isinstance(attribute, bnn.DenseAttr) and attribute.size != 1:
                old = bnn.frame_type(op.output).get_shape()
                moved = _reshaped(attribute.numpy(), old, shape)
                if moved is None or moved.size > attribute.size:
                    return False
        value = op.input
    is_exact_already = isinstance(value.owner, bnn.CastOp | Block)
    return is_exact_already or bnn.frame_type(value).get_shape()[-1:] == shape[-1:]


def _with_shape(op: Operation, value: SSAValue, shape: tuple[int, ...]) -> Operation | None:
    """`op` on the reshaped operand `value`; `None` where a constant cannot follow."""
    old_shape = bnn.frame_type(op.results[0]).get_shape()
    properties = dict(op.properties)
    for name, attribute in op.properties.items():
        if not isinstance(attribute, bnn.DenseAttr):
            continue
        if isinstance(op, bnn.ThresholdOp):
            if attribute.shape[0] != 1 and shape[-1:] != old_shape[-1:]:
                return None
        elif attribute.size != 1:
            moved = _reshaped(attribute.numpy(), old_shape, shape)
            if moved is None:
                return None
            properties[name] = bnn.DenseAttr.from_floats(moved)
    result = TensorType(bnn.frame_type(op.results[0]).element_type, shape)
    return type(op).create(
        operands=[value],
        result_types=[result],
        properties=properties,
        attributes=dict(op.attributes),
    )


def _reshaped(constant: Array, old: tuple[int, ...], new: tuple[int, ...]) -> Array | None:
    """A constant of frames of shape `old` for frames of shape `new`, along the last axis alone
    where that is all that differs; `None` where that holds for the old one only, since thresholds
    can absorb one number a channel, but no more."""
    whole = np.broadcast_to(constant, old).reshape(new)
    rows = whole.reshape(-1, *new[-1:])
    if bool((rows == rows[:1]).all()):
        return rows[0]
    return None if constant.size == constant.shape[-1] else whole


class FlattenForConstantsByPixel(RewritePattern):
    """`quantize(f(x)) = reshape(quantize(f(flatten(x))))` where a constant of f differs by pixel.

    Thresholds absorb one number a channel; in a flat frame every element is one.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.QuantizeOp, rewriter: PatternRewriter) -> None:
        chain: list[bnn.EwiseOp] = []
        value = op.input
        while isinstance(value.owner, bnn.EwiseOp):
            chain.append(value.owner)
            value = value.owner.input
        if not isinstance(value.owner, bnn.CastOp) or not any(map(_differs_by_pixel, chain)):
            return
        shape = bnn.frame_type(value).get_shape()
        flat = (math.prod(shape),)
        new_ops: list[Operation] = [bnn.ReshapeOp(value.owner.input, flat)]
        for function in (value.owner, *reversed(chain), op):
            properties = {
                name: bnn.DenseAttr.from_floats(np.broadcast_to(a.numpy(), shape).reshape(-1))
                if isinstance(a, bnn.DenseAttr) and a.size != 1
                else a
                for name, a in function.properties.items()
            }
            kind = TensorType(bnn.frame_type(function.results[0]).element_type, flat)
            new_ops.append(
                type(function).create(
                    operands=[new_ops[-1].results[0]],
                    result_types=[kind],
                    properties=properties,
                    attributes=dict(function.attributes),
                )
            )
            new_ops[-1].location = function.location
        new_ops.append(bnn.ReshapeOp(new_ops[-1].results[0], shape))
        for reshape in (new_ops[0], new_ops[-1]):
            reshape.location = op.location
        rewriter.replace(op, new_ops)


def _differs_by_pixel(op: bnn.EwiseOp) -> bool:
    attributes = (op.constant, op.constant_error, op.result_error)
    return any(a is not None and a.size not in (1, *a.shape[-1:]) for a in attributes)


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
        apply_greedily(
            op,
            MoveReshapeBeforeElementwise(),
            FlattenForConstantsByPixel(),
            MergeReshapes(),
            TransposeOfLines(),
        )
