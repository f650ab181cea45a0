"""C for bipolar by bipolar (`packed.xnor_dense`)."""

from __future__ import annotations

from irc.backends.c.kernels import lanes
from irc.backends.c.kernels.code_sink import word_sink
from irc.backends.c.kernels.dense import offset_parts, placed_parts
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.popcount import popcount, row_popcount
from irc.backends.c.kernels.sink import result_arguments
from irc.backends.c.kernels.tree import STRAIGHT, tree_lines, unrolled_lines
from irc.backends.c.kernels.vector import emit_xnor_vectors
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed

_SUMS = """
/* Bipolar by bipolar: acc = K - 2 * popcount(w ^ x)$corrected. */
static $kind $name(
    $row_type *x, $const $word *w$words, $acc size, size_t results$offsets$parameters)
{
    $declare
    $lanes
    $encode
    $loop
    $decode
}
"""

_SUM = """
$count
const $acc acc = ($acc)($sum);
$advance
$moving
"""

_LIMITS = """
/* Bipolar by bipolar: bit = popcount(w ^ x) < limit. */
static $kind $name(
    $row_type *x, $const $word *w$words, $const $limit *limits, size_t results, $stored *y)
{
    $lanes
    $encode
    while (results > 0) {
        size_t n = results < $width ? results : $width;
        const unsigned unused = (unsigned)(($width - n) % $width);
        $stored bits = 0;
        results -= n;
        do {
            $count
            $collect
            ++limits;
            $advance
            --n;
        } while (n > 0);
        *y = ($stored)(bits >> unused);
        ++y;
    }
    $decode
}
"""

_SIGN = """
/* The difference is negative, which its top bit says, below the limit only. */
bits = (bits >> 1) | ((count - (uint32_t)*limits) & 0x80000000u);
"""

_COMPARE = """
bits = ($stored)(bits >> 1);
if (count < (uint32_t)*limits) {
    bits = ($stored)(bits | $top);
}
"""

_PAIRS = """
/* $why */
for (size_t i = 1; i < $words; i += 2) {
    x[i] = ($word)(x[i] ^ x[i - 1]);
}
"""

_BLOCKS = """
uint32_t count = 0;
const $word *p = x;
$const $word *q = w;
for (unsigned block = 0; block < $blocks; ++block) {
    $lines
    count += $total;
    p += $size;
    q += $size;
}
"""


_LANE_BLOCKS = """
$kind count = {0};
const uint32_t *p = x;
for (unsigned block = 0; block < $blocks; ++block) {
    $lines
    count += $total;
    p += $size;
    q += $step;
}
"""


def emit_xnor_dense(unit: Unit, op: packed.XnorDenseOp) -> None:
    """One call a row; the input's words and the weights' lie alike."""
    if op.kernel is not None and op.kernel.data == "vector":
        emit_xnor_vectors(unit, op)
        return
    bits = packed.bits_type(op.input)
    word = word_type(bits.word)
    in_loop = op.kernel is None
    parts = {
        "word": word,
        "row_type": word if op.pairs is not None else f"const {word}",
        "words": ", size_t words" if in_loop else "",
        "advance": f"w += {'words' if in_loop else f'{bits.words}u'};",
        "kind": "void" if in_loop else f"{unit.name.upper()}_STRAIGHT void",
        "lanes": "",
        "encode": "",
        "decode": "",
    }
    if op.lanes is None:
        parts["count"] = _count(unit, op, bits.word, bits.words)
    else:
        parts["lanes"], parts["count"] = _count_lanes(unit, op, bits.words)
        parts["advance"] = ""
    if not in_loop:
        unit.define_once(STRAIGHT)
    if op.pairs is not None and bits.words > 1:
        pairs = {"words": f"{bits.words}u", "word": word}
        why = "Every second word as its difference from the first, like the weights."
        parts["encode"] = fill(_PAIRS, why=why, **pairs)
        if _is_read_again(op):
            parts["decode"] = fill(_PAIRS, why="As it was.", **pairs)
    weights = unit.words(op.label.data, "weights", op.weights)
    words = [f"{bits.words}u"] if in_loop else []
    if op.limits is not None:
        result = packed.bits_type(op.output)
        collect = _SIGN if result.word == 32 else _COMPARE
        top = f"0x{'80' + '00' * (result.word // 8 - 1)}u"
        limit, limits = placed_parts(unit, op, "limits")
        function = unit.function(
            "xnor_bits",
            _LIMITS,
            limit=limit,
            stored=word_type(result.word),
            width=f"{result.word}u",
            collect=fill(collect, stored=word_type(result.word), top=top),
            **parts,
        )
        y = unit.address(op.output)
        arguments = [weights, *words, limits, f"{op.channels}u"]
        stored = y if op.is_lazy else Moving(y, result.words)
        call_dense_rows(unit, op, function, [*arguments, stored])
        return
    acc = c_type(op.accumulator)
    sink = word_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    body = fill(
        _SUM,
        acc=acc,
        count=parts.pop("count"),
        sum=f"size - 2 * ({acc})count" + added,
        advance=parts.pop("advance"),
        moving="++offsets;" if added else "",
    )
    function = unit.function(
        "xnor_dense",
        _SUMS,
        acc=acc,
        loop=sink.loop(body),
        corrected=", plus what undoes the border" if op.offsets is not None else "",
        offsets=parameter,
        **parts,
        **sink.parts(),
    )
    sizes = [*words, str(bits.width), f"{op.channels}u", *offsets]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])


def _is_read_again(op: packed.XnorDenseOp) -> bool:
    """Whether somebody else reads the operand, or a pool perhaps a row of it more than once."""
    if isinstance(op.input.owner, packed.PatchesOp):
        return False
    return op.is_lazy or not op.input.has_one_use()


def _count_lanes(unit: Unit, op: packed.XnorDenseOp, words: int) -> tuple[str, str]:
    """What to declare, and statements that define `count`, for rows in the lanes of vectors."""
    kind, block = lanes.lanes_type(unit), op.block_words
    assert block is not None
    at = lanes.weight(unit)
    if block == words:
        lines, total = tree_lines(words, "x", "q", kind, at)
    else:
        inner, total = tree_lines(block, "p", "q", kind, at)
        text = fill(
            _LANE_BLOCKS,
            kind=kind,
            blocks=f"{words // block}u",
            lines="\n".join(inner),
            total=total,
            size=f"{block}u",
            step=lanes.index(unit, block),
        )
        lines, total = [text], "count"
        if rest := words % block:
            inner, rest_total = tree_lines(rest, "p", "q", kind, at)
            lines += [*inner, f"count += {rest_total};"]
    lines += lanes.stored(unit, [total])
    what = "Ones in the differences from x"
    declare, begin = lanes.counting(unit, what, lines, words, 1)
    return declare, f"{begin}\nconst uint32_t count = {lanes.count(0)};\n++lane;"


def _count(unit: Unit, op: packed.XnorDenseOp, word: int, words: int) -> str:
    """Statements that define `count`, the ones of `w ^ x` over a row."""
    if op.kernel is None:
        count = row_popcount(unit, op.popcount.data, word, words, "^")
        return f"const uint32_t count = (uint32_t){count}(x, w, words);"
    block = op.block_words
    assert block is not None

    def straight(size: int, x: str, w: str) -> tuple[list[str], str]:
        if op.kernel is not None and op.kernel.data == "tree":
            return tree_lines(size, x, w)
        one = popcount(unit, op.popcount.data, word)
        return unrolled_lines(size, x, w, one, f"({word_type(word)})")

    if block == words:
        lines, total = straight(words, "x", "w")
        return "\n".join([*lines, f"const uint32_t count = {total};"])
    lines, total = straight(block, "p", "q")
    text = fill(
        _BLOCKS,
        word=word_type(word),
        blocks=f"{words // block}u",
        lines="\n".join(lines),
        total=total,
        size=f"{block}u",
    )
    if rest := words % block:
        lines, total = straight(rest, "p", "q")
        text += "\n" + "\n".join([*lines, f"count += {total};"])
    return text


__all__ = ["emit_xnor_dense"]
