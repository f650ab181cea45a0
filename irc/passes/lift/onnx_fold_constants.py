"""Compute at compile time what an ONNX graph computes from constants alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.counters import count
from irc.dialects.onnx_op import OnnxOp
from irc.dialects.onnx_ops import (
    BipolarQuantOp,
    DequantizeLinearOp,
    MultiThresholdOp,
    QuantizeLinearOp,
    QuantOp,
    ShapeOp,
    TruncOp,
)
from irc.dialects.onnx_structure import ConstantOp, constant_value
from irc.dialects.onnx_tensor import Array, TensorAttr
from irc.dialects.onnx_to_proto import entry_function
from irc.dialects.onnx_types import none, static_shape
from irc.errors import IrcError
from irc.interp.onnx import evaluate
from irc.interp.onnx_infer import infer_types
from irc.passes.lift.onnx_dce import remove_dead_nodes

QUANTIZERS = (
    QuantOp,
    BipolarQuantOp,
    TruncOp,
    MultiThresholdOp,
    QuantizeLinearOp,
    DequantizeLinearOp,
)
"""Kept even on constants: they say how weights split into integers and scales."""

MAX_GROWTH = 1 << 20
"""Elements by which folding one operation may enlarge the module."""


@dataclass(frozen=True)
class OnnxFoldConstantsPass(ModulePass):
    """Evaluate ONNX operations on constants, quantizers excepted, and drop dead ones."""

    name = "onnx-fold-constants"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        fold_constants(op)


def fold_constants(module: ModuleOp) -> bool:
    """Fold until nothing changes; returns whether anything did.

    Folded shape arithmetic lets inference find shapes, which makes further `Shape`s constant:
    hence the alternation, each round linear in the number of nodes. Constants are evaluated by
    ONNX's reference implementation, under the node's own name.
    """
    changed = False
    function = entry_function(module)
    while _fold_block(function.body.block):
        changed = True
        # A constant that is returned may have a better type than what it replaces.
        function.update_function_type()
        if not infer_types(module):
            break
    return remove_dead_nodes(module) or changed


def _fold_block(block: Block) -> bool:
    changed = False
    op = block.first_op
    while op is not None:
        following = op.next_op
        if isinstance(op, OnnxOp):
            for inner in (block for region in op.regions for block in region.blocks):
                changed |= _fold_block(inner)
            changed |= _fold(op)
        op = following
    return changed


def _fold(op: OnnxOp) -> bool:
    results = _evaluated(op)
    if results is None:
        return False
    constants = [
        ConstantOp.from_tensor(TensorAttr.from_numpy(result), op.location) for result in results
    ]
    for constant, old in zip(constants, op.results, strict=True):
        constant.results[0].name_hint = old.name_hint
    Rewriter.insert_op(constants, InsertPoint.before(op))
    Rewriter.replace_op(op, [], [constant.results[0] for constant in constants])
    count("nodes folded")
    return True


def _evaluated(op: OnnxOp) -> list[Array] | None:
    """The results of an operation that can be folded, else None."""
    if isinstance(op, (ConstantOp, *QUANTIZERS)) or op.regions or op.spec.is_random:
        return None
    if any(result.type == none for result in op.results):
        return None
    if isinstance(op, ShapeOp):
        return _static_shape(op)
    if not op.operands or _growth(op) > MAX_GROWTH:
        return None
    arrays: list[Array | None] = []
    for value in op.operands:
        array = None if value.type == none else constant_value(value)
        if array is None and value.type != none:
            return None
        arrays.append(array)
    try:
        results = evaluate(op, arrays)
    except IrcError:
        # What ONNX's reference lacks or rejects stays for the target to judge.
        return None
    if not all(isinstance(result, np.ndarray | np.generic) for result in results):
        return None
    return [np.asarray(result) for result in results]


def _static_shape(op: ShapeOp) -> list[Array] | None:
    shape = static_shape(op.operands[0].type)
    if shape is None:
        return None
    return [np.array(shape[op.attr("start", 0) : op.attr("end", None)], np.int64)]


def _growth(op: OnnxOp) -> int:
    made = sum(map(_elements, op.results))
    if op.op_type == "Concat":
        # Inference may have left its type open, above all where it would be large.
        made = max(made, sum(map(_elements, op.operands)))
    # What is read twice is there once.
    return made - sum(map(_elements, set(op.operands)))


def _elements(value: SSAValue) -> int:
    shape = static_shape(value.type)
    return 0 if shape is None else math.prod(shape)
