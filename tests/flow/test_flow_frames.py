"""Test data in the layouts that people have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import f32

from irc.dialects.bnn import bipolar, sint, uint
from irc.dialects.dense import element_range
from irc.errors import IrcError
from irc.flow.frames import Data, as_element_type, shape_frames


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return shape_frames(Data("x.npz", x, None), shape, "the input of net.onnx")


def numbered(*shape: int) -> Any:
    """Every element another number."""
    return np.arange(int(np.prod(shape))).reshape(shape)


def test_the_same_shape_is_no_copy():
    x = numbered(2, 3, 4)
    assert shaped(x, (3, 4)) is x


@pytest.mark.parametrize("given", [(28, 28), (28, 28, 1), (1, 28, 28), (784, 1), (1, 784)])
def test_grey_images_are_flattened(given: tuple[int, ...]):
    x = numbered(3, *given)
    assert np.array_equal(shaped(x, (784,)), x.reshape(3, 784))


@pytest.mark.parametrize("given", [(784,), (28, 28), (28, 28, 1)])
def test_flat_images_get_their_shape(given: tuple[int, ...]):
    x = numbered(3, *given)
    assert np.array_equal(shaped(x, (1, 28, 28)), x.reshape(3, 1, 28, 28))


def test_channels_last_become_channels_first():
    x = numbered(2, 4, 5, 3)
    assert np.array_equal(shaped(x, (3, 4, 5)), np.moveaxis(x, -1, 1))


def test_what_the_order_of_is_unknown_is_refused():
    """As many values, but in no order that anybody could know."""
    with pytest.raises(IrcError, match=r"x.npz: 'x' of shape \[2, 4, 6\] does not fit the input"):
        shaped(numbered(2, 4, 6), (3, 8))


TYPES = [bipolar, *(make(width) for make in (uint, sint) for width in (1, 2, 3, 8, 16))]


@given(st.sampled_from(TYPES), st.integers(-70_000, 70_000))
def test_values_are_taken_where_the_type_has_them(element_type: Any, value: int):
    low, high = element_range(element_type)
    for x in (np.array([[value]]), np.array([[float(value)]])):
        if element_type == bipolar and value == 0:
            continue
        if low <= value <= high:
            assert as_element_type(x, element_type, "x.npz").tolist() == [[value]]
        else:
            with pytest.raises(IrcError, match=r"x.npz: 'x' ranges from"):
                as_element_type(x, element_type, "x.npz")


def test_floats_are_rounded_to_single_precision_and_never_to_integers():
    x = np.array([[0.1, 2.0]])
    assert as_element_type(x, f32, "x").dtype == np.float32
    with pytest.raises(IrcError, match="holds fractions, but the input is declared ui8"):
        as_element_type(x, uint(8), "x")


def test_bipolar_inputs_have_no_zero():
    """−1 and 1 are what there is; a 0 means that the data count from 0 to 1."""
    with pytest.raises(IrcError, match="'x' holds 0, but the input is declared bipolar"):
        as_element_type(np.array([[0, 1]]), bipolar, "x.npz")
