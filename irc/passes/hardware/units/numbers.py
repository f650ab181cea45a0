"""Integer signals whose range is known, so that sums are exactly as wide as they must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.dialects.dense import smallest_int
from irc.passes.hardware.hw_builder import HwBuilder


def bits_for(low: int, high: int) -> int:
    """Bits that hold every integer from `low` to `high`: unsigned if none is negative."""
    return smallest_int(low, high).width.data


@dataclass(frozen=True)
class Number:
    """A signal that holds an integer from `low` to `high`: two's complement if `low` is negative,
    unsigned otherwise."""

    value: SSAValue
    low: int
    high: int

    @property
    def signed(self) -> bool:
        """Whether the top bit of the signal is a sign."""
        return self.low < 0


def fit(b: HwBuilder, number: Number, width: int) -> SSAValue:
    """The number modulo 2^width, as a signal of `width` bits."""
    have = b.width(number.value)
    if width <= have:
        return b.trunc(number.value, width)
    return b.sext(number.value, width) if number.signed else b.zext(number.value, width)


def scaled(b: HwBuilder, number: Number, factor: int) -> Number:
    """`factor · number`, where `factor` is plus or minus a power of two."""
    shift = abs(factor).bit_length() - 1
    assert abs(factor) == 1 << shift
    ends = sorted((number.low * factor, number.high * factor))
    value = number.value
    if shift:
        value = b.concat(value, b.const(0, shift))
    if factor > 0:
        return Number(value, ends[0], ends[1])
    low, high = number.low << shift, number.high << shift
    width = bits_for(min(ends[0], low), max(ends[1], high))
    value = b.sub(0, fit(b, Number(value, low, high), width))
    return Number(b.trunc(value, bits_for(*ends)), ends[0], ends[1])


def total(b: HwBuilder, terms: Sequence[Number]) -> Number:
    """The sum of the terms, of which there is at least one."""
    low, high = sum(term.low for term in terms), sum(term.high for term in terms)
    width = bits_for(low, high)
    return Number(b.add(*(fit(b, term, width) for term in terms)), low, high)


def popcount(b: HwBuilder, bits: SSAValue) -> Number:
    """How many of the bits are 1."""
    count = bits if b.width(bits) == 1 else b.popcount(bits)
    return Number(count, 0, b.width(bits))


def times(b: HwBuilder, number: Number, factor: int) -> Number:
    """`factor · number` from shifted copies, as few as the non-adjacent form of the factor has
    digits: `7·x = 8·x − x`."""
    low, high = sorted((number.low * factor, number.high * factor))
    width = bits_for(low, high)
    added: list[SSAValue] = [b.const(0, width)]
    subtracted: list[SSAValue] = []
    for shift, digit in enumerate(_non_adjacent_form(factor)):
        if digit:
            copy = fit(b, scaled(b, number, 1 << shift), width)
            (added if digit > 0 else subtracted).append(copy)
    value = b.add(*added)
    for copy in subtracted:
        value = b.sub(value, copy)
    return Number(value, low, high)


def _non_adjacent_form(number: int) -> list[int]:
    """Digits −1, 0 and 1 for ascending powers of two, no two neighbours of which are not 0."""
    digits: list[int] = []
    while number:
        digit = 2 - number % 4 if number % 2 else 0
        digits.append(digit)
        number = (number - digit) // 2
    return digits
