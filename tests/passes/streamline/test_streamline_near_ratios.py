"""Sums of scales in no ratio of integers: as near as float32 is, where a quantizer needs it."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.interp.run import run_module
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.streamline.affine_adds import add_of_affine
from irc.passes.streamline.fold_residual_adds import FoldResidualAdds

SHAPE = (1, 1, 2)


def scaled(block: Block, value: SSAValue, scales: tuple[float, float]) -> SSAValue:
    cast = bnn.CastOp(value)
    product = bnn.EwiseOp("mul", cast.output, bnn.DenseAttr.from_floats(np.array(scales)))
    block.add_ops([cast, product])
    return product.output


def summed(lhs: tuple[float, float], rhs: tuple[float, float]) -> tuple[Block, bnn.AddOp]:
    """`s·a + t·b` for each of two channels."""
    block = Block(arg_types=[TensorType(kind, SHAPE) for kind in (bnn.sint(9), bnn.sint(6))])
    a, b = (scaled(block, v, s) for v, s in zip(block.args, (lhs, rhs), strict=True))
    total = bnn.AddOp(a, b, f32)
    block.add_op(total)
    return block, total


def module_of(block: Block, result: SSAValue) -> ModuleOp:
    block.add_op(ReturnOp(result))
    types = FunctionType.from_lists(list(block.arg_types), [result.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


def frames() -> list[np.ndarray]:
    pairs = np.array(list(itertools.product((-256, -255, -3, 0, 1, 77, 255), range(-32, 32))))
    return [np.repeat(pairs[:, i, None, None, None], 2, axis=3) for i in (0, 1)]


scales = st.floats(2.0**-8, 8, width=32).flatmap(lambda s: st.sampled_from((s, -s)))


@settings(deadline=None)
@given(st.tuples(scales, scales), st.tuples(scales, scales))
def test_the_stated_error_holds(lhs: tuple[float, float], rhs: tuple[float, float]) -> None:
    block, total = summed(lhs, rhs)
    module = module_of(block, total.output)
    (expected,) = run_module(module, frames())
    assert add_of_affine(total, RangeAnalysis(), near=True)
    module.verify()
    (given_,) = run_module(module, frames())
    stated = [op.result_error for op in module.walk() if isinstance(op, bnn.EwiseOp)]
    bound = sum(np.abs(error.numpy()).max() for error in stated if error is not None)
    apart = np.abs(given_.astype(np.float64) - expected)
    assert (apart <= bound).all()
    largest = np.abs(np.array([lhs, rhs])).max(axis=1) @ [256, 32]
    assert bound <= 2.0**-18 * largest


def test_only_quantized_sums_are_approximated() -> None:
    """What the host may add in floats stays float."""
    for quantized in (False, True):
        block, total = summed((0.23371829, 0.23371829), (0.91713127, 0.91713127))
        pool = bnn.MaxPoolOp(total.output, (1, 1), (1, 1), (1, 1), f32)
        block.add_op(pool)
        result = pool.output
        if quantized:
            block.add_op(sign := bnn.QuantizeOp("bipolar", result, bnn.bipolar))
            result = sign.output
        module = module_of(block, result)
        FoldResidualAdds().apply(Context(), module)
        (add,) = (op for op in module.walk() if isinstance(op, bnn.AddOp))
        assert (bnn.frame_type(add.output).element_type == f32) is not quantized
