"""What the verifiers of sums, moves, float ops and depthwise kernels in packed words refuse."""

from __future__ import annotations

import pytest
from xdsl.utils.exceptions import VerifyException

import irc

A = "!packed.array<8xui2>"
BITS = "!packed.bits<2x4xui2, 8>"
MOVE = "shape [2 : i64, 4 : i64]"
CUT = "sizes [2 : i64, 2 : i64]"
PIXELS = "!packed.bits<6x4x!bnn.bipolar, 8>"

REFUSED = [
    (
        f'packed.add "a" %x, %x {{accumulator = si16}} : {A}, {A} -> !packed.array<7xsi16>',
        "differ in their elements",
    ),
    (
        f'packed.add "a" %x, %x at <tensor<1x1xui1>, [1]> bias 0 {{accumulator = si16}} '
        f": {BITS}, {BITS} -> !packed.bits<1x8xui1, 8>",
        "differ in their elements",
    ),
    (
        f'packed.add "a" %x, %x multipliers <tensor<1x4xui2>, [1, 2, 3, 1]> '
        f"{{accumulator = si16}} : {A}, {A} -> !packed.array<8xsi16>",
        "multipliers must be [2, C]",
    ),
    (
        f'packed.add "a" %x, %x multipliers <tensor<2x4xui2>, "0xffff"> at <tensor<2x1xui1>, '
        f"[1, 1]> bias 0 {{accumulator = si16}} : {A}, {A} -> !packed.array<8xui1>",
        "multipliers and thresholds differ in their channels",
    ),
    (
        f'packed.add "a" %x, %x multipliers <tensor<2x2xui2>, [1, 2, 3, 1]> '
        f"{{accumulator = si16}} : {BITS}, {BITS} -> !packed.array<8xsi16>",
        "2 channels do not make rows of 4",
    ),
    (
        f'packed.add "a" %x, %x multipliers <tensor<2x3xui1>, [1, 0, 1, 1, 0, 1]> '
        f"{{accumulator = si16}} : {A}, {A} -> !packed.array<8xsi16>",
        "3 channels do not divide 8 elements",
    ),
    (
        f'packed.add "a" %x, %x {{accumulator = si16}} : {A}, {A} -> {BITS}',
        "sums without thresholds are stored in an array",
    ),
    (
        f'packed.float_add "a" %x, %x : {A}, {A} -> !packed.array<8xf32>',
        "floats are added to floats",
    ),
    (
        f'packed.concat "c" %x, %x parts 3 : {A}, {A} -> !packed.array<16xui2>',
        "is not 3 equal parts",
    ),
    (
        f'packed.concat "c" %x, %x parts 2 : {A}, {A} -> !packed.array<15xui2>',
        "does not hold the elements of all operands",
    ),
    (
        f'packed.concat "c" %x, %x parts 1 : {BITS}, {BITS} -> !packed.bits<2x8xui2, 8>',
        "1 rows are joined, not 2 to 2",
    ),
    (
        f'packed.concat "c" %x, %x parts 2 : {BITS}, {BITS} -> !packed.bits<2x8xui2, 16>',
        "moving keeps the layout",
    ),
    (
        f'packed.slice "s" %x {MOVE} offsets [0 : i64, 3 : i64] {CUT} strides [1 : i64, 1 : i64] '
        f": {A} -> !packed.array<4xui2>",
        "2 elements from 3 on, 1 apart, are not among 4",
    ),
    (
        f'packed.slice "s" %x {MOVE} offsets [0 : i64, 0 : i64] {CUT} strides [1 : i64, 2 : i64] '
        f": {BITS} -> !packed.bits<2x2xui2, 8>",
        "bits of a row that are kept lie side by side",
    ),
    (
        f'packed.upsample "u" %x {MOVE} factors [1 : i64] : {A} -> {A}',
        "[1] are no factors for [2, 4]",
    ),
    (
        f'packed.upsample "u" %x {MOVE} factors [1 : i64, 2 : i64] : {A} -> {A}',
        "shape [2, 8] does not fit",
    ),
    (
        f'packed.float_quantize "q" %x [] of [] rounding "floor" min 0 max 4 '
        f": !packed.array<8xf32> -> {A}",
        "bounds 0 to 4 do not fit ui2",
    ),
    (
        f'packed.float_quantize "q" %x [] of [] rounding "bipolar" min 0 max 1 '
        f": !packed.array<8xf32> -> {A}",
        "rounding 'bipolar' does not give ui2",
    ),
    (
        'packed.float_quantize "q" %x [] of [] rounding "floor" min 0 max 16777217 '
        ": !packed.array<8xf32> -> !packed.array<8xui25>",
        "float32 does not represent all of 0 to 16777217",
    ),
    (
        f'packed.float_threshold "q" %x [] of [] at <tensor<3x1xf32>, [1.0, 2.0, 3.0]> '
        f": !packed.array<8xf32> -> {A}",
        "3 rows of thresholds do not divide 8",
    ),
    (
        'packed.softmax "s" "hardmax" %x rows 2 : !packed.array<8xf32> -> !packed.array<8xf32>',
        "unknown function 'hardmax'",
    ),
    (
        f'packed.channel_dense "d" %x, <tensor<3x1x1xui8>, [1, 2, 3]> depth 1 '
        f"{{accumulator = si16, weight_type = !bnn.bipolar}} : {PIXELS} -> !packed.array<8xsi3>",
        "1 bits do not count up to 3",
    ),
    (
        f'packed.channel_dense "d" %x, <tensor<4x1x1xui8>, [1, 2, 3, 4]> depth 3 '
        f"{{accumulator = si16, weight_type = !bnn.bipolar}} : {PIXELS} -> !packed.array<8xsi3>",
        "is not rows of 4 pixels",
    ),
    (
        f'packed.channel_dense "d" %x, <tensor<3x1x1xui8>, [1, 2, 3]> depth 2 '
        f"{{accumulator = si16, weight_type = !bnn.bipolar, places = [#bnn.dense<tensor<2xui1>, "
        f"[0, 1]>]}} : {PIXELS} -> !packed.array<8xsi3>",
        "places are for offsets",
    ),
    (
        f'packed.channel_dense "d" %x, <tensor<3x1x1xui8>, [1, 2, 3]> depth 2 '
        f"{{accumulator = si16, weight_type = !bnn.bipolar, offsets = #bnn.dense<tensor<4xui1>, "
        f"[0, 1, 0, 1]>, places = [#bnn.dense<tensor<2xui1>, [0, 1]>]}} : {PIXELS} "
        "-> !packed.array<8xsi3>",
        "offsets must be [2, 4]",
    ),
]


@pytest.mark.parametrize(("op", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_makes_no_sense_is_refused(op: str, message: str) -> None:
    operand = op.split(" : ")[-1].split(" -> ")[0]
    source = operand.split(", !packed")[0]
    with pytest.raises(VerifyException) as error:
        irc.parse(
            f"""
            func.func @f() {{
              %x = "test.op"() : () -> {source}
              %0 = {op}
              func.return
            }}""",
            allow_unregistered=True,
        )
    assert message in str(error.value)
