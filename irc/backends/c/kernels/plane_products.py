"""What is counted of bit-planes, and what becomes of it: shared by loops and trees."""

from __future__ import annotations

from irc.backends.c.kernels.dense import signed_sum
from irc.backends.c.kernels.popcount import popcount
from irc.backends.c.text import c_type, fill
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_types import plane_weights

_TOTAL = """
$acc total = 0;
for (size_t i = 0; i < $words; ++i) {
    $adding
}
"""


def counted_words(op: packed.PlaneDenseOp) -> list[tuple[int, str]]:
    """What words are counted, and how often each: with `$k` behind the names of planes."""
    if op.ternary is not None and op.has_bipolar_weights:
        return [(1, "(w0$k ^ x1$k) & x0$k")]
    if op.ternary is not None:
        both = "w0$k & x0$k"
        return [(1, both), (-2, f"(w1$k ^ x1$k) & {both}")]
    of_x = plane_weights(packed.bits_type(op.input).element_type)
    return [
        (a * b, f"w{i}$k & x{j}$k")
        for i, a in enumerate(plane_weights(op.weight_type))
        for j, b in enumerate(of_x)
    ]


def total_lines(unit: Unit, op: packed.PlaneDenseOp, words: str) -> str:
    """Statements that sum the activations of a row, where weights are bipolar."""
    if not op.has_bipolar_weights:
        return ""
    bits, acc = packed.bits_type(op.input), c_type(op.accumulator)
    of_x = plane_weights(bits.element_type)
    one = popcount(unit, op.popcount.data, bits.word)
    if op.ternary is not None:
        of_x = of_x[:1]
    counts = [(of_x[j], f"({acc}){one}({plane_word('x', j, words)})") for j in range(len(of_x))]
    adding = f"total = ({acc})(total + {signed_sum(counts)});"
    return fill(_TOTAL, acc=acc, words=words, adding=adding)


def finished_sum(op: packed.PlaneDenseOp, products: str) -> str:
    """The sum of products from P, but for the offsets."""
    scaled = products if op.scale == 1 else f"2 * {products}"
    return scaled + (" - total" if op.has_bipolar_weights else "")


def plane_word(pointer: str, index: int, words: str = "words") -> str:
    """Word i of plane `index`."""
    place = {0: "i", 1: f"{words} + i"}.get(index, f"{index} * {words} + i")
    return f"{pointer}[{place}]"


def identity(op: packed.PlaneDenseOp) -> str:
    if op.ternary is not None and op.has_bipolar_weights:
        return "acc = 2 * popcount((w ^ x_1) & x_0) - popcount(x_0), as x is -1, 0 or +1"
    if op.ternary is not None:
        return "acc = popcount(w_0 & x_0) less twice where signs differ, for -1, 0 and +1"
    if op.has_bipolar_weights:
        return "acc = 2 * sum of 2^j * popcount(w & x_j) - sum of x, as w is -1 or +1"
    if op.offsets is not None:
        return "acc = 2 * sum of 2^i * popcount(w_i & x) - sum of w, as x is -1 or +1"
    return "acc = sum of 2^(i+j) * popcount(w_i & x_j)"


__all__ = ["counted_words", "finished_sum", "identity", "plane_word", "total_lines"]
