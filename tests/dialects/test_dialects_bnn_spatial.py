"""Operations on images say what is wrong with them."""

from __future__ import annotations

import pytest
from xdsl.utils.exceptions import VerifyException

from irc.api import parse, print_ir

CONV = (
    "bnn.conv %x, <tensor<2x1x2x!bnn.bipolar>, [1, 1, 1, 1]> strides [1 : i64] "
    "dilations [1 : i64] groups 1 : tensor<3x2xui2> -> tensor<3x2xsi4>"
)
PAD = "bnn.pad %x before [1 : i64] after [0 : i64] value {} : {} -> {}"
POOL = (
    "bnn.{} %x kernel [2 : i64] strides [1 : i64] dilations [1 : i64] "
    ": tensor<3x2x{}> -> tensor<2x2x{}>"
)


def function(op: str) -> str:
    source, result = op.rpartition(" : ")[2].split(" -> ")
    return f"func.func @f(%x: {source}) -> {result} {{\n%0 = {op}\nfunc.return %0 : {result}\n}}"


@pytest.mark.parametrize(
    "op",
    [
        CONV,
        CONV.replace("ui2", "f32").replace("si4", "f32"),
        PAD.format("0.0", "tensor<3x2x!bnn.bipolar>", "tensor<4x2xsi2>"),
        POOL.format("max_pool", "!bnn.bipolar", "!bnn.bipolar"),
        POOL.format("sum_pool", "!bnn.bipolar", "si3"),
    ],
)
def test_text_parses_back(op: str) -> None:
    module = parse(function(op))
    assert parse(print_ir(module)).is_structurally_equivalent(module)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (CONV.replace("groups 1", "groups 2"), "2 groups of 2 channels do not fit 2 input and 2"),
        (CONV.replace("tensor<3x2xsi4>", "tensor<2x2xsi4>"), r"the result has shape \[3, 2\]"),
        (CONV.replace("si4", "f32"), "the result must be integer"),
        (CONV.replace("3x2xsi4", "3x2x!bnn.bipolar"), "a sum is an integer, not bipolar"),
        (CONV.replace("strides [1", "strides [0"), "kernel, strides and dilations are positive"),
        (CONV.replace("strides [1 : i64]", "strides [1 : i64, 1 : i64]"), "one entry for each"),
        (CONV.replace(" strides", " offsets <tensor<f32>, [1.0]> strides"), "has no offsets"),
        (
            PAD.format("0.0", "tensor<3x2x!bnn.bipolar>", "tensor<4x2x!bnn.bipolar>"),
            "bipolar holds not both 0 and every value of !bnn.bipolar",
        ),
        (PAD.format("0.5", "tensor<3x2xui2>", "tensor<4x2xui2>"), "ui2 holds not both 0.5"),
        (PAD.format("-1.0", "tensor<3x2xui2>", "tensor<4x2xui2>"), "ui2 holds not both -1"),
        (PAD.format("0.0", "tensor<3x2xui2>", "tensor<4x2xf32>"), "does not make floats"),
        (PAD.format("0.0", "tensor<3x2xui2>", "tensor<3x2xui2>"), r"has shape \[4, 2\]"),
        (POOL.format("max_pool", "ui2", "ui3"), "the largest element has the type of all"),
        (POOL.format("sum_pool", "ui2", "f32"), "the sum of ui2 is not f32"),
        (POOL.format("max_pool", "ui2", "ui2").replace("3x2x", "1x2x"), "does not fit into"),
    ],
)
def test_errors(op: str, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        parse(function(op))
