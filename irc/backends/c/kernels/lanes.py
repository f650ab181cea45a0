"""Counting bits of several rows at once, one in each lane of a vector.

Weights lie as `irc.dialects.packed_lanes` puts them. GCC and Clang get vectors of words (their
`vector_size`), which they compute in the vector registers that a core has; other compilers get
words, and go from lane to lane.
"""

from __future__ import annotations

from collections.abc import Callable

from irc.backends.c.kernels.tree import STRAIGHT
from irc.backends.c.text import fill
from irc.backends.c.unit import Unit
from irc.dialects.packed_lanes import LANES

_DEFINITIONS = f"""\
/* Words of {LANES} rows, which lie side by side; compilers without vectors take them one by one. */
#if defined(__GNUC__) && !defined($upper_NO_VECTORS)
typedef uint32_t $lanes __attribute__((vector_size({4 * LANES}), aligned(4), may_alias));
#define $upper_LANES {LANES}u
#define $upper_WORD(i) (i)
#else
typedef uint32_t $lanes;
#define $upper_LANES 1u
#define $upper_WORD(i) ({LANES}u * (i))
#endif"""

_COUNT = f"""
/* $what, of {LANES} rows side by side. No loop around it may keep
   vectors alive. */
static $straight void $name(const uint32_t *x, $const uint32_t *w, uint32_t *counts)
{{
    for (size_t lane = 0; lane < {LANES}u; lane += $step) {{
        $const $lanes *q = ($const $lanes *)(w + lane);
        $lines
    }}
}}
"""

_NEXT = """
if (lane == $lanes) {
    $count(x, w, counts);
    w += $size;
    lane = 0;
}
"""

DECLARE = f"uint32_t counts[$counts];\nunsigned lane = {LANES}u;"


def lanes_type(unit: Unit) -> str:
    """The C type of the same word of several rows."""
    return f"{unit.name}_lanes"


def index(unit: Unit, words: int) -> str:
    """How far words lie behind the first ones, in elements of `lanes_type`."""
    return f"{unit.name.upper()}_WORD({words}u)"


def weight(unit: Unit) -> Callable[[str, int], str]:
    """The C text of such words, by pointer and number."""
    return lambda pointer, number: f"{pointer}[{index(unit, number)}]"


def stored(unit: Unit, totals: list[str]) -> list[str]:
    """Statements that store the sums of all lanes, one vector behind the other."""
    kind = lanes_type(unit)
    return [
        f"*({kind} *)&counts[lane{f' + {LANES * i}u' if i else ''}] = {total};"
        for i, total in enumerate(totals)
    ]


def count(number: int) -> str:
    """The C text of one of the sums of a row."""
    return f"counts[lane + {LANES * number}u]" if number else "counts[lane]"


def counting(unit: Unit, what: str, lines: list[str], words: int, totals: int) -> tuple[str, str]:
    """For a loop over rows: what to declare before it, and statements that begin each row.

    These leave the count of the row, of `words` words, in `counts[lane]`, if `lines` store it so.
    """
    kind = lanes_type(unit)
    unit.define_once(STRAIGHT)
    unit.define_once(_DEFINITIONS.replace("$lanes", kind))
    function = unit.function(
        "count_lanes",
        _COUNT,
        what=what,
        straight=f"{unit.name.upper()}_STRAIGHT",
        step=f"{unit.name.upper()}_LANES",
        lanes=kind,
        lines="\n".join(lines),
    )
    size = f"{LANES * words}u"
    begin = fill(_NEXT, lanes=f"{LANES}u", count=function, size=size)
    return fill(DECLARE, counts=f"{LANES * totals}"), begin


__all__ = ["count", "counting", "index", "lanes_type", "stored", "weight"]
