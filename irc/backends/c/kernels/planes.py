"""C for low-bit weights and activations, by bit-planes (`packed.plane_dense`)."""

from __future__ import annotations

from irc.backends.c.kernels.dense import offset_parts, signed_sum
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.popcount import count_type, popcount
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.kernels.tree import STRAIGHT, CarrySave
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_types import plane_weights

_PLANE = """
/* By bit-planes: $identity. */
static void $name(const $word *x, const $word *w, size_t words, size_t results$offsets$parameters)
{
    $declare
    $total
    for (size_t m = 0; m < results; ++m) {
        $counters
        for (size_t i = 0; i < words; ++i) {
            $loads
            $counting
        }
        const $acc acc = ($acc)($sum);
        $consume
        w += $planes * words;
    }
}
"""

_TOTAL = """
$acc total = 0;
for (size_t i = 0; i < words; ++i) {
    $adding
}
"""


def emit_plane_dense(unit: Unit, op: packed.PlaneDenseOp) -> None:
    """A counter for each pair of planes; every word of weights is loaded once."""
    if op.kernel is not None:
        _emit_tree(unit, op)
        return
    bits = packed.bits_type(op.input)
    acc, word = c_type(op.accumulator), word_type(bits.word)
    one = popcount(unit, op.popcount.data, bits.word)
    counter = count_type(bits.words * bits.word)
    of_x, of_w = plane_weights(bits.element_type), plane_weights(op.weight_type)
    pairs = [(i, j) for i in range(len(of_w)) for j in range(len(of_x))]
    products = signed_sum([(of_w[i] * of_x[j], f"({acc})c{i}{j}") for i, j in pairs])
    total = _total(unit, op)
    sink = thresholding_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    function = unit.function(
        "plane_dense",
        _PLANE,
        identity=_identity(op),
        word=word,
        acc=acc,
        total=total,
        offsets=parameter,
        counters="\n".join(f"{counter} c{i}{j} = 0;" for i, j in pairs),
        loads="\n".join(f"const {word} w{i} = {_plane('w', i)};" for i in range(len(of_w))),
        counting="\n".join(
            f"c{i}{j} += {one}(({word})(w{i} & {_plane('x', j)}));" for i, j in pairs
        ),
        sum=_finished(op, f"({products})") + added,
        planes=f"{len(of_w)}u",
        **sink.parts(),
    )
    label = op.label.data
    arguments = [unit.words(label, "weights", op.weights), f"{bits.words}u", f"{op.channels}u"]
    arguments += [*offsets, *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


def _total(unit: Unit, op: packed.PlaneDenseOp) -> str:
    """Statements that sum the activations of a row, where weights are bipolar."""
    if not op.has_bipolar_weights:
        return ""
    bits, acc = packed.bits_type(op.input), c_type(op.accumulator)
    of_x = plane_weights(bits.element_type)
    one = popcount(unit, op.popcount.data, bits.word)
    counts = [(of_x[j], f"({acc}){one}({_plane('x', j)})") for j in range(len(of_x))]
    adding = f"total = ({acc})(total + {signed_sum(counts)});"
    return fill(_TOTAL, acc=acc, adding=adding)


def _finished(op: packed.PlaneDenseOp, products: str) -> str:
    """The sum of products from P, but for the offsets."""
    scaled = products if op.scale == 1 else f"2 * {products}"
    return scaled + (" - total" if op.has_bipolar_weights else "")


_TREE = """
/* By bit-planes, all in one tree: $identity. */
static $kind $name(
    const $word *x, const $word *w, size_t words, size_t results$offsets$parameters)
{
    $declare
    $total
    for (size_t m = 0; m < results; ++m) {
        $count
        const $acc acc = ($acc)($sum);
        $consume
        w += $planes * words;
    }
}
"""

_BLOCKS = """
$acc products = 0;
const uint32_t *p = x;
const uint32_t *q = w;
for (unsigned block = 0; block < $blocks; ++block) {
    $lines
    products = ($acc)(products + $total);
    p += $size;
    q += $size;
}
"""


def _emit_tree(unit: Unit, op: packed.PlaneDenseOp) -> None:
    """A pair of planes that counts 2^k is added at level k."""
    bits, acc = packed.bits_type(op.input), c_type(op.accumulator)
    unit.define_once(STRAIGHT)
    sink = thresholding_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    function = unit.function(
        "plane_tree",
        _TREE,
        kind=f"{unit.name.upper()}_STRAIGHT void",
        identity=_identity(op),
        word=word_type(bits.word),
        acc=acc,
        total=_total(unit, op),
        offsets=parameter,
        count=_count(op, bits.words, acc),
        sum=_finished(op, "products") + added,
        planes=f"{len(plane_weights(op.weight_type))}u",
        **sink.parts(),
    )
    label = op.label.data
    arguments = [unit.words(label, "weights", op.weights), f"{bits.words}u", f"{op.channels}u"]
    arguments += [*offsets, *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


def _count(op: packed.PlaneDenseOp, words: int, acc: str) -> str:
    """Statements that define `products`."""
    block = op.block_words
    assert block is not None
    if block == words:
        lines, total = _straight(op, block, words, "x", "w", acc)
        return "\n".join([*lines, f"const {acc} products = ({acc})({total});"])
    lines, total = _straight(op, block, words, "p", "q", acc)
    text = fill(
        _BLOCKS,
        acc=acc,
        blocks=f"{words // block}u",
        lines="\n".join(lines),
        total=total,
        size=f"{block}u",
    )
    if rest := words % block:
        lines, total = _straight(op, rest, words, "p", "q", acc)
        text += "\n" + "\n".join([*lines, f"products = ({acc})(products + {total});"])
    return text


def _straight(
    op: packed.PlaneDenseOp, size: int, stride: int, x: str, w: str, acc: str
) -> tuple[list[str], str]:
    """Statements, and P over `size` words; planes lie `stride` words apart."""
    of_x = plane_weights(packed.bits_type(op.input).element_type)
    of_w = plane_weights(op.weight_type)
    trees = {sign: CarrySave(name) for sign, name in ((1, "v"), (-1, "n"))}
    counted = {1: 0, -1: 0}
    lines: list[str] = []
    for k in range(size):
        for j in range(len(of_x)):
            lines.append(f"const uint32_t x{j}_{k} = {x}[{j * stride + k}];")
        for i in range(len(of_w)):
            lines.append(f"const uint32_t w{i}_{k} = {w}[{i * stride + k}];")
        for i, a in enumerate(of_w):
            for j, b in enumerate(of_x):
                sign = 1 if a * b > 0 else -1
                tree = trees[sign]
                tree.lines = lines
                counted[sign] += abs(a * b)
                tree.add((abs(a * b)).bit_length() - 1, tree.name(f"w{i}_{k} & x{j}_{k}"))
    text = ""
    for sign, tree in trees.items():
        if counted[sign]:
            tree.lines = lines
            text += (" - " if sign < 0 else " + ") + f"({acc})({tree.total(counted[sign])})"
    return lines, text.removeprefix(" + ").strip()


def _plane(pointer: str, index: int) -> str:
    """Word i of plane `index`."""
    place = {0: "i", 1: "words + i"}.get(index, f"{index} * words + i")
    return f"{pointer}[{place}]"


def _identity(op: packed.PlaneDenseOp) -> str:
    if op.has_bipolar_weights:
        return "acc = 2 * sum of 2^j * popcount(w & x_j) - sum of x, as w is -1 or +1"
    if op.offsets is not None:
        return "acc = 2 * sum of 2^i * popcount(w_i & x) - sum of w, as x is -1 or +1"
    return "acc = sum of 2^(i+j) * popcount(w_i & x_j)"


__all__ = ["emit_plane_dense"]
