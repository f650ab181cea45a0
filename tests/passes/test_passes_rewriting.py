"""Patterns rewrite until none matches, and what they raise comes out as it is."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn, onnx
from irc.dialects.locations import location_names
from irc.errors import IrcError
from irc.loading import new_context
from irc.parsing import parse_text
from irc.passes.rewriting import apply_greedily, cse, replace_located


class DoubleNegation(RewritePattern):
    """`−(−x) = x`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if isinstance(inner, bnn.EwiseOp):
            rewriter.replace(op, [], [inner.input])


class NegationAsProduct(RewritePattern):
    """`−x = x · −1`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        if op.fn.data == "neg":
            constant = bnn.DenseAttr.from_floats(-1)
            replace_located(rewriter, op, bnn.EwiseOp("mul", op.input, constant))


class Refusing(RewritePattern):
    """Refuses everything."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        raise IrcError("no", op.location)


def negations(count: int) -> ModuleOp:
    block = Block(arg_types=[TensorType(f32, [2])])
    value = block.args[0]
    for _ in range(count):
        op = bnn.EwiseOp("neg", value)
        op.location = onnx.node_location("neg")
        block.add_op(op)
        value = op.output
    block.add_op(ReturnOp(value))
    return ModuleOp([FuncOp("f", ([value.type], [value.type]), Region(block))])


def names(module: ModuleOp) -> list[str]:
    return [op.fn.data for op in module.walk() if isinstance(op, bnn.EwiseOp)]


def test_patterns_run_until_none_matches_and_leave_nothing_dead() -> None:
    module = negations(7)
    assert apply_greedily(module, DoubleNegation())
    assert names(module) == ["neg"]
    assert not apply_greedily(module, DoubleNegation())


def test_replacements_keep_their_place_of_origin() -> None:
    module = negations(1)
    apply_greedily(module, NegationAsProduct())
    (op,) = (op for op in module.walk() if isinstance(op, bnn.EwiseOp))
    assert op.fn.data == "mul"
    assert onnx.location_name(op.location) == "neg"


def test_an_error_comes_out_without_the_module(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(IrcError, match=r"^no$"):
        apply_greedily(negations(1), Refusing())
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def test_what_equal_operations_were_called_stays() -> None:
    module = parse_text(
        new_context(),
        "func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
        '  %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32> loc("Neg_1")\n'
        '  %1 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32> loc("Neg_2")\n'
        "  %2 = bnn.add %0, %1 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>\n"
        "  func.return %2 : tensor<2xf32>\n}\n",
    )
    cse(module)
    (kept,) = (op for op in module.walk() if isinstance(op, bnn.EwiseOp))
    assert location_names(kept.location) == ["Neg_1", "Neg_2"]
