"""The bnn dialect prints what it parses, and its verifiers say what is wrong."""

# ruff: noqa: E501

from __future__ import annotations

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from irc.dialects import bnn

ALL_OPS = """
func.func @all(%0: tensor<2x3xui8>) -> tensor<1xui1> {
  %1 = bnn.reshape %0 : tensor<2x3xui8> -> tensor<6xui8>
  %2 = bnn.cast %1 : tensor<6xui8> -> tensor<6xf32>
  %3 = bnn.ewise "div" %2, <tensor<f32>, [255.0]> : tensor<6xf32> -> tensor<6xf32>
  %4 = bnn.ewise "mul" %3, <tensor<f32>, [0.1]> constant_error <tensor<f32>, [1.0e-06]> result_error <tensor<6xf32>, [0.0, 0.0, 0.0, 0.0, 0.0, 0.5]> : tensor<6xf32> -> tensor<6xf32>
  %5 = bnn.ewise "relu" %4 : tensor<6xf32> -> tensor<6xf32>
  %6 = bnn.quantize "half_even" %5 min -2 max 1 : tensor<6xf32> -> tensor<6xsi2>
  %7 = bnn.linear %6, <tensor<2x6x!bnn.bipolar>, [1, -1, 1, -1, 1, 1, -1, -1, 1, 1, 1, 1]> : tensor<6xsi2> -> tensor<2xsi5>
  %8 = bnn.threshold %7 at <tensor<2x2xsi4>, [-1, 2, 0, 5]> steps <tensor<2x2xsi2>, [1, -1, -1, 1]> bias 1 {bnn.margin = "exact"} : tensor<2xsi5> -> tensor<2xui2>
  %9 = bnn.cast %8 : tensor<2xui2> -> tensor<2xf32>
  %10 = bnn.linear %9, <tensor<1x2xui1>, [1, 0]> scales <tensor<1xf32>, [0.5]> offsets <tensor<f32>, [1.5]> : tensor<2xf32> -> tensor<1xf32>
  %11 = bnn.transpose %10 perm [0] : tensor<1xf32> -> tensor<1xf32>
  %12 = bnn.float_threshold %11 at <tensor<1x3xf32>, [-0.5, 0.1, 2.0]> : tensor<1xf32> -> tensor<1xui2>
  %13 = bnn.cast %12 : tensor<1xui2> -> tensor<1xf32>
  %14 = bnn.softmax "log_softmax" %13 : tensor<1xf32> -> tensor<1xf32>
  %15 = bnn.argmax %14 : tensor<1xf32> -> tensor<1xui1>
  func.return %15 : tensor<1xui1>
}
"""


def parse(text: str) -> ModuleOp:
    context = Context()
    for dialect in (Builtin, Func, bnn.Bnn):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def test_operations_print_as_they_parse() -> None:
    module = parse(ALL_OPS)
    names = {op.name for op in module.walk()} & {op.name for op in bnn.Bnn.operations}
    assert len(names) == 10
    again = parse(str(module))
    assert again.is_structurally_equivalent(module)
    assert str(again) == str(module)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("bnn.cast %f : tensor<4xf32> -> tensor<4xf32>", "the operand must be bipolar or integer"),
        ("bnn.cast %x : tensor<4xsi3> -> tensor<5xf32>", "keeps the shape"),
        ("bnn.cast %x : tensor<4xsi3> -> tensor<4xsi8>", "the result must be f32"),
        (
            'bnn.ewise "relu" %x : tensor<4xsi3> -> tensor<4xsi3>',
            "the operand must be f32, not tensor<4xsi3>",
        ),
        ('bnn.ewise "gelu" %f : tensor<4xf32> -> tensor<4xf32>', "unknown function 'gelu'; known"),
        ('bnn.ewise "add" %f : tensor<4xf32> -> tensor<4xf32>', "'add' takes a constant"),
        (
            'bnn.ewise "neg" %f, <tensor<f32>, [1.0]> : tensor<4xf32> -> tensor<4xf32>',
            "'neg' takes no constant",
        ),
        (
            'bnn.ewise "add" %f, <tensor<3xf32>, [1.0, 2.0, 3.0]> : tensor<4xf32> -> tensor<4xf32>',
            r"a constant of shape \[3\] does not broadcast to \[4\]",
        ),
        (
            'bnn.ewise "add" %f, <tensor<si8>, [1]> : tensor<4xf32> -> tensor<4xf32>',
            "the constant must be f32, not tensor<si8>",
        ),
        (
            'bnn.ewise "neg" %f constant_error <tensor<f32>, [1.0]> '
            ": tensor<4xf32> -> tensor<4xf32>",
            "there is no constant that could have an error",
        ),
        (
            'bnn.ewise "neg" %f result_error <tensor<si8>, [1]> : tensor<4xf32> -> tensor<4xf32>',
            "an error must be f32",
        ),
        (
            'bnn.quantize "stochastic" %f : tensor<4xf32> -> tensor<4xsi3>',
            "unknown rounding 'stochastic'",
        ),
        (
            'bnn.quantize "floor" %f : tensor<4xf32> -> tensor<4x!bnn.bipolar>',
            "roundings 'bipolar' and 'positive' and result type !bnn.bipolar go together",
        ),
        (
            'bnn.quantize "bipolar" %f : tensor<4xf32> -> tensor<4xsi2>',
            "roundings 'bipolar' and 'positive' and result type !bnn.bipolar go together",
        ),
        (
            'bnn.quantize "positive" %f : tensor<4xf32> -> tensor<4xui1>',
            "roundings 'bipolar' and 'positive' and result type !bnn.bipolar go together",
        ),
        (
            "bnn.float_threshold %f at <tensor<2x1xf32>, [0.5, 1.5]> : tensor<4xf32> -> tensor<4xui1>",
            "not tensor<2x1xf32>",
        ),
        (
            "bnn.float_threshold %f at <tensor<1x2xf32>, [0.5, 1.5]> : tensor<4xf32> -> tensor<4xui1>",
            "codes from 0 to 2 do not fit ui1",
        ),
        (
            "bnn.float_threshold %f at <tensor<1x1xui1>, [1]> : tensor<4xf32> -> tensor<4xui1>",
            "the thresholds must be f32",
        ),
        (
            'bnn.softmax "softmin" %f : tensor<4xf32> -> tensor<4xf32>',
            "unknown function 'softmin'; known are softmax, log_softmax",
        ),
        (
            'bnn.softmax "softmax" %x : tensor<4xsi3> -> tensor<4xsi3>',
            "the operand must be f32",
        ),
        (
            'bnn.quantize "floor" %f max 8 : tensor<4xf32> -> tensor<4xsi4>',
            "bounds -8 to 8 do not fit si4",
        ),
        (
            "bnn.linear %x, <tensor<1x3xsi2>, [1, 0, 1]> : tensor<4xsi3> -> tensor<1xsi8>",
            "weights of 3 columns do not fit",
        ),
        (
            "bnn.linear %x, <tensor<1x4xsi2>, [1, 0, 1, 0]> : tensor<4xsi3> -> tensor<2xsi8>",
            "1 rows do not give tensor<2xsi8>",
        ),
        (
            "bnn.linear %x, <tensor<4xsi2>, [1, 0, 1, 0]> : tensor<4xsi3> -> tensor<4xsi8>",
            r"weights must be \[M, K\]",
        ),
        (
            "bnn.linear %x, <tensor<1x4xsi2>, [1, 0, 1, 0]> : tensor<4xsi3> -> tensor<1xf32>",
            "the result must be integer",
        ),
        (
            "bnn.linear %f, <tensor<1x4xsi2>, [1, 0, 1, 0]> : tensor<4xf32> -> tensor<1xsi8>",
            "the result must be f32",
        ),
        (
            "bnn.linear %x, <tensor<1x4xsi2>, [1, 0, 1, 0]> "
            ": tensor<4xsi3> -> tensor<1x!bnn.bipolar>",
            "a sum is an integer, not bipolar",
        ),
        (
            "bnn.linear %x, <tensor<1x4xsi2>, [1, 0, 1, 0]> scales <tensor<f32>, [1.0]> "
            ": tensor<4xsi3> -> tensor<1xsi8>",
            "an exact sum has no scales",
        ),
        (
            "bnn.linear %x, <tensor<1x4xsi2>, [1, 0, 1, 0]> offsets <tensor<f32>, [1.0]> "
            ": tensor<4xsi3> -> tensor<1xsi8>",
            "an exact sum has no offsets",
        ),
        (
            "bnn.linear %f, <tensor<1x4xsi2>, [1, 0, 1, 0]> offsets <tensor<2xf32>, [1.0, 2.0]> "
            ": tensor<4xf32> -> tensor<1xf32>",
            r"a constant of shape \[2\] does not broadcast to \[1\]",
        ),
        (
            "bnn.threshold %x at <tensor<3x1xsi3>, [0, 0, 0]> bias 0 "
            ": tensor<4xsi3> -> tensor<4xui1>",
            r"thresholds must be \[4, T\] or \[1, T\]",
        ),
        (
            "bnn.threshold %x at <tensor<1x1xf32>, [0.5]> bias 0 : tensor<4xsi3> -> tensor<4xui1>",
            "thresholds must be integers",
        ),
        (
            "bnn.threshold %x at <tensor<1x1xsi3>, [0]> steps <tensor<1x2xsi3>, [1, 1]> bias 0 "
            ": tensor<4xsi3> -> tensor<4xui2>",
            "steps for",
        ),
        (
            "bnn.threshold %x at <tensor<1x1xsi3>, [0]> bias 1 "
            ": tensor<4xsi3> -> tensor<4x!bnn.bipolar>",
            "codes from 1 to 2 do not fit !bnn.bipolar",
        ),
        (
            "bnn.threshold %x at <tensor<1x2xsi3>, [1, 0]> steps <tensor<1x2xsi3>, [-2, 1]> bias 0 "
            ": tensor<4xsi3> -> tensor<4xui1>",
            "codes from -1 to 1 do not fit ui1",
        ),
        (
            "bnn.reshape %x : tensor<4xsi3> -> tensor<5xsi3>",
            "differ in their number of elements",
        ),
        ("bnn.reshape %x : tensor<4xsi3> -> tensor<4xsi4>", "a reshape keeps the element type"),
        ("bnn.transpose %x perm [1] : tensor<4xsi3> -> tensor<4xsi3>", "no permutation of 1 axes"),
        (
            "bnn.transpose %x perm [0] : tensor<4xsi3> -> tensor<4xsi4>",
            "transposing tensor<4xsi3> by",
        ),
        ("bnn.argmax %x : tensor<4xsi3> -> tensor<ui1>", "ui1 cannot hold index 3"),
        ("bnn.argmax %x : tensor<4xsi3> -> tensor<4xui8>", "argmax over the last axis"),
        ("bnn.argmax %x : tensor<4xsi3> -> tensor<f32>", "the result must be bipolar or integer"),
    ],
)
def test_the_verifier_names_the_mistake(operation: str, message: str) -> None:
    arguments = "%x: tensor<4xsi3>, %f: tensor<4xf32>"
    with pytest.raises(VerifyException, match=message):
        parse(f"func.func @f({arguments}) {{\n  %r = {operation}\n  func.return\n}}")


def test_equal_thresholds_are_passed_together() -> None:
    # Between them the sum would be −1, which ui1 lacks, but no integer is there.
    parse(
        "func.func @f(%x: tensor<4xsi3>) {\n"
        "  %r = bnn.threshold %x at <tensor<1x2xsi3>, [0, 0]> steps <tensor<1x2xsi3>, [-1, 2]> "
        "bias 0 : tensor<4xsi3> -> tensor<4xui1>\n  func.return\n}"
    )
