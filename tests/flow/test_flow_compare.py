"""What counts as agreement, and what is told of the first difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irc.errors import IrcError
from irc.flow.compare import FLOAT_TOLERANCE_ULPS, compare

shapes = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def whole(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).integers(-100, 100, shape)


@given(shapes, seeds)
def test_equal_results_agree_whatever_their_type_and_shape(shape: tuple[int, ...], seed: int):
    expected = whole(shape, seed)
    for ours in (expected.astype(np.float32), expected.reshape(len(expected), -1)):
        agreement = compare("c", [ours], [expected])
        assert agreement.first is None
        assert agreement.images == agreement.equal == agreement.same_class == shape[0]
        assert agreement.largest == 0


@given(shapes, seeds, st.data())
def test_the_first_difference_is_the_one_that_was_made(
    shape: tuple[int, ...], seed: int, data: st.DataObject
):
    expected = whole(shape, seed)
    places = data.draw(
        st.sets(st.tuples(*(st.integers(0, size - 1) for size in shape)), min_size=1)
    )
    ours = expected.copy()
    for place in places:
        ours[place] += 3
    agreement = compare("c", [ours], [expected])
    first = min(places)
    assert agreement.first is not None
    assert (agreement.first.image, agreement.first.index) == (first[0], first[1:])
    assert agreement.first.value == agreement.first.expected + 3 == ours[first]
    assert agreement.equal == shape[0] - len({place[0] for place in places})
    assert agreement.largest == 3


@given(seeds)
def test_whole_numbers_must_be_equal_even_as_floats(seed: int):
    expected = whole((4, 3), seed).astype(np.float32)
    ours = np.nextafter(expected, np.float32(np.inf))
    assert compare("c", [ours], [expected]).equal == 0


@given(seeds, st.integers(0, 40))
def test_floats_agree_within_units_of_the_largest_of_their_frame(seed: int, ulps: int):
    random = np.random.default_rng(seed)
    expected = random.standard_normal((1, 6)).astype(np.float32)
    largest = np.abs(expected).max()
    ours = expected.astype(np.float64)
    ours[0, 2] += ulps * np.spacing(largest).astype(np.float64)
    agrees = compare("c", [ours], [expected]).first is None
    assert agrees is (ulps <= FLOAT_TOLERANCE_ULPS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_agrees_with_nothing(value: float):
    good = np.array([[0.5, 0.25]])
    bad = np.array([[0.5, value]])
    assert compare("c", [bad], [good]).equal == 0
    assert compare("c", [good], [bad]).equal == 0


def test_fewer_frames_are_compared_with_the_first():
    expected = whole((9, 4), 1)
    agreement = compare("rtl", [expected[:3]], [expected])
    assert (agreement.images, agreement.equal) == (3, 3)


def test_the_earliest_image_of_all_outputs_is_named():
    first, second = whole((5, 2), 1), whole((5, 3), 2)
    ours = [first.copy(), second.copy()]
    ours[0][4, 0] += 1
    ours[1][2, 1] += 1
    difference = compare("c", ours, [first, second]).first
    assert difference is not None
    assert (difference.output, difference.image, difference.index) == (1, 2, (1,))
    expected = second[2, 1]
    assert str(difference) == (
        f"level c: image 2: output 1 [1] is {expected + 1}, the reference says {expected}"
    )


def test_other_outputs_than_the_reference_has():
    with pytest.raises(IrcError, match="level c: 1 outputs; the reference has 2"):
        compare("c", [whole((5, 2), 1)], [whole((5, 2), 1)] * 2)
    with pytest.raises(IrcError, match="level c: 2 results an image; the reference has 3"):
        compare("c", [whole((5, 2), 1)], [whole((5, 3), 1)])


def test_scalar_outputs():
    expected = np.arange(4)
    difference = compare("c", [expected + (expected == 2)], [expected]).first
    assert difference is not None
    assert str(difference) == "level c: image 2: result [0] is 3, the reference says 2"
