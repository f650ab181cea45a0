"""Packed constants hold exactly what was put in, for every element type, as bytes and as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.context import Context
from xdsl.dialects.builtin import TensorType, f32, f64, i64
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError, VerifyException

from irc.dialects import bnn, dense
from irc.dialects.dense import DenseAttr, PackedBytes, bipolar, sint, smallest_int, uint

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)


@st.composite
def constants(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], Attribute]:
    """An array and an element type that has all its values."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(("bipolar", "u", "s", "f")))
    if kind == "bipolar":
        return draw(hnp.arrays(np.int8, shape, elements=st.sampled_from((1, -1)))), bipolar
    if kind == "f":
        return draw(hnp.arrays(np.float32, shape)), f32
    width = draw(st.integers(1, 64))
    element_type = uint(width) if kind == "u" else sint(width)
    low, high = dense.element_range(element_type)
    elements = st.integers(low, high) | st.sampled_from((low, high))
    dtype = np.uint64 if kind == "u" else np.int64
    return draw(hnp.arrays(dtype, shape, elements=elements)), element_type


def reparsed(attribute: DenseAttr) -> Attribute:
    context = Context()
    context.load_dialect(bnn.Bnn)
    return Parser(context, str(attribute)).parse_attribute()


@given(constants())
def test_a_constant_holds_what_was_put_in(case: tuple[np.ndarray[Any, Any], Attribute]) -> None:
    values, element_type = case
    attribute = DenseAttr.from_numpy(values, element_type)
    attribute.verify()
    assert attribute.shape == values.shape
    np.testing.assert_array_equal(attribute.numpy(), values)
    bits = dense.element_width(element_type) * values.size
    assert len(attribute.data.data) == -(-bits // 8)


@given(constants())
def test_text_gives_the_same_constant(case: tuple[np.ndarray[Any, Any], Attribute]) -> None:
    attribute = DenseAttr.from_numpy(*case)
    assert reparsed(attribute) == attribute


@given(st.integers(1, 64), st.integers(0, 70), st.booleans(), st.randoms(use_true_random=False))
def test_blocks_make_no_difference(width: int, count: int, signed: bool, random: Any) -> None:
    element_type = sint(width) if signed else uint(width)
    low, high = dense.element_range(element_type)
    values = np.array([random.randint(low, high) for _ in range(count)], object)
    whole = DenseAttr.from_numpy(values, element_type)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "ELEMENTS_AT_ONCE", 16)
        assert DenseAttr.from_numpy(values, element_type) == whole
        assert whole.numpy().tolist() == values.tolist()


def test_layout_is_least_significant_bit_first() -> None:
    assert DenseAttr.from_numpy([1, -1, -1, 1, 1, -1, -1, -1, 1], bipolar).data.data == b"\x19\x01"
    assert DenseAttr.from_numpy([1, -1, 3], sint(3)).data.data == bytes([0b11111001, 0])
    assert DenseAttr.from_numpy([0x123], uint(16)).data.data == b"\x23\x01"


def test_constants_cannot_be_changed_in_place() -> None:
    array = DenseAttr.from_numpy(np.arange(40), uint(7)).numpy()
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize(
    ("values", "element_type", "message"),
    [
        ([0], bipolar, "bipolar values must be −1 or \\+1"),
        ([1, -1, 2], bipolar, "bipolar values must be −1 or \\+1"),
        ([float("nan")], bipolar, "bipolar values must be −1 or \\+1"),
        ([8], sint(4), "values from 8 to 8 do not fit si4 \\(-8 to 7\\)"),
        ([-1], uint(64), "do not fit ui64"),
        ([2**64], uint(64), "do not fit ui64"),
        ([0.5], sint(4), "si4 holds integers only"),
        ([float("inf")], sint(4), "si4 holds integers only"),
        ([1e39], f32, "values do not fit f32"),
        ([1], f64, "f64 cannot be packed"),
        ([1], sint(65), "cannot be packed"),
    ],
)
def test_values_that_a_type_lacks_are_refused(
    values: list[float], element_type: Attribute, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        DenseAttr.from_numpy(np.array(values), element_type)


@pytest.mark.parametrize(
    ("shape", "element_type", "data", "message"),
    [
        ((9,), bipolar, b"\0", "takes 2 bytes, but 1 are given"),
        ((9,), bipolar, b"\0\2", "the last 7 bits of tensor<9x!bnn.bipolar> must be 0"),
        ((1,), sint(4), b"\x10", "the last 4 bits"),
        ((-1,), sint(8), b"\0", "static shape"),
        ((1,), f64, b"\0" * 8, "cannot be packed"),
    ],
)
def test_a_malformed_constant_is_no_attribute(
    shape: tuple[int, ...], element_type: Attribute, data: bytes, message: str
) -> None:
    with pytest.raises(VerifyException, match=message):
        DenseAttr(TensorType(element_type, shape), PackedBytes(data))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#bnn.dense<tensor<2xsi4>, [1, 2, 3]>", "has 2 elements, 3 given"),
        ("#bnn.dense<tensor<1xsi4>, [9]>", "do not fit si4"),
        ('#bnn.dense<tensor<1xsi8>, "12">', 'expected "0x" and two hexadecimal digits a byte'),
        ('#bnn.dense<tensor<1xsi8>, "0x123">', "two hexadecimal digits"),
        ("#bnn.dense<i64, [1]>", "expected a tensor type"),
    ],
)
def test_malformed_text_is_a_parse_error(text: str, message: str) -> None:
    context = Context()
    context.load_dialect(bnn.Bnn)
    with pytest.raises((ParseError, VerifyException), match=message):
        Parser(context, text).parse_attribute()


@given(st.integers(-(2**62), 2**62), st.integers(0, 2**62))
def test_smallest_int_is_just_wide_enough(low: int, extent: int) -> None:
    chosen = smallest_int(low, low + extent)
    least, most = dense.element_range(chosen)
    assert least <= low
    assert low + extent <= most
    if (width := chosen.width.data) > 1:
        narrower = uint(width - 1) if low >= 0 else sint(width - 1)
        least, most = dense.element_range(narrower)
        assert low < least or low + extent > most


def test_signless_integers_are_no_surprise() -> None:
    assert dense.element_range(i64) == (0, 2**64 - 1)
