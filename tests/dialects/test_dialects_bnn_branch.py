"""Operations where branches meet print what they parse, and say what is wrong with them."""

from __future__ import annotations

import pytest
from xdsl.utils.exceptions import VerifyException

from irc.api import parse, print_ir

ADD = "bnn.add %x, %x : tensor<2x3x{0}>, tensor<2x3x{0}> -> tensor<2x3x{1}>"
SCALED = (
    "bnn.add %x, %x multipliers <tensor<{0}xsi3>, [{1}]> "
    ": tensor<2x3xui2>, tensor<2x3xui2> -> tensor<2x3xsi6>"
)
CONCAT = "bnn.concat %x, %x axis {} : tensor<2x3xui2>, tensor<2x3xui2> -> tensor<{}xui2>"
SLICE = (
    "bnn.slice %x offsets [{} : i64, 0 : i64] sizes [{} : i64, 3 : i64] "
    "strides [{} : i64, 1 : i64] : tensor<5x3xui2> -> tensor<{}x3xui2>"
)
UPSAMPLE = "bnn.upsample %x factors [{} : i64, 1 : i64] : tensor<2x3xui2> -> tensor<{}x3xui2>"


def function(op: str) -> str:
    sources, result = op.rpartition(" : ")[2].split(" -> ")
    source = sources.split(", ")[0]
    return f"func.func @f(%x: {source}) -> {result} {{\n%0 = {op}\nfunc.return %0 : {result}\n}}"


@pytest.mark.parametrize(
    "op",
    [
        ADD.format("f32", "f32"),
        ADD.format("!bnn.bipolar", "si3"),
        SCALED.format("2x1", "2, -3"),
        SCALED.format("2x3", "2, -3, 1, 0, 1, -1"),
        CONCAT.format(0, "4x3"),
        CONCAT.format(1, "2x6"),
        SLICE.format(0, 5, 1, 5),
        SLICE.format(1, 2, 3, 2),
        UPSAMPLE.format(1, 2),
        UPSAMPLE.format(3, 6),
    ],
)
def test_text_parses_back(op: str) -> None:
    module = parse(function(op))
    assert parse(print_ir(module)).is_structurally_equivalent(module)


def test_exact_values_of_several_types_are_added() -> None:
    module = parse(
        "func.func @f(%x: tensor<3xui2>, %y: tensor<3x!bnn.bipolar>) -> tensor<3xsi4> {\n"
        "%0 = bnn.add %x, %y : tensor<3xui2>, tensor<3x!bnn.bipolar> -> tensor<3xsi4>\n"
        "func.return %0 : tensor<3xsi4>\n}"
    )
    assert parse(print_ir(module)).is_structurally_equivalent(module)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (ADD.format("ui2", "f32"), "the sum of exact values is an integer, not tensor<2x3xf32>"),
        (ADD.format("f32", "si8"), "the sum of floats is f32"),
        (ADD.format("!bnn.bipolar", "!bnn.bipolar"), "the sum of exact values is an integer"),
        (ADD.format("ui2", "ui3").replace("> -> tensor<2x3", "> -> tensor<3x2"), "need one shape"),
        (SCALED.format("2x2", "1, 1, 1, 1"), r"must be \[2, 3\] or \[2, 1\], not tensor<2x2xsi3>"),
        (SCALED.format("1x3", "1, 1, 1"), r"must be \[2, 3\] or \[2, 1\]"),
        (
            SCALED.format("2x1", "1.0, 1.0").replace("si3", "f32"),
            "multipliers must be integers",
        ),
        (
            SCALED.format("2x1", "1, 1").replace("ui2", "f32").replace("si6", "f32"),
            "a sum of floats has no multipliers",
        ),
        (CONCAT.format(2, "2x6"), "axis 2 is none of"),
        (CONCAT.format(-1, "2x6"), "axis -1 is none of"),
        (CONCAT.format(0, "2x6"), r"the result has shape \[4, 3\]"),
        (SLICE.format(1, 2, 4, 2), "2 elements from 1 on, 4 apart, are not in axis 0"),
        (SLICE.format(1, 2, 1, 3), r"the result has shape \[2, 3\]"),
        (SLICE.format(0, 2, 0, 2), "sizes and strides are positive"),
        (SLICE.format(0, 0, 1, 0), "sizes and strides are positive"),
        (SLICE.format(-1, 2, 1, 2), "offsets are not negative"),
        (SLICE.format(1, 2, 1, 2).replace("[1 : i64, 0 : i64]", "[1 : i64]"), "one entry for each"),
        (UPSAMPLE.format(0, 0), "factors are positive"),
        (UPSAMPLE.format(2, 2), r"the result has shape \[4, 3\]"),
        (UPSAMPLE.format(2, 4).replace(", 1 : i64", ""), "a factor for each of the 2 axes"),
    ],
)
def test_errors(op: str, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        parse(function(op))


@pytest.mark.parametrize(
    ("op", "second", "result", "message"),
    [
        ("bnn.add %x, %y", "3xf32", "3xf32", "an exact value and a float cannot be added"),
        ("bnn.add %x, %y", "1xui2", "3xui3", "need one shape"),
        ("bnn.concat %x, %y axis 0", "3xui3", "6xui2", "no common element type"),
        ("bnn.concat %x, %y axis 0", "3x1xui2", "6xui2", "differ beside axis 0"),
    ],
)
def test_errors_of_operands_that_do_not_fit(
    op: str, second: str, result: str, message: str
) -> None:
    text = (
        f"func.func @f(%x: tensor<3xui2>, %y: tensor<{second}>) -> tensor<{result}> {{\n"
        f"%0 = {op} : tensor<3xui2>, tensor<{second}> -> tensor<{result}>\n"
        f"func.return %0 : tensor<{result}>\n}}"
    )
    with pytest.raises(VerifyException, match=message):
        parse(text)


def test_concat_of_sides_that_differ() -> None:
    text = (
        "func.func @f(%x: tensor<2x3xui2>, %y: tensor<2x4xui2>) -> tensor<4x3xui2> {\n"
        "%0 = bnn.concat %x, %y axis 0 : tensor<2x3xui2>, tensor<2x4xui2> -> tensor<4x3xui2>\n"
        "func.return %0 : tensor<4x3xui2>\n}"
    )
    with pytest.raises(VerifyException, match="differ beside axis 0"):
        parse(text)


def test_concat_of_nothing() -> None:
    text = (
        "func.func @f(%x: tensor<2xui2>) -> tensor<2xui2> {\n"
        '%0 = "bnn.concat"() <{axis = 0 : i64}> : () -> tensor<2xui2>\n'
        "func.return %0 : tensor<2xui2>\n}"
    )
    with pytest.raises(VerifyException, match="at least one operand"):
        parse(text)
