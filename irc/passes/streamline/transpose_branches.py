"""How a transpose passes the operations where branches meet, part or change size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn

Axes = tuple[int, ...]

BranchOp = bnn.AddOp | bnn.ConcatOp | bnn.SliceOp | bnn.UpsampleOp
"""Operations that do the same to transposed frames, with their axes renamed."""

_ELEMENTWISE = (bnn.CastOp, bnn.EwiseOp, bnn.QuantizeOp)


def inverse(axes: Axes) -> Axes:
    """The permutation that takes `axes` back."""
    return tuple(int(axis) for axis in np.argsort(axes))


def with_renamed_axes(op: BranchOp, operands: Sequence[SSAValue], axes: Axes) -> Operation | None:
    """`op` on operands of which its own are the transposes by `axes`: its result, transposed by
    them, is that of `op`. `None` for a sum whose multipliers belong to the last axis."""
    match op:
        case bnn.AddOp():
            if op.multipliers is not None and op.multipliers.shape[1] > 1:
                return None
            element_type = bnn.frame_type(op.output).element_type
            return bnn.AddOp(operands[0], operands[1], element_type, op.multipliers)
        case bnn.ConcatOp():
            return bnn.ConcatOp(operands, axes[op.axis_index])
        case bnn.SliceOp():
            lists = (op.offsets, op.sizes, op.strides)
            return bnn.SliceOp(operands[0], *(_renamed(numbers, axes) for numbers in lists))
        case _:
            return bnn.UpsampleOp(operands[0], _renamed(op.factors, axes))


def _renamed(numbers: Sequence[int], axes: Axes) -> list[int]:
    """Numbers for each axis of a transposed frame, for the axes of the frame itself."""
    return [numbers[place] for place in inverse(axes)]


class MoveTransposePastBranches(RewritePattern):
    """`f(transpose(a), transpose(b)) = transpose(f(a, b))`, the axes of f renamed.

    Where some operands of f come from an operation that keeps the channels last, and others from
    an input or a reshape, the latter are transposed, for they can be all the way up.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BranchOp):
            return
        axes = _common_axes(op.operands)
        if axes is None:
            return
        before: list[Operation] = []
        sources: list[SSAValue] = []
        for operand in op.operands:
            owner = operand.owner
            if isinstance(owner, bnn.TransposeOp) and owner.axes == axes:
                sources.append(owner.input)
                continue
            back = bnn.TransposeOp(operand, inverse(axes))
            back.location = op.location
            before.append(back)
            sources.append(back.output)
        moved = with_renamed_axes(op, sources, axes)
        if moved is None:
            return
        after = bnn.TransposeOp(moved.results[0], axes)
        moved.location = after.location = op.location
        rewriter.replace(op, [*before, moved, after])


def _common_axes(operands: Sequence[SSAValue]) -> Axes | None:
    """The permutation to move: one that all operands share, or that of those which keep the
    channels last, where no other does."""
    found: list[Axes | None] = []
    for operand in operands:
        owner = operand.owner
        found.append(owner.axes if isinstance(owner, bnn.TransposeOp) else None)
    if found[0] is not None and all(axes == found[0] for axes in found):
        return found[0]
    spatial = [axes for axes, v in zip(found, operands, strict=True) if _is_channels_last(v)]
    if not spatial or spatial[0] is None or any(axes != spatial[0] for axes in spatial):
        return None
    return spatial[0]


def _is_channels_last(value: SSAValue) -> bool:
    """Whether a value was computed, transposes apart, by what needs the channels last."""
    while isinstance(value.owner, (*_ELEMENTWISE, bnn.TransposeOp, *_BRANCHES)):
        value = value.owner.operands[0]
    return isinstance(value.owner, bnn.ConvOp | bnn.PadOp | bnn.MaxPoolOp | bnn.SumPoolOp)


_BRANCHES = (bnn.AddOp, bnn.ConcatOp, bnn.SliceOp, bnn.UpsampleOp)

WithAxes = Callable[[Operation, SSAValue, Axes], Operation]
"""An element-wise operation on a transposed operand, its constants transposed alike."""


class MoveTransposeToInput(RewritePattern):
    """`transpose(f(x)) = f(transpose(x))` for all functions between inputs and a transpose.

    What reads an input by channel reads it with the channels last from the start.
    """

    def __init__(self, with_axes: WithAxes) -> None:
        self.with_axes = with_axes

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.TransposeOp, rewriter: PatternRewriter) -> None:
        function = op.input.owner
        if not isinstance(function, (*_ELEMENTWISE, *_BRANCHES)):
            return
        if not _begins_at_inputs(op.input):
            return
        above = [bnn.TransposeOp(operand, op.axes) for operand in function.operands]
        for transpose in above:
            transpose.location = op.location
        if isinstance(function, BranchOp):
            sources = [transpose.output for transpose in above]
            moved = with_renamed_axes(function, sources, inverse(op.axes))
        else:
            moved = self.with_axes(function, above[0].output, op.axes)
        if moved is None:
            return
        moved.location = function.location
        rewriter.replace(op, [*above, moved])


def _begins_at_inputs(value: SSAValue) -> bool:
    """Whether functions of inputs, or of reshapes, are all that leads to a value."""
    pending, seen = [value], set[SSAValue]()
    while pending:
        found = pending.pop()
        if found in seen:
            continue
        seen.add(found)
        if isinstance(found.owner, (*_ELEMENTWISE, *_BRANCHES)):
            pending += found.owner.operands
        elif not isinstance(found.owner, Block | bnn.ReshapeOp):
            return False
    return True


class MoveFlattenPastBranches(RewritePattern):
    """`flatten(a) + flatten(b) = flatten(a + b)`, so that what precedes a flatten can follow."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.AddOp, rewriter: PatternRewriter) -> None:
        lhs, rhs = op.lhs.owner, op.rhs.owner
        if not isinstance(lhs, bnn.ReshapeOp) or not isinstance(rhs, bnn.ReshapeOp):
            return
        shapes = [bnn.frame_type(reshape.input).get_shape() for reshape in (lhs, rhs)]
        flat = bnn.frame_type(op.output).get_shape()
        if shapes[0] != shapes[1] or len(flat) != 1 or op.multipliers is not None:
            return
        if isinstance(lhs.input.owner, Block) or isinstance(rhs.input.owner, Block):
            return
        moved = bnn.AddOp(lhs.input, rhs.input, bnn.frame_type(op.output).element_type)
        after = bnn.ReshapeOp(moved.output, flat)
        moved.location, after.location = op.location, lhs.location
        rewriter.replace(op, [moved, after])


class AbsorbTransposeIntoRows(RewritePattern):
    """`transpose(reshape(f(W·x))) = reshape(f'(W'·x))`, the rows of W' and the constants of f' in
    the order that the transpose gives."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.TransposeOp, rewriter: PatternRewriter) -> None:
        reshape = op.input.owner
        if not isinstance(reshape, bnn.ReshapeOp) or not op.input.has_one_use():
            return
        shape = bnn.frame_type(reshape.output).get_shape()
        if len(bnn.frame_type(reshape.input).get_shape()) != 1:
            return
        chain: list[Operation] = []
        value = reshape.input
        while isinstance(value.owner, _ELEMENTWISE) and value.has_one_use():
            chain.append(value.owner)
            value = value.owner.input
        linear = value.owner
        if not isinstance(linear, bnn.LinearOp) or not value.has_one_use():
            return
        count = bnn.frame_type(value).get_shape()[0]
        order = np.arange(count).reshape(shape).transpose(op.axes).reshape(-1)
        new_ops: list[Operation] = []
        previous = linear.input
        for function in (linear, *reversed(chain)):
            new_ops.append(_with_rows(function, previous, order))
            previous = new_ops[-1].results[0]
        new_ops.append(bnn.ReshapeOp(previous, bnn.frame_type(op.output).get_shape()))
        new_ops[-1].location = reshape.location
        rewriter.replace(op, new_ops)


def _with_rows(op: Operation, value: SSAValue, order: np.ndarray) -> Operation:
    """An operation that gives the elements of a flat frame in another order."""
    properties = dict(op.properties)
    for name, attribute in op.properties.items():
        if isinstance(attribute, bnn.DenseAttr) and attribute.shape[:1] == (len(order),):
            rows = attribute.numpy()[order]
            properties[name] = bnn.DenseAttr.from_numpy(rows, attribute.element_type)
    kind = bnn.frame_type(op.results[0])
    copy = type(op).create(
        operands=[value],
        result_types=[TensorType(kind.element_type, kind.get_shape())],
        properties=properties,
        attributes=dict(op.attributes),
    )
    copy.location = op.location
    return copy
