"""Layered layout: nothing overlaps, edges go down, chains are straight, few edges cross."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irc.backends.explore.layout import GAP_DOWN, Layout, layered

SIZE = (100.0, 40.0)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Sizes and edges of a random graph, of which each edge leads forward."""
    count = draw(st.integers(1, 20))
    width = st.floats(20, 200)
    height = st.sampled_from([24.0, 46.0])
    sizes = draw(st.lists(st.tuples(width, height), min_size=count, max_size=count))
    pairs = list(combinations(range(count), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    return sizes, edges


def boxes(
    layout: Layout, sizes: list[tuple[float, float]]
) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each node."""
    return [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (x, y), (w, h) in zip(layout.places, sizes, strict=True)
    ]


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_nodes_do_not_overlap_and_all_is_within(
    graph: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    sizes, edges = graph
    layout = layered(sizes, edges)
    found = boxes(layout, sizes)
    for (l1, t1, r1, b1), (l2, t2, r2, b2) in combinations(found, 2):
        assert r1 <= l2 or r2 <= l1 or b1 <= t2 or b2 <= t1
    for left, top, right, bottom in found:
        assert left >= -0.2
        assert top >= -0.2
        assert right <= layout.width + 0.2
        assert bottom <= layout.height + 0.2


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_edges_go_down_from_source_to_target(
    graph: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    sizes, edges = graph
    layout = layered(sizes, edges)
    found = boxes(layout, sizes)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        assert [y for _, y in route] == sorted({y for _, y in route})
        assert route[0] == pytest.approx((layout.places[source][0], found[source][3]), abs=0.2)
        assert route[-1] == pytest.approx((layout.places[target][0], found[target][1]), abs=0.2)


def test_a_chain_is_straight() -> None:
    layout = layered([SIZE, (60.0, 24.0), SIZE], [(0, 1), (1, 2)])
    assert len({x for x, _ in layout.places}) == 1
    assert layout.height == 40 + 24 + 40 + 2 * GAP_DOWN


def test_branches_do_not_cross() -> None:
    """Two chains that would cross in the order of their nodes."""
    layout = layered([SIZE] * 4, [(0, 3), (1, 2)])
    places = layout.places
    assert (places[0][0] < places[1][0]) == (places[3][0] < places[2][0])


def test_what_feeds_one_node_stands_beside_the_trunk() -> None:
    """0 → 1 → 2 → 3, and 4 → 5 feed 3 too late to be numbered first."""
    layout = layered([SIZE] * 6, [(0, 1), (1, 2), (3, 4), (2, 5), (4, 5)])
    assert layout.places[4][1] == layout.places[2][1]
    assert layout.places[3][1] == layout.places[1][1]


def test_no_nodes_are_no_layout() -> None:
    assert layered([], []) == Layout([], [], 0.0, 0.0)


def test_a_large_network_is_laid_out() -> None:
    """A thousand layers with a shortcut around every second."""
    count = 1000
    edges = [(i, i + 1) for i in range(count - 1)] + [(i, i + 2) for i in range(0, count - 2, 2)]
    layout = layered([SIZE] * count, edges)
    assert layout.height == count * 40 + (count - 1) * GAP_DOWN
