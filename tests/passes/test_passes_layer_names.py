"""Names of units are unique, and thousands of equal ones take no time."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from irc.passes.layer_names import UniqueNames


def test_the_second_of_a_name_gets_a_number() -> None:
    names = UniqueNames()
    wanted = ["fc", "fc", "fc_2", "fc", "fc_2"]
    assert [names.unique(name) for name in wanted] == ["fc", "fc_2", "fc_2_2", "fc_3", "fc_2_3"]


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "a_2_2", "b"]), max_size=30))
def test_names_are_unique_and_the_first_of_each_is_as_wanted(wanted: list[str]) -> None:
    names = UniqueNames()
    given_names = [names.unique(name) for name in wanted]
    assert len(set(given_names)) == len(wanted)
    assert all(got.startswith(name) for got, name in zip(given_names, wanted, strict=True))
    assert given_names[:1] == wanted[:1]


def test_many_equal_names_take_no_quadratic_time() -> None:
    names = UniqueNames()
    started = time.process_time()
    last = [names.unique("fifo") for _ in range(50_000)][-1]
    assert last == "fifo_50000"
    assert time.process_time() - started < 5
