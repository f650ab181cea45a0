"""Counting bits in many rows at once.

Signals here hold one bit of each row, so that one operation works on all rows: the text stays as
short as for one row, and simulators take words instead of bits. Trees are written out in gates,
since synthesisers merge whatever is written with `+` into an adder tree of their own.

**Matches.** How many of the bits of x equal those of w is counted in forms of both that are linear
over GF(2). With e_j = xnor(x_j, w_j), let p_k = e_0 ^ … ^ e_2k. Then

    e_0 + … + e_2n = p_n + 2·Σ_k maj(p_(k-1), e_(2k-1), e_2k),   e_2k = p_(k-1) ^ e_(2k-1) ^ p_k

so that every majority takes three forms: p_(k-1), e_(2k-1) and p_k. Since forms are linear, each is
the exclusive or of a form of x, which all rows share, and one of not w, which is as many bits as w
itself and is stored in its place. Two bits thus cost a row one function of six inputs, and the
parity is there for nothing; full adders on the matches would cost two for the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder

Bits = npt.NDArray[np.uint8]

LONGEST_CHAIN = 63
"""Bits whose parities build on each other: the prefixes of x are five exclusive ors deep."""


def chains(bits: int) -> list[int]:
    """How so many bits are cut into chains of odd length, at most one of them a single bit that
    is there to make the others odd."""
    count = -(-bits // LONGEST_CHAIN)
    left = bits - 1 if (bits - count) % 2 else bits
    sizes: list[int] = []
    for remaining in range(count, 0, -1):
        # The largest odd number in an even share of what is left.
        share = left if remaining == 1 else -(-left // remaining) | 1
        sizes.append(share)
        left -= share
    return [*sizes, *([1] if sum(sizes) < bits else [])]


def forms(bits: Bits) -> Bits:
    """The forms of constant bits [..., N]: prefix parities in even places of every chain, the bits
    themselves in odd ones."""
    result, start = bits.copy(), 0
    for size in chains(bits.shape[-1]):
        part = bits[..., start : start + size]
        result[..., start : start + size : 2] = (np.cumsum(part, axis=-1) & 1)[..., ::2]
        start += size
    return result


def forms_of(b: HwBuilder, bits: Sequence[SSAValue]) -> list[SSAValue]:
    """The same of signals."""
    result, start = list[SSAValue](), 0
    for size in chains(len(bits)):
        part = bits[start : start + size]
        steps = [part[0], *(b.xor(part[j], part[j + 1]) for j in range(1, size, 2))]
        prefixes = _prefixes(b, steps)
        result += [prefixes[j // 2] if j % 2 == 0 else part[j] for j in range(size)]
        start += size
    return result


def _prefixes(b: HwBuilder, values: Sequence[SSAValue]) -> list[SSAValue]:
    """The exclusive ors of the first one, two, … values, as deep as the logarithm of how many."""
    if len(values) == 1:
        return list(values)
    half = len(values) // 2
    lower, upper = _prefixes(b, values[:half]), _prefixes(b, values[half:])
    return lower + [b.xor(lower[-1], value) for value in upper]


def matching_forms(
    b: HwBuilder, inputs: Sequence[SSAValue], word: SSAValue, bits: int
) -> list[SSAValue]:
    """Each form of e, a bit a row: the forms of x of each row, and those of not w, form by form."""
    rows = len(inputs)
    result: list[SSAValue] = []
    for j in range(bits):
        copies = [
            b.replicate(b.bit(x, j), len(list(group)))
            for x, group in groupby(inputs, key=lambda value: value)
        ]
        result.append(b.xor(b.concat(*reversed(copies)), b.extract(word, j * rows, rows)))
    return result


def match_columns(
    b: HwBuilder, matching: Sequence[SSAValue]
) -> tuple[list[SSAValue], list[SSAValue]]:
    """The bits whose sum is the count of e, from its forms: those that count 1, and 2."""
    ones, twos, start = list[SSAValue](), list[SSAValue](), 0
    for size in chains(len(matching)):
        part = matching[start : start + size]
        for j in range(2, size, 2):
            before, odd, after = part[j - 2 : j + 1]
            twos.append(b.xor(before, b.and_(b.xor(before, odd), b.xor(odd, after))))
        ones.append(part[-1])
        start += size
    return ones, twos


def count_matches(
    b: HwBuilder, matching: Sequence[SSAValue], lut_inputs: int, *, complete: bool = True
) -> tuple[list[SSAValue], SSAValue | None]:
    """The count of e from its forms: binary digits, least significant first, a bit a row; and,
    unless it is to be complete, perhaps a further bit, which can be the carry of a later sum."""
    ones, twos = match_columns(b, matching)
    further = None if complete or len(ones) % 2 else ones.pop()
    bits = len(matching) - (further is not None)
    return add_columns(b, [ones, twos], bits, lut_inputs), further


def count_ones(b: HwBuilder, bits: Sequence[SSAValue], lut_inputs: int) -> list[SSAValue]:
    """How many of the bits are 1, in binary digits, least significant first, a bit a row."""
    return add_columns(b, [list(bits)], len(bits), lut_inputs)


def add_columns(
    b: HwBuilder, columns: Sequence[Sequence[SSAValue]], largest: int, lut_inputs: int
) -> list[SSAValue]:
    """The sum of bits that count 2^i in column i, of which the largest value is known: binary
    digits, least significant first.

    Full adders alone are smallest in look-up tables of four inputs. With six, three tables count
    six bits, where full adders would take eight.
    """
    digits = largest.bit_length()
    pending = [list(columns[i]) if i < len(columns) else [] for i in range(digits + 2)]
    for i in range(digits):
        column = pending[i]
        while len(column) > 1:
            taken = _group(len(column), lut_inputs)
            part, column = column[:taken], column[taken:]
            sums = _count_few(b, part)
            for j, value in enumerate(sums[1:], 1):
                pending[i + j].append(value)
            column.append(sums[0])
        pending[i] = column or [b.const(0, b.width(next(filter(None, columns))[0]))]
    return [pending[i][0] for i in range(digits)]


def _group(height: int, lut_inputs: int) -> int:
    """How many bits of a column are counted together."""
    if lut_inputs >= 6 and height > 3:
        return min(height, 6)
    return min(height, 3)


def _count_few(b: HwBuilder, bits: Sequence[SSAValue]) -> list[SSAValue]:
    """The binary digits of the sum of two to six bits."""
    if len(bits) <= 3:
        return list(_full_adder(b, *bits))
    s, first = _full_adder(b, *bits[:3])
    if len(bits) < 6:
        s, second = _full_adder(b, s, *bits[3:])
        return [s, b.xor(first, second), b.and_(first, second)]
    t, second = _full_adder(b, *bits[3:])
    s, third = _full_adder(b, s, t)
    return [s, *_full_adder(b, first, second, third)]


def _full_adder(
    b: HwBuilder, x: SSAValue, y: SSAValue, z: SSAValue | None = None
) -> tuple[SSAValue, SSAValue]:
    """Sum and carry; of two bits, those of a half adder."""
    differ, both = b.xor(x, y), b.and_(x, y)
    if z is None:
        return differ, both
    return b.xor(differ, z), b.or_(both, b.and_(differ, z))
