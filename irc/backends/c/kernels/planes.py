"""C for low-bit weights and activations, by bit-planes (`packed.plane_dense`)."""

from __future__ import annotations

from irc.backends.c.kernels.code_sink import word_sink
from irc.backends.c.kernels.dense import offset_parts, signed_sum
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.plane_products import (
    counted_words,
    finished_sum,
    identity,
    plane_word,
    total_lines,
)
from irc.backends.c.kernels.plane_trees import emit_plane_tree
from irc.backends.c.kernels.popcount import count_type, popcount
from irc.backends.c.kernels.sink import result_arguments
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_types import plane_weights

_PLANE = """
/* By bit-planes: $identity. */
static void $name(const $word *x, $const $word *w, size_t words, size_t results$offsets$parameters)
{
    $declare
    $total
    $loop
}
"""

_PLANE_BODY = """
$counters
for (size_t i = 0; i < words; ++i) {
    $loads
    $counting
}
const $acc acc = ($acc)($sum);
w += $planes * words;
$moving
"""


def emit_plane_dense(unit: Unit, op: packed.PlaneDenseOp) -> None:
    """A counter for each pair of planes; every word of weights is loaded once."""
    if op.kernel is not None:
        emit_plane_tree(unit, op)
        return
    bits = packed.bits_type(op.input)
    acc, word = c_type(op.accumulator), word_type(bits.word)
    one = popcount(unit, op.popcount.data, bits.word)
    counter = count_type(bits.words * bits.word)
    of_x, of_w = plane_weights(bits.element_type), plane_weights(op.weight_type)
    terms = counted_words(op)
    products = signed_sum([(factor, f"({acc})c{n}") for n, (factor, _) in enumerate(terms)])
    total = total_lines(unit, op, "words")
    sink = word_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    body = fill(
        _PLANE_BODY,
        word=word,
        acc=acc,
        counters="\n".join(f"{counter} c{n} = 0;" for n in range(len(terms))),
        loads="\n".join(
            [
                *(f"const {word} w{i} = {plane_word('w', i)};" for i in range(len(of_w))),
                *(f"const {word} x{j} = {plane_word('x', j)};" for j in range(len(of_x))),
            ]
        ),
        counting="\n".join(
            f"c{n} += {one}(({word})({fill(text, k='')}));" for n, (_, text) in enumerate(terms)
        ),
        sum=finished_sum(op, f"({products})") + added,
        planes=f"{len(of_w)}u",
        moving="++offsets;" if added else "",
    )
    function = unit.function(
        "plane_dense",
        _PLANE,
        identity=identity(op),
        word=word,
        total=total,
        offsets=parameter,
        loop=sink.loop(body),
        **sink.parts(),
    )
    label = op.label.data
    arguments = [unit.words(label, "weights", op.weights), f"{bits.words}u", f"{op.channels}u"]
    arguments += [*offsets, *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


__all__ = ["emit_plane_dense"]
