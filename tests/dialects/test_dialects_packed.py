"""The packed dialect: layouts to the bit, text that parses back, and what verification refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.utils.exceptions import ParseError, VerifyException

import irc
from irc.dialects.dense import bipolar, element_range, sint, uint
from irc.dialects.packed_lanes import LANES, interleave_rows, separate_rows
from irc.dialects.packed_types import (
    WORD_WIDTHS,
    ArrayType,
    BitsType,
    numpy_dtype,
    pack_words,
    plane_weights,
    region_name,
    to_planes,
    unpack_words,
)

LAYERS = """
func.func @net(%x: tensor<40xui8>) -> (tensor<2xsi9>, tensor<f32>) {
  %0 = packed.input %x : tensor<40xui8> -> !packed.array<40xui8>
  %1 = packed.pack "bits" %0 {slot = #packed.slot<"u32", 3>}
    : !packed.array<40xui8> -> !packed.bits<1x40xui8, 32>
  %2 = packed.plane_dense "fc" %1, <tensor<2x1x2xui32>, [1, 2, 3, 4]>
    {accumulator = si32, weight_type = !bnn.bipolar, popcount = "table"}
    : !packed.bits<1x40xui8, 32> -> !packed.array<2xsi9>
  %3 = packed.argmax "best" %2 {slot = #packed.slot<"u8", 0>}
    : !packed.array<2xsi9> -> !packed.array<1xui1>
  %4 = packed.float_chain "scale" %3 ["mul", "relu"] of [#bnn.dense<tensor<1xf32>, [0.5]>, unit]
    {slot = #packed.result<1>} : !packed.array<1xui1> -> !packed.array<1xf32>
  %5 = packed.output %2 : !packed.array<2xsi9> -> tensor<2xsi9>
  %6 = packed.output %4 : !packed.array<1xf32> -> tensor<f32>
  func.return %5, %6 : tensor<2xsi9>, tensor<f32>
}
"""


def test_text_parses_back_to_the_same_ir() -> None:
    module = irc.parse(LAYERS)
    module.verify()
    again = irc.parse(irc.print_ir(module))
    assert again.is_structurally_equivalent(module)


@given(
    bits=st.lists(st.booleans(), min_size=1, max_size=200), word=st.sampled_from(list(WORD_WIDTHS))
)
def test_bit_i_is_bit_i_mod_w_of_word_i_div_w(bits: list[bool], word: int) -> None:
    words = pack_words(np.array(bits), word).tolist()
    assert len(words) == BitsType.of(1, len(bits), bipolar, word).words
    for index in range(len(words) * word):
        expected = bits[index] if index < len(bits) else False
        assert words[index // word] >> (index % word) & 1 == expected
    assert unpack_words(pack_words(np.array(bits), word), len(bits)).tolist() == bits


@given(data=st.data(), width=st.integers(1, 12), signed=st.booleans())
def test_planes_sum_to_the_value(data: st.DataObject, width: int, signed: bool) -> None:
    kind = sint(width) if signed else uint(width)
    values = data.draw(st.lists(st.integers(*element_range(kind)), min_size=1, max_size=40))
    planes = unpack_words(to_planes(np.array(values), kind, 16), len(values))
    counts = np.array(plane_weights(kind))
    assert np.array_equal(counts @ planes.astype(int), values)


def test_arrays_use_the_narrowest_c_type() -> None:
    types = [uint(1), uint(8), uint(9), sint(8), sint(9), sint(33), bipolar]
    assert [region_name(kind) for kind in types] == ["u8", "u8", "u16", "i8", "i16", "i64", "i8"]
    assert numpy_dtype(sint(11)) == np.int16


def test_a_type_says_how_much_room_it_takes() -> None:
    assert BitsType.of(3, 33, sint(2), 32).length == 3 * 2 * 2
    assert ArrayType.of(5, sint(11)).region == "i16"


BITS = "!packed.bits<1x40x!bnn.bipolar, 32>"


def dense(weights: str, more: str = "", result: str = "!packed.array<2xsi9>") -> str:
    """A function with one XNOR kernel."""
    return f"""
        func.func @net(%x: {BITS}) {{
          %0 = packed.xnor_dense "fc" %x, {weights} {more} : {BITS} -> {result}
          func.return
        }}"""


WEIGHTS = "<tensor<2x2xui32>, [1, 2, 3, 4]>"
CHOICES = 'accumulator = si16, popcount = "swar"'
LIMITS = "#bnn.dense<tensor<2xui2>, [1, 2]>"
SIGNS = "!packed.bits<1x2x!bnn.bipolar, 32>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            dense("<tensor<2x2xui32>, [1, 256, 3, 4]>", f"{{{CHOICES}}}"),
            "the last 24 bits of a row of weights are not zero",
        ),
        (
            dense("<tensor<2x1xui32>, [1, 2]>", f"{{{CHOICES}}}"),
            "weights must be tensor<Mx2xui32>, not tensor<2x1xui32>",
        ),
        (
            dense(WEIGHTS, '{accumulator = si16, popcount = "fast"}'),
            "unknown popcount 'fast'; known are swar, table, builtin",
        ),
        (
            dense(WEIGHTS, '{accumulator = si8, popcount = "swar"}'),
            "accumulators are si16, si32 or si64, not si8",
        ),
        (
            dense(WEIGHTS, f"{{{CHOICES}}}", "!packed.array<3xsi9>"),
            "!packed.array<3xsi9> does not hold 1 rows of 2 results",
        ),
        (
            dense(WEIGHTS, f"{{{CHOICES}}}", "!packed.bits<1x2xsi9, 32>"),
            "sums without thresholds are stored in an array",
        ),
        (
            dense(
                WEIGHTS,
                f"at <tensor<2x1xsi2>, [0, 1]> bias 0 {{{CHOICES}}}",
                "!packed.array<2xf32>",
            ),
            "codes are bipolar or integers, not f32",
        ),
        (
            dense(WEIGHTS, f'{{{CHOICES}, slot = #packed.slot<"u32", 0>}}'),
            "!packed.array<2xsi9> lies in region i16, not in u32",
        ),
        (
            dense(WEIGHTS, f'{{{CHOICES}, kernel = "tree"}}'),
            "straight code has a kernel and a block of words",
        ),
        (
            dense(WEIGHTS, f'{{{CHOICES}, kernel = "fast", block = 2 : i64}}'),
            "unknown kernel 'fast'; known: tree, unrolled",
        ),
        (
            dense(WEIGHTS, f'{{{CHOICES}, kernel = "tree", block = 3 : i64}}'),
            "blocks of 3 words do not fit rows of 2",
        ),
        (
            dense("<tensor<2x2xui32>, [256, 0, 3, 4]>", f"{{{CHOICES}, pairs}}"),
            "the last 24 bits of a row of weights are not zero",
        ),
        (
            dense(WEIGHTS, f"{{{CHOICES}, limits = {LIMITS}}}"),
            "limits give single bits, not !packed.array<2xsi9>",
        ),
        (
            dense(WEIGHTS, f"{{{CHOICES}, limits = {LIMITS}, offsets = {LIMITS}}}", SIGNS),
            "limits replace thresholds and offsets",
        ),
        (
            dense(
                WEIGHTS,
                f"{{{CHOICES}, limits = #bnn.dense<tensor<3xui2>, [1, 2, 3]>}}",
                SIGNS,
            ),
            "limits must be [2], not tensor<3xui2>",
        ),
        (
            dense(WEIGHTS, f"{{{CHOICES}, limits = #bnn.dense<tensor<2xsi2>, [1, -1]>}}", SIGNS),
            "limits count from 0, not tensor<2xsi2>",
        ),
    ],
)
def test_verification_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(VerifyException) as error:
        irc.parse(text)
    assert message in str(error.value)


def test_bad_types_are_refused_where_they_stand() -> None:
    with pytest.raises(ParseError, match="words have 8, 16, 32 or 64 bits, not 12"):
        irc.parse("func.func private @f(!packed.bits<1x40x!bnn.bipolar, 12>)")
    with pytest.raises(ParseError, match="expected <SIZExTYPE>"):
        irc.parse("func.func private @f(!packed.array<1x40xui8>)")


def test_places_are_in_the_tables_of_their_groups() -> None:
    def net(places: str) -> str:
        weights = f"#bnn.dense<tensor<1x2xui8>, [{places}]>".removeprefix("#bnn.dense")
        return f"""
            func.func @net(%x: !packed.array<5xui8>) {{
              %0 = packed.sign_dense "fc" %x, {weights}
                {{accumulator = si16, size = 5 : i64, lookup = 4 : i64}}
                : !packed.array<5xui8> -> !packed.array<1xsi12>
              func.return
            }}"""

    irc.parse(net("7, 11"))
    with pytest.raises(VerifyException, match="places are not in the table of their group"):
        irc.parse(net("7, 12"))


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ('lookup = 4 : i64, scratch = #packed.slot<"i32", 0>', "lies in region i16, not in i32"),
        ('scratch = #packed.slot<"i16", 0>', "the kernel needs no scratch"),
    ],
)
def test_scratch_is_for_tables(chosen: str, problem: str) -> None:
    weights = "1x2xui8>, [7, 11]" if "lookup" in chosen else "1x1xui32>, [7]"
    with pytest.raises(VerifyException, match=problem):
        irc.parse(f"""
            func.func @net(%x: !packed.array<5xui8>) {{
              %0 = packed.sign_dense "fc" %x, <tensor<{weights}>
                {{accumulator = si16, size = 5 : i64, {chosen}}}
                : !packed.array<5xui8> -> !packed.array<1xsi12>
              func.return
            }}""")


@given(st.integers(1, 9), st.integers(1, 3))
def test_rows_lie_side_by_side(rows: int, words: int) -> None:
    row_words = np.arange(1, rows * words + 1, dtype=np.uint32).reshape(rows, words)
    lanes = interleave_rows(row_words)
    assert lanes.shape == (-(-rows // LANES), words, LANES)
    np.testing.assert_array_equal(lanes[0, words - 1, : min(rows, LANES)], row_words[:LANES, -1])
    np.testing.assert_array_equal(separate_rows(lanes, rows), row_words)


def test_lanes_hold_groups_of_rows() -> None:
    def net(lanes: int, kernel: str = "tree") -> str:
        return f"""
            func.func @net(%x: !packed.bits<1x40x!bnn.bipolar, 32>) {{
              %0 = packed.xnor_dense "fc" %x, <tensor<1x2x4xui32>, [1, 2, 3, 4, 5, 6, 7, 0]>
                {{accumulator = si16, popcount = "swar", kernel = "{kernel}", block = 2 : i64,
                  lanes = {lanes} : i64}}
                : !packed.bits<1x40x!bnn.bipolar, 32> -> !packed.array<{lanes}xsi12>
              func.return
            }}"""

    irc.parse(net(3))
    with pytest.raises(VerifyException, match="5 rows in lanes are tensor<2x…x4>"):
        irc.parse(net(5))
    with pytest.raises(VerifyException, match="lanes are for trees"):
        irc.parse(net(3, "unrolled"))


def test_ternary_products_are_of_minus_one_to_one() -> None:
    def net(words: str, activations: str = "si2") -> str:
        return f"""
            func.func @net(%x: !packed.bits<1x3x{activations}, 32>) {{
              %0 = packed.plane_dense "fc" %x, <tensor<1x2x1xui32>, [{words}]>
                {{accumulator = si16, weight_type = si2, popcount = "swar", ternary}}
                : !packed.bits<1x3x{activations}, 32> -> !packed.array<1xsi12>
              func.return
            }}"""

    irc.parse(net("7, 2"))
    with pytest.raises(VerifyException, match="weights are not bipolar, nor all of −1, 0 and 1"):
        irc.parse(net("5, 2"))
    with pytest.raises(VerifyException, match="ternary activations have 2 signed bits"):
        irc.parse(net("7, 2", "ui2"))
