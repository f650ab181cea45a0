"""Counting bits: one word, and rows of words."""

from __future__ import annotations

from irc.backends.c.text import word_type, work_type
from irc.backends.c.unit import Unit

_SWAR = """
/* Ones in a word, in ever wider fields (Warren, "Hacker's Delight", figure 5-2). */
static unsigned $name($word v)
{
    $work u = v;
    u = u - ((u >> 1) & $m1);
    u = (u & $m2) + ((u >> 2) & $m2);
    u = (u + (u >> 4)) & $m4;
    return (unsigned)((u * $ones) >> $top)$mask;
}
"""

_TABLE = """
/* Ones in a word, byte by byte. */
static unsigned $name($word v)
{
    static $const uint8_t ones[256] = {
#define B2(n) n, n + 1, n + 1, n + 2
#define B4(n) B2(n), B2(n + 1), B2(n + 1), B2(n + 2)
#define B6(n) B4(n), B4(n + 1), B4(n + 1), B4(n + 2)
        B6(0), B6(1), B6(1), B6(2)
#undef B2
#undef B4
#undef B6
    };
    unsigned count = 0;
    for (unsigned shift = 0; shift < $width; shift += 8u) {
        count += ones[(($work)v >> shift) & 0xFFu];
    }
    return count;
}
"""

_BUILTIN = """
/* Ones in a word, by the compiler's own means. */
static unsigned $name($word v)
{
    return (unsigned)$builtin(v);
}
"""

_ROW = """
/* Ones in $what of two rows of words. */
static $count $name(const $word *a, $const $word *b, size_t words)
{
    $count count = 0;
    for (size_t i = 0; i < words; ++i) {
        count += $popcount(($word)(a[i] $combine b[i]));
    }
    return count;
}
"""


def popcount(unit: Unit, strategy: str, word: int) -> str:
    """The function that counts the ones of one word; returns its name."""
    kind, work = word_type(word), work_type(word)
    if strategy == "builtin":
        # `unsigned long` has 32 bits at least, `unsigned` perhaps 16.
        builtin = f"__builtin_popcount{'' if word <= 16 else 'l' if word <= 32 else 'll'}"
        return unit.function("popcount", _BUILTIN, word=kind, builtin=builtin)
    if strategy == "table":
        return unit.function("popcount", _TABLE, word=kind, work=work, width=f"{word}u")
    repeat = word // 8
    return unit.function(
        "popcount",
        _SWAR,
        word=kind,
        work=work,
        m1=f"0x{'55' * repeat}u",
        m2=f"0x{'33' * repeat}u",
        m4=f"0x{'0F' * repeat}u",
        ones=f"0x{'01' * repeat}u",
        top=str(word - 8),
        # The product of 16 bits may be computed in more.
        mask=" & 0xFFu" if word == 16 else "",
    )


def count_type(bits: int) -> str:
    """A C type that counts up to `bits`, as wide as the machine likes."""
    return "uint_fast16_t" if bits < 1 << 16 else "uint_fast32_t"


def row_popcount(unit: Unit, strategy: str, word: int, words: int, combine: str) -> str:
    """The function that counts the ones of `a combine b` over a row; returns its name."""
    return unit.function(
        "count_different" if combine == "^" else "count_common",
        _ROW,
        what="the difference" if combine == "^" else "the intersection",
        word=word_type(word),
        count=count_type(words * word),
        popcount=popcount(unit, strategy, word),
        combine=combine,
    )
