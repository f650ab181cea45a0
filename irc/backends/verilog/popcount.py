"""Population counts as Verilog functions.

A function per width, each the sum of two of half the width: the text stays short however many
counters there are, and every tool flattens it into an adder tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from xdsl.dialects import comb

from irc.backends.verilog.expressions import Expr, associative, declaration, index, zero_extend
from irc.dialects.rtl import popcount_width

LEAF_BITS = 3
"""Counts of at most this many bits are written out as a sum of bits."""


def call(operand: Expr, width: int) -> Expr:
    """The population count of an operand of `width` bits."""
    return operand if width == 1 else Expr(f"popcount{width}({operand.text})")


def functions(widths: Iterable[int]) -> list[str]:
    """Lines that define `popcount<n>` for these widths and all that they call, smallest first."""
    needed: set[int] = set()
    pending = list(widths)
    while pending:
        width = pending.pop()
        if width > 1 and width not in needed:
            needed.add(width)
            if width > LEAF_BITS:
                pending += [width // 2, width - width // 2]
    lines: list[str] = []
    for width in sorted(needed):
        name = f"popcount{width}"
        lines += [
            f"  {declaration('function', popcount_width(width), name)};",
            f"    {declaration('input', width, 'x')};",
            f"    {name} = {_body(width).text};",
            "  endfunction",
        ]
    return lines


def _body(width: int) -> Expr:
    half = width // 2
    cuts = list(range(width + 1)) if width <= LEAF_BITS else [0, half, width]
    terms: list[Expr] = []
    for low, end in pairwise(cuts):
        part = call(index("x", end - 1, low, width), end - low)
        terms.append(zero_extend(part, popcount_width(width) - popcount_width(end - low)))
    return associative(comb.AddOp, list(reversed(terms)))
