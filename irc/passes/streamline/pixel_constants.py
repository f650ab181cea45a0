"""Give functions whose constants differ by pixel a frame in which they differ by channel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.passes.analysis.function_chain import ExactChain, exact_chain
from irc.passes.streamline.reshaped_functions import with_shape

Array = npt.NDArray[Any]

MAX_FLAT = 1 << 10
"""Most elements of a frame of which each may have thresholds of its own."""


class FlattenForConstantsByPixel(RewritePattern):
    """`quantize(f(x)) = reshape(quantize(f(flatten(x))))` where a constant of f differs by pixel.

    Thresholds absorb one number a channel; in a flat frame every element is one.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.QuantizeOp, rewriter: PatternRewriter) -> None:
        chain = exact_chain(op.input)
        if chain is None or not any(map(_differs_by_pixel, chain.functions)):
            return
        shape = bnn.frame_type(chain.source).get_shape()
        flat = (math.prod(shape),)
        if flat[0] > MAX_FLAT and _move_axis_last(op, chain, rewriter):
            return
        new_ops: list[Operation] = [bnn.ReshapeOp(chain.source, flat)]
        for function in (chain.cast, *chain.functions, op):
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


def _move_axis_last(op: bnn.QuantizeOp, chain: ExactChain, rewriter: PatternRewriter) -> bool:
    """`quantize(f(x)) = untranspose(quantize(f(transpose(x))))` where constants differ along one
    axis: that of the channels, which thresholds then have a row each. Returns whether so."""
    shape = bnn.frame_type(chain.source).get_shape()
    axes: set[int] = set()
    for function in chain.functions:
        for attribute in function.properties.values():
            if isinstance(attribute, bnn.DenseAttr):
                start = len(shape) - len(attribute.shape)
                axes |= {start + i for i, size in enumerate(attribute.shape) if size > 1}
    if len(axes) != 1:
        return False
    axis = axes.pop()
    perm = [*(i for i in range(len(shape)) if i != axis), axis]
    new_ops: list[Operation] = [bnn.TransposeOp(chain.source, perm)]
    for function in (chain.cast, *chain.functions, op):
        properties = {
            name: bnn.DenseAttr.from_floats(a.numpy().reshape(-1))
            if isinstance(a, bnn.DenseAttr) and a.size != 1
            else a
            for name, a in function.properties.items()
        }
        new_ops.append(with_shape(function, new_ops[-1].results[0], properties))
    new_ops.append(bnn.TransposeOp(new_ops[-1].results[0], np.argsort(perm).tolist()))
    for transpose in (new_ops[0], new_ops[-1]):
        transpose.location = op.location
    rewriter.replace(op, new_ops)
    return True


def _differs_by_pixel(op: bnn.EwiseOp) -> bool:
    attributes = (op.constant, op.constant_error, op.result_error)
    return any(a is not None and a.size not in (1, *a.shape[-1:]) for a in attributes)
