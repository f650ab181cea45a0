"""What the verifiers of convolutions, borders and pools in packed words refuse."""

from __future__ import annotations

import pytest
from xdsl.utils.exceptions import VerifyException

import irc

WINDOW = "space [4 : i64] kernel [2 : i64] strides [1 : i64] dilations [1 : i64]"
SIGNS = "!packed.bits<4x5x!bnn.bipolar, 8>"

REFUSED = [
    (
        f'packed.patches "p" %x {WINDOW} : {SIGNS} -> !packed.bits<3x9x!bnn.bipolar, 8>',
        "does not hold 3 rows of 10",
    ),
    (
        f'packed.patches "p" %x {WINDOW} : {SIGNS} -> !packed.bits<3x10xui1, 8>',
        "gathering keeps an exact element type",
    ),
    (
        f'packed.patches "p" %x {WINDOW} : {SIGNS} -> !packed.bits<3x10x!bnn.bipolar, 16>',
        "bits are gathered into bits of the same words",
    ),
    (
        f'packed.patches "p" %x {WINDOW} {{channels_first}} : {SIGNS} '
        "-> !packed.bits<3x10x!bnn.bipolar, 8>",
        "only arrays may have their channels first",
    ),
    (
        f'packed.patches "p" %x {WINDOW} {{before = [1 : i64], after = [0 : i64], value = 0}} '
        f": {SIGNS} -> !packed.bits<4x10x!bnn.bipolar, 8>",
        "bnn.bipolar does not hold 0",
    ),
    (
        f'packed.patches "p" %x {WINDOW.replace("kernel [2", "kernel [5")} : {SIGNS} '
        "-> !packed.bits<3x10x!bnn.bipolar, 8>",
        "a window of [5] does not fit into [4]",
    ),
    (
        f'packed.or_pool "p" %x {WINDOW} : !packed.bits<4x5xui2, 8> -> !packed.bits<3x5xui2, 8>',
        "OR is the largest of bipolar or ui1, not ui2",
    ),
    (
        f'packed.or_pool "p" %x {WINDOW} {{before = [1 : i64], after = [1 : i64]}} : {SIGNS} '
        "-> !packed.bits<5x5x!bnn.bipolar, 8>",
        "pools have no border",
    ),
    (
        f'packed.max_pool "p" %x {WINDOW} {{accumulator = si16}} : !packed.array<8xui8> '
        "-> !packed.bits<3x2xui8, 8>",
        "sums without thresholds are stored in an array",
    ),
    (
        'packed.pad "p" %x space [4 : i64] before [1 : i64] after [0 : i64] value 0 '
        f": {SIGNS} -> !packed.bits<5x5x!bnn.bipolar, 8>",
        "bipolar holds not both 0 and every value of !bnn.bipolar",
    ),
    (
        'packed.pad "p" %x space [4 : i64] before [1 : i64] after [0 : i64] value 4 '
        ": !packed.array<8xui2> -> !packed.array<10xui2>",
        "ui2 holds not both 4 and every value of ui2",
    ),
    (
        'packed.pad "p" %x space [4 : i64] before [1 : i64] after [0 : i64] value 0 '
        f": {SIGNS} -> !packed.array<25xsi2>",
        "rows are pixels on both sides",
    ),
    (
        'packed.xnor_dense "x" %x, <tensor<2x1xui8>, [1, 2]> '
        '{accumulator = si16, popcount = "swar", by_row} '
        f": {SIGNS} -> !packed.array<8xsi4>",
        "by_row is for bits that only packed.or_pool reads",
    ),
    (
        'packed.group_dense "g" %x, <tensor<3x2x1xsi2>, [1, 1, 1, 1, 1, 1]> groups 2 '
        "{accumulator = si16} : !packed.array<8xui2> -> !packed.array<6xsi8>",
        "2 groups do not divide 3 results",
    ),
]


@pytest.mark.parametrize(("op", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_makes_no_sense_is_refused(op: str, message: str) -> None:
    source = op.split(" : ")[-1].split(" -> ")[0]
    with pytest.raises(VerifyException) as caught:
        irc.parse(f"""
            func.func @net(%x: {source}) {{
              %y = {op}
              func.return
            }}""")
    assert message in str(caught.value)
