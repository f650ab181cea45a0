"""C for bit-planes in straight code: all pairs of planes in one tree of adders."""

from __future__ import annotations

from collections.abc import Callable

from irc.backends.c.kernels import lanes
from irc.backends.c.kernels.code_sink import word_sink
from irc.backends.c.kernels.dense import offset_parts, signed_sum
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.plane_products import (
    counted_words,
    finished_sum,
    identity,
    total_lines,
)
from irc.backends.c.kernels.sink import result_arguments
from irc.backends.c.kernels.tree import STRAIGHT, CarrySave, element
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_types import plane_weights

_TREE = """
/* By bit-planes, all in one tree: $identity. */
static $kind $name(
    const $word *x, $const $word *w, size_t results$offsets$parameters)
{
    $declare
    $total
    $lanes
    $loop
}
"""

_TREE_BODY = """
$count
const $acc acc = ($acc)($sum);
$advance
$moving
"""

_BLOCKS = """
$acc products = 0;
const uint32_t *p = x;
$const uint32_t *q = w;
for (unsigned block = 0; block < $blocks; ++block) {
    $lines
    products = ($acc)(products + $total);
    p += $size;
    q += $size;
}
"""


def emit_plane_tree(unit: Unit, op: packed.PlaneDenseOp) -> None:
    """A pair of planes that counts 2^k is added at level k."""
    bits, acc = packed.bits_type(op.input), c_type(op.accumulator)
    unit.define_once(STRAIGHT)
    sink = word_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    if op.lanes is None:
        declared, count = "", _count(op, bits.words, acc)
        advance = f"w += {len(plane_weights(op.weight_type)) * bits.words}u;"
    else:
        declared, count = _count_lanes(unit, op, bits.words, acc)
        advance = ""
    body = fill(
        _TREE_BODY,
        acc=acc,
        count=count,
        sum=finished_sum(op, "products") + added,
        advance=advance,
        moving="++offsets;" if added else "",
    )
    function = unit.function(
        "plane_tree",
        _TREE,
        kind=f"{unit.name.upper()}_STRAIGHT void",
        identity=identity(op),
        word=word_type(bits.word),
        total=total_lines(unit, op, f"{bits.words}u"),
        offsets=parameter,
        lanes=declared,
        loop=sink.loop(body),
        **sink.parts(),
    )
    label = op.label.data
    arguments = [unit.words(label, "weights", op.weights), f"{op.channels}u"]
    arguments += [*offsets, *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


def _count(op: packed.PlaneDenseOp, words: int, acc: str) -> str:
    """Statements that define `products`."""
    block = op.block_words
    assert block is not None

    def straight(size: int, x: str, w: str) -> tuple[list[str], str]:
        lines, totals = _straight(op, size, words, (x, w))
        terms = [(sign, f"({acc})({total})") for sign, total in totals.items()]
        return lines, signed_sum(terms)

    if block == words:
        lines, total = straight(block, "x", "w")
        return "\n".join([*lines, f"const {acc} products = ({acc})({total});"])
    lines, total = straight(block, "p", "q")
    text = fill(
        _BLOCKS,
        acc=acc,
        blocks=f"{words // block}u",
        lines="\n".join(lines),
        total=total,
        size=f"{block}u",
    )
    if rest := words % block:
        lines, total = straight(rest, "p", "q")
        text += "\n" + "\n".join([*lines, f"products = ({acc})(products + {total});"])
    return text


_LANE_BLOCKS = """
$declare
const uint32_t *p = x;
for (unsigned block = 0; block < $blocks; ++block) {
    $lines
    $add
    p += $size;
    q += $step;
}
"""


def _count_lanes(unit: Unit, op: packed.PlaneDenseOp, words: int, acc: str) -> tuple[str, str]:
    """What to declare, and statements that define `products`, for rows in the lanes of vectors.

    Positive and negative products are counted apart.
    """
    kind, block = lanes.lanes_type(unit), op.block_words
    assert block is not None

    def straight(size: int, x: str) -> tuple[list[str], dict[int, str]]:
        return _straight(op, size, words, (x, "q"), kind, lanes.weight(unit))

    lines, totals = straight(block, "x" if block == words else "p")
    signs = list(totals)
    if block < words:
        names = {sign: f"count{number}" for number, sign in enumerate(signs)}
        rest = words % block
        text = fill(
            _LANE_BLOCKS,
            declare="\n".join(f"{kind} {name} = {{0}};" for name in names.values()),
            blocks=f"{words // block}u",
            lines="\n".join(lines),
            add="\n".join(f"{names[sign]} += {totals[sign]};" for sign in signs),
            size=f"{block}u",
            step=lanes.index(unit, block),
        )
        lines = [text]
        if rest:
            more, totals = straight(rest, "p")
            lines += [*more, *(f"{names[sign]} += {totals[sign]};" for sign in signs)]
        totals = names
    lines += lanes.stored(unit, list(totals.values()))
    planes = len(plane_weights(op.weight_type))
    what = "Products by bit-planes"
    declared, begin = lanes.counting(unit, what, lines, planes * words, len(signs))
    terms = [(sign, f"({acc}){lanes.count(number)}") for number, sign in enumerate(signs)]
    products = f"const {acc} products = ({acc})({signed_sum(terms)});"
    return declared, "\n".join([begin, products, "++lane;"])


def _straight(
    op: packed.PlaneDenseOp,
    size: int,
    stride: int,
    pointers: tuple[str, str],
    kind: str = "uint32_t",
    weight: Callable[[str, int], str] = element,
) -> tuple[list[str], dict[int, str]]:
    """Statements, and the positive and negative part of P over `size` words, by sign.

    Planes lie `stride` words apart. Variables of weights have a `kind`; `weight` is their text.
    """
    of_x = plane_weights(packed.bits_type(op.input).element_type)
    of_w = plane_weights(op.weight_type)
    x, w = pointers
    trees = {sign: CarrySave(name, kind) for sign, name in ((1, "v"), (-1, "n"))}
    counted = {1: 0, -1: 0}
    lines: list[str] = []
    for k in range(size):
        for j in range(len(of_x)):
            lines.append(f"const uint32_t x{j}_{k} = {x}[{j * stride + k}];")
        for i in range(len(of_w)):
            lines.append(f"const {kind} w{i}_{k} = {weight(w, i * stride + k)};")
        for factor, text in counted_words(op):
            sign = 1 if factor > 0 else -1
            tree = trees[sign]
            tree.lines = lines
            counted[sign] += abs(factor)
            tree.add(abs(factor).bit_length() - 1, tree.name(fill(text, k=f"_{k}")))
    totals: dict[int, str] = {}
    for sign, tree in trees.items():
        if counted[sign]:
            tree.lines = lines
            totals[sign] = tree.total(counted[sign])
    return lines, totals


__all__ = ["emit_plane_tree"]
