"""Rewrites of `bnn.concat`: quantizers in front of it, float functions behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.passes.analysis.function_chain import ExactChain, exact_chain
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.why_not import why_no_exact_chain
from irc.passes.streamline.chain_alignment import aligned, joined_row, plain_functions
from irc.passes.streamline.widening import can_widen, common_type, widened
from irc.rejections import reject

Array = npt.NDArray[Any]


def is_float(value: SSAValue) -> bool:
    """Whether the elements of a value are floats."""
    return isinstance(bnn.frame_type(value).element_type, Float32Type)


def leads_to_quantizer(op: Operation) -> bool:
    """Whether an operation is a quantizer, or a float function that only leads to one."""
    while isinstance(op, bnn.EwiseOp) and op.output.has_one_use():
        op = next(iter(op.output.uses)).operation
    return isinstance(op, bnn.Quantizer)


def with_operand(op: Operation, value: SSAValue, properties: dict[str, Any]) -> Operation:
    """The same operation on another operand, and with other properties."""
    kind = TensorType(bnn.frame_type(op.results[0]).element_type, bnn.frame_type(value).get_shape())
    made = type(op).create(
        operands=[value],
        result_types=[kind],
        properties={**op.properties, **properties},
        attributes=dict(op.attributes),
    )
    made.location = op.location
    return made


def aligned_shape(constant: Array, rank: int) -> Array:
    """A constant with as many axes as the frame that it broadcasts to."""
    return constant.reshape((1,) * (rank - constant.ndim) + constant.shape)


def compact(constant: Array) -> Array:
    """Without leading axes of length one."""
    while constant.ndim and constant.shape[0] == 1 and constant.ndim > 1:
        constant = constant[0]
    return constant


class FunctionBeforeConcat(RewritePattern):
    """`f(concat(x, y)) = concat(f(x), f(y))` for quantizers, and functions that lead to one.

    Where others read the frame too, this reader has one of its own then: moving costs nothing.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, bnn.EwiseOp | bnn.Quantizer) or not leads_to_quantizer(op):
            return
        concat = op.input.owner
        if not isinstance(concat, bnn.ConcatOp):
            return
        axis, start = concat.axis_index, 0
        parts: list[Operation] = []
        for value in concat.inputs:
            size = bnn.frame_type(value).get_shape()[axis]
            properties = _cut(op, bnn.frame_type(concat.output).get_shape(), axis, start, size)
            parts.append(with_operand(op, value, properties))
            start += size
        joined = bnn.ConcatOp([part.results[0] for part in parts], axis)
        joined.location = concat.location
        rewriter.replace(op, [*parts, joined])


def _cut(
    op: Operation, shape: Sequence[int], axis: int, start: int, size: int
) -> dict[str, bnn.DenseAttr]:
    """The constants of an operation for a part of its frame."""
    found: dict[str, bnn.DenseAttr] = {}
    for name, attribute in op.properties.items():
        if not isinstance(attribute, bnn.DenseAttr):
            continue
        values = attribute.numpy()
        if isinstance(op, bnn.FloatThresholdOp):
            if axis == len(shape) - 1 and len(values) > 1:
                found[name] = bnn.DenseAttr.from_floats(values[start : start + size])
            continue
        full = aligned_shape(values, len(shape))
        if full.shape[axis] > 1:
            part = np.take(full, range(start, start + size), axis=axis)
            found[name] = bnn.DenseAttr.from_floats(compact(part))
    return found


class MergeConcats(RewritePattern):
    """`concat(concat(x, y), z) = concat(x, y, z)` along one axis, and `concat(x) = x`.

    Of exact values only where nothing else reads the inner frame.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ConcatOp, rewriter: PatternRewriter) -> None:
        if len(op.inputs) == 1:
            rewriter.replace(op, [], [op.inputs[0]])
            return
        values: list[SSAValue] = []
        for value in op.inputs:
            inner = value.owner
            merges = isinstance(inner, bnn.ConcatOp) and inner.axis_index == op.axis_index
            if merges and (is_float(value) or value.has_one_use()):
                assert isinstance(inner, bnn.ConcatOp)
                values += inner.inputs
            else:
                values.append(value)
        if len(values) > len(op.inputs):
            merged = bnn.ConcatOp(values, op.axis_index)
            merged.location = op.location
            rewriter.replace(op, merged)


@dataclass
class ConcatBeforeChains(RewritePattern):
    """`concat(f(cast x), g(cast y)) = h(cast(concat(x, y)))`, where h does f or g by channel.

    Functions that only one of them has are identities in the other's channels, so that all bits
    stay. Where no quantizer follows, which is better in front of it.
    """

    analysis: RangeAnalysis

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.ConcatOp, rewriter: PatternRewriter) -> None:
        if not is_float(op.output):
            return
        if any(leads_to_quantizer(use.operation) for use in op.output.uses):
            return
        chains: list[ExactChain] = []
        for value in op.inputs:
            chain = exact_chain(value)
            if chain is None:
                reject(op, self, lambda value=value: f"a part: {why_no_exact_chain(value)}")
                return
            chains.append(chain)
        rows = aligned([[f for op in c.functions for f in plain_functions(op)] for c in chains])
        if rows is None:
            reject(op, self, "the functions of its parts do not go together one by one")
            return
        shapes = [bnn.frame_type(value).get_shape() for value in op.inputs]
        functions = [f for row in rows if (f := joined_row(row, shapes, op.axis_index))]
        if len(functions) < len(rows):
            reject(op, self, "a function of one part has no neutral constant for the others")
            return
        sources = [chain.source for chain in chains]
        element_type = common_type(sources)
        if any(not can_widen(source, element_type, self.analysis) for source in sources):
            reject(op, self, f"not all of its parts can be held as {element_type}")
            return
        new_ops: list[Operation] = []
        values: list[SSAValue] = []
        for source in sources:
            before, value = widened(source, element_type, self.analysis)
            new_ops += before
            values.append(value)
        new_ops.append(bnn.ConcatOp(values, op.axis_index))
        new_ops.append(bnn.CastOp(new_ops[-1].results[0]))
        for function in functions:
            arrays = (function.constant, function.constant_error, function.result_error)
            constants = [None if a is None else bnn.DenseAttr.from_floats(a) for a in arrays]
            new_ops.append(bnn.EwiseOp(function.fn, new_ops[-1].results[0], *constants))
        for new_op in new_ops:
            new_op.location = op.location
        rewriter.replace(op, new_ops)
