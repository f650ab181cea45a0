"""Plans for adding up bits: what they leave is the sum, or decides the comparison."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from irc.dialects.bit_heap import LUT_INPUTS, HeapPlan, addition_plan, comparison_plan


def played(plan: HeapPlan, exponents: list[int], bits: list[int], threshold: int = 0) -> int:
    """What a plan leaves of some bits, counted from its lowest exponent."""
    values = dict(enumerate(bits))
    for counter in plan.counters:
        at_column = -(-threshold >> counter.column)
        total = -at_column % (1 << counter.dropped)
        for number, exponent in zip(counter.inputs, counter.exponents, strict=True):
            total += values.pop(number) << exponent
        total >>= counter.dropped
        assert total < 1 << len(counter.outputs)
        values.update((n, total >> place & 1) for place, n in enumerate(counter.outputs))
    assert set(values) == {number for number, _ in plan.left}
    return sum(values[number] << exponent for number, exponent in plan.left)


HEAPS = [[0], [0, 0], [1, 1, 2], [0] * 7, [0, 0, 0, 1, 1, 3], [0] * 6 + [1] * 5, [2] * 9]


@pytest.mark.parametrize("exponents", HEAPS)
def test_an_addition_keeps_the_sum_in_two_numbers(exponents: list[int]) -> None:
    plan = addition_plan(tuple((exponent, 0) for exponent in exponents))
    columns = [exponent for _, exponent in plan.left]
    assert all(columns.count(exponent) <= 2 for exponent in columns)
    for bits in itertools.product((0, 1), repeat=len(exponents)):
        expected = sum(bit << exponent for bit, exponent in zip(bits, exponents, strict=True))
        assert played(plan, exponents, list(bits)) == expected


@pytest.mark.parametrize("exponents", HEAPS)
def test_a_comparison_is_decided_by_what_one_table_takes(exponents: list[int]) -> None:
    plan = comparison_plan(tuple((exponent, 0) for exponent in exponents))
    assert len(plan.left) <= LUT_INPUTS
    lowest = min(exponent for _, exponent in plan.left)
    for bits in itertools.product((0, 1), repeat=len(exponents)):
        total = sum(bit << exponent for bit, exponent in zip(bits, exponents, strict=True))
        for threshold in range(-2, sum(1 << exponent for exponent in exponents) + 2):
            left = played(plan, exponents, list(bits), threshold) >> lowest
            assert (left >= -(-threshold >> lowest)) == (total >= threshold)


def test_large_heaps_compare_like_sums() -> None:
    rng = np.random.default_rng(3)
    for columns in (64, 128, 784):
        exponents = [0] * (columns // 6) + [1] * (columns // 6) + [0, 1, 2]
        plan = comparison_plan(tuple((exponent, exponent % 2) for exponent in exponents))
        lowest = min(exponent for _, exponent in plan.left)
        for _ in range(50):
            bits = rng.integers(0, 2, len(exponents)).tolist()
            total = sum(bit << exponent for bit, exponent in zip(bits, exponents, strict=True))
            for threshold in (total - 1, total, total + 1):
                left = played(plan, exponents, bits, threshold) >> lowest
                assert (left >= -(-threshold >> lowest)) == (total >= threshold)


def test_no_counter_reads_a_bit_before_its_level() -> None:
    bits = tuple((exponent, level) for exponent in range(3) for level in (0, 0, 1, 2, 5) * 3)
    for plan in (comparison_plan(bits), addition_plan(bits)):
        levels = {number: level for number, (_, level) in enumerate(bits)}
        for counter in plan.counters:
            assert counter.level == 1 + max(levels[number] for number in counter.inputs)
            levels.update((number, counter.level) for number in counter.outputs)
        assert plan.level == max(levels[number] for number, _ in plan.left)


def test_sixty_four_columns_take_seventeen_tables_a_row() -> None:
    """Eleven numbers of two bits and one of three: four 6:3 counters, five tables below them."""
    heap = [(0, 0)] * 11 + [(1, 0)] * 11 + [(0, 0), (1, 0), (2, 0)]
    assert comparison_plan(tuple(heap)).luts + 1 == 17
