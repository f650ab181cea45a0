"""Counting bits of many words at once: carry-save adders in straight code.

An adder of bits takes three words and gives two, their sums and their carries, so that n words
become about log2(n) bit-planes with one adder a word (Warren, "Hacker's Delight", section 5-1).
Only the planes are counted, in ever wider fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from irc.dialects.packed_bits_dense import MOST_TREE_WORDS

BYTES, PAIRS, HALVES, FOURS = 0x0F0F0F0F, 0x55555555, 0x00FF00FF, 0x33333333

STRAIGHT = """\
/* Scheduling, and storing values together, keep more of them alive in straight code than there are
   registers. */
#if defined(__clang__)
#define $upper_STRAIGHT __attribute__((noinline))
#elif defined(__GNUC__)
#define $upper_STRAIGHT \\
    __attribute__((noinline, optimize("no-schedule-insns", "no-tree-slp-vectorize")))
#else
#define $upper_STRAIGHT
#endif"""
"""What `Unit.define_once` gets for functions of straight code."""


def _hex(mask: int) -> str:
    return f"0x{mask:08X}u"


class CarrySave:
    """Adders as C text on variables of 32 bits; a word added at level L counts 2^L a bit.

    With another `kind` of variables than words, these are vectors of words, each with a tree of its
    own.
    """

    def __init__(self, prefix: str = "v", kind: str = "uint32_t") -> None:
        self.lines: list[str] = []
        self.kind = kind
        self._prefix = prefix
        self._sums: list[str | None] = [None] * 16
        self._waiting: list[str | None] = [None] * 16
        self._variables = 0

    def name(self, expression: str) -> str:
        """A new variable with this value; its name."""
        self._variables += 1
        name = f"{self._prefix}{self._variables}"
        self.lines.append(f"const {self.kind} {name} = {expression};")
        return name

    def add(self, level: int, word: str) -> None:
        """Add a variable: at once where two others wait for a third."""
        c, b = self._sums[level], self._waiting[level]
        if c is None:
            self._sums[level] = word
        elif b is None:
            self._waiting[level] = word
        else:
            self._waiting[level] = None
            differs = self.name(f"{b} ^ {word}")
            self._full(level, b, differs, c)

    def add_pair(self, a: str, differs: str) -> None:
        """Add `a` and `a ^ differs` at level 0."""
        c = self._sums[0]
        if c is not None:
            self._full(0, a, differs, c)
            return
        self._sums[0] = differs
        self.add(1, self.name(f"{a} & ~{differs}"))

    def _full(self, level: int, a: str, differs: str, c: str) -> None:
        """`a + (a ^ differs) + c`: where both differ, the carry is c, else a."""
        self._sums[level] = self.name(f"{differs} ^ {c}")
        self.add(level + 1, self.name(f"{a} ^ ({differs} & ({a} ^ {c}))"))

    def planes(self) -> list[str | None]:
        """The planes from level 0 on, when all is added; `None` where nothing can be."""
        for level, b in enumerate(self._waiting):
            a = self._sums[level]
            if a is not None and b is not None:
                self._waiting[level] = None
                self._sums[level] = self.name(f"{a} ^ {b}")
                self.add(level + 1, self.name(f"{a} & {b}"))
        top = max((level for level, plane in enumerate(self._sums) if plane), default=-1)
        return self._sums[: top + 1]

    def total(self, words: int) -> str:
        """A C expression for the sum, which is at most that of so many words at level 0.

        Two planes fit into fields of four bits, and these in bytes, weighted; what may be more
        than a byte holds goes into halves.
        """
        if words > MOST_TREE_WORDS:
            raise ValueError(f"a tree of {words} words; at most {MOST_TREE_WORDS}")
        fours = [plane and self._fours(plane) for plane in self.planes()]
        terms: list[tuple[int, str]] = []
        for level in range(0, len(fours), 2):
            low, high = fours[level], fours[level + 1] if level + 1 < len(fours) else None
            pair = low or high
            if pair is None:
                continue
            shift = level if low is not None else level + 1
            if low is not None and high is not None:
                pair = self.name(f"{low} + ({high} << 1)")
            byte = self.name(f"({pair} & {_hex(BYTES)}) + (({pair} >> 4) & {_hex(BYTES)})")
            terms.append((shift, byte))
        if 32 * words <= 0xFF:
            return f"({self._weighted(terms)} * 0x01010101u) >> 24"
        if 8 * words <= 0xFF:
            halves = self._halves(self._weighted(terms))
        else:
            # Two planes alone have at most 24 ones a byte, four 120.
            low_terms = [term for term in terms if term[0] < 4]
            parts = [(0, self._halves(self._weighted(low_terms)))] if low_terms else []
            parts += [(shift, self._halves(byte)) for shift, byte in terms if shift >= 4]
            halves = self._weighted(parts)
        return f"({halves} + ({halves} >> 16)) & 0xFFFFu"

    def _fours(self, plane: str) -> str:
        pairs = self.name(f"{plane} - (({plane} >> 1) & {_hex(PAIRS)})")
        return self.name(f"({pairs} & {_hex(FOURS)}) + (({pairs} >> 2) & {_hex(FOURS)})")

    def _halves(self, word: str) -> str:
        return self.name(f"({word} & {_hex(HALVES)}) + (({word} >> 8) & {_hex(HALVES)})")

    def _weighted(self, terms: Sequence[tuple[int, str]]) -> str:
        """The sum of variables, each shifted to the left."""
        texts = [name if shift == 0 else f"({name} << {shift})" for shift, name in terms]
        return terms[0][1] if len(texts) == 1 and terms[0][0] == 0 else self.name(" + ".join(texts))


def element(pointer: str, index: int) -> str:
    """The C text of an element."""
    return f"{pointer}[{index}]"


def tree_lines(
    words: int,
    x: str,
    w: str,
    kind: str = "uint32_t",
    weight: Callable[[str, int], str] = element,
) -> tuple[list[str], str]:
    """Statements, and an expression for `popcount(w ^ x)` over words in pairs.

    `weight` gives the C text of a word, or vector, of weights.
    """
    tree = CarrySave(kind=kind)
    if words % 2:
        tree.add(0, tree.name(f"{weight(w, words - 1)} ^ {x}[{words - 1}]"))
    for i in range(0, words - 1, 2):
        first = tree.name(f"{weight(w, i)} ^ {x}[{i}]")
        tree.add_pair(first, tree.name(f"{weight(w, i + 1)} ^ {x}[{i + 1}]"))
    total = tree.total(words)
    return tree.lines, total


def unrolled_lines(words: int, x: str, w: str, popcount: str, cast: str) -> tuple[list[str], str]:
    """The same, word by word."""
    terms = [f"{popcount}({cast}({w}[{i}] ^ {x}[{i}]))" for i in range(words)]
    return [], "\n    + ".join(terms)


__all__ = ["STRAIGHT", "CarrySave", "element", "tree_lines", "unrolled_lines"]
