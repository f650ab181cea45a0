"""Sums of a few bits and comparisons with constants as plain gates, each small enough for one
look-up table: written as additions, synthesisers would make carry chains of them. And what is known
of bits that come in order, such as those of ascending thresholds, which takes no addition at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.hw_core import constant_of


def bit_sum(
    b: HwBuilder, bits: Iterable[tuple[SSAValue, int]], constant: int = 0
) -> list[SSAValue]:
    """`Σ 2^exponent · bit + constant`, of pairs of bit, exponent; least significant bit first."""
    columns: dict[int, list[SSAValue]] = {}
    for bit, exponent in bits:
        columns.setdefault(exponent, []).append(bit)
    result: list[SSAValue] = []
    place = 0
    while columns or constant >> place:
        column = columns.pop(place, [])
        if constant >> place & 1:
            column.append(b.const(1, 1))
        column = [bit for bit in column if constant_of(bit) != 0]
        while len(column) > 1:
            taken, column = column[:3], column[3:]
            total, carry = _added(b, taken)
            column.append(total)
            columns.setdefault(place + 1, []).append(carry)
        result.append(column[0] if column else b.const(0, 1))
        place += 1
    return result


def _added(b: HwBuilder, bits: Sequence[SSAValue]) -> tuple[SSAValue, SSAValue]:
    """The sum bit and the carry of two or three bits."""
    ones = [bit for bit in bits if constant_of(bit) == 1]
    rest = [bit for bit in bits if constant_of(bit) != 1]
    if len(bits) == 2:
        return b.xor(*bits), b.and_(*bits)
    if len(ones) == 1:
        return b.xnor(*rest), b.or_(*rest)
    x, y, z = bits
    either = b.xor(x, y)
    return b.xor(either, z), b.or_(b.and_(x, y), b.and_(either, z))


def at_least(b: HwBuilder, number: Sequence[SSAValue], threshold: int) -> SSAValue:
    """Whether an unsigned number, least significant bit first, is at least a constant."""
    if threshold <= 0 or threshold >> len(number):
        return b.const(int(threshold <= 0), 1)
    reached = b.const(1, 1)
    for place, bit in enumerate(number):
        reached = b.and_(bit, reached) if threshold >> place & 1 else b.or_(bit, reached)
    return reached


def count_ordered(b: HwBuilder, bits: Sequence[SSAValue]) -> SSAValue:
    """How many of the bits are 1, where none is unless all before it are, in ceil(log2(T + 1))
    bits for T of them.

    The bit in the middle is the top digit, and says which half the other digits are found in: a
    multiplexer for every bit, a level for every digit, where adders would take two tables for
    every bit and several levels for every digit.
    """
    digits: list[SSAValue] = []
    left = list(bits)
    for place in reversed(range(len(bits).bit_length())):
        middle = (1 << place) - 1
        if middle >= len(left):
            digits.append(b.const(0, 1))
            continue
        top, below, above = left[middle], left[:middle], left[middle + 1 :]
        above += [b.const(0, 1)] * (middle - len(above))
        digits.append(top)
        left = [b.mux(top, high, low) for high, low in zip(above, below, strict=True)]
    return b.concat(*digits)
