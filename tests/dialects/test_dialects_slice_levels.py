"""The nested counters of a slice say of every element and beat whether it is kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from irc.dialects.slice_levels import kept_items, levels_in_beats, slice_levels

Cut = tuple[int, int, int, int]


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Extent, offset, size and stride along one axis."""
    extent = draw(st.integers(1, 8))
    offset = draw(st.integers(0, extent - 1))
    stride = draw(st.integers(1, 3))
    return extent, offset, draw(st.integers(1, (extent - offset - 1) // stride + 1)), stride


@given(st.lists(cuts(), min_size=1, max_size=4))
def test_levels_keep_what_the_slice_keeps(axes: list[Cut]) -> None:
    shape, offsets, sizes, strides = zip(*axes, strict=True)
    mask = np.zeros(shape, np.bool_)
    ranges = zip(offsets, sizes, strides, strict=True)
    mask[np.ix_(*(range(o, o + (n - 1) * s + 1, s) for o, n, s in ranges))] = True
    levels = slice_levels(shape, offsets, sizes, strides)
    kept = kept_items(levels)
    assert mask.size % len(kept) == 0
    assert np.tile(kept, mask.size // len(kept)).tolist() == mask.ravel().tolist()
    for lanes in range(2, shape[-1] * 2 + 1):
        beats = levels_in_beats(levels, lanes)
        if beats is not None:
            assert np.repeat(kept_items(beats), lanes).tolist() == kept


def test_axes_that_are_kept_as_a_whole_take_no_counter() -> None:
    def levels(*axes: Cut) -> list[Cut]:
        found = slice_levels(*zip(*axes, strict=True))
        return [(level.count, level.first, level.size, level.stride) for level in found]

    whole = (4, 0, 4, 1)
    assert levels(whole, whole, (6, 2, 3, 1)) == [(6, 2, 3, 1)]
    assert levels(whole, (6, 2, 3, 1), whole) == [(24, 8, 12, 1)]
    assert levels((6, 0, 3, 2), whole, whole) == [(6, 0, 3, 2), (16, 0, 16, 1)]
    assert levels((5, 3, 1, 1), (6, 1, 3, 2)) == [(30, 19, 3, 2)]
