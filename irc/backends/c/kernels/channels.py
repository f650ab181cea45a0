"""C for depthwise convolutions on bits: the sums of a word's channels are counted side by side."""

from __future__ import annotations

from irc.backends.c.kernels.dense import offset_parts, signed_sum
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_types import plane_weights

_CHANNELS = """
/* Channel by channel: $identity; word j of sums has bit j of each. */
static void $name(
    const $word *x, $const $word *w, size_t taps, size_t words, size_t results$offsets$parameters)
{
    size_t m = 0;
    $declare
    for (size_t n = 0; n < words; ++n) {
        $word sums[$depth] = {0};
        for (size_t k = 0; k < taps; ++k) {
            $loads
            $terms
        }
        for (unsigned lane = 0; lane < $width && m < results; ++lane) {
            $lanes
            const $acc acc = ($acc)($sum);
            $consume
            $moving
            ++m;
        }
    }
}
"""

_TERM = """
/* $what $bits. */
carry = ($word)($bits);
for (size_t j = $power; j < $depth; ++j) {
    const $word old = sums[j];
    sums[j] = ($word)(old ^ carry);
    carry = ($word)($pass & carry);
}
"""


def emit_channel_dense(unit: Unit, op: packed.ChannelDenseOp) -> None:
    """Half adders from bit to bit for each term of a tap; then each channel's sum is read off."""
    bits = packed.bits_type(op.input)
    acc, word = c_type(op.accumulator), word_type(bits.word)
    sink = thresholding_sink(unit, op, op.channels)
    added, parameter, offsets = offset_parts(unit, op, acc)
    of_w = range(len(plane_weights(op.weight_type)))
    of_x = range(bits.planes)
    loads = [_load("w", j, len(of_w), word) for j in of_w]
    loads += [_load("x", j, len(of_x), word) for j in of_x]
    terms = [
        fill(
            _TERM,
            what="Add" if sign > 0 else "Subtract",
            word=word,
            bits=text,
            power=str(power),
            depth=str(op.depth),
            # Where a carry leaves a sum, and where a borrow does.
            **{"pass": "old" if sign > 0 else "~old"},
        )
        for sign, text, power in packed.channel_terms(op.weight_type, bits.element_type)
    ]
    lanes = [
        f"const {acc} b{j} = ({acc})((unsigned)(sums[{j}] >> lane) & 1u);" for j in range(op.depth)
    ]
    counts = [(1 << j, f"b{j}") for j in range(op.depth)]
    if op.is_xnor:
        counts = [(-2 * count, bit) for count, bit in counts]
        counts.insert(0, (1, f"({acc})taps"))
    else:
        counts[-1] = (-counts[-1][0], counts[-1][1])
    function = unit.function(
        "channel_dense",
        _CHANNELS,
        identity="acc = taps - 2 * sum of (w ^ x)" if op.is_xnor else "acc = sum of w * x",
        word=word,
        acc=acc,
        depth=str(op.depth),
        width=f"{bits.word}u",
        loads="\n".join([*loads, f"{word} carry;"]),
        terms="\n".join(terms),
        lanes="\n".join(lanes),
        sum=signed_sum(counts) + added,
        moving="++offsets;" if added else "",
        offsets=parameter,
        **sink.parts(),
    )
    weights = unit.words(op.label.data, "weights", op.weights)
    sizes = [f"{op.columns}u", f"{bits.words}u", f"{op.channels}u", *offsets]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])


def _load(name: str, plane: int, planes: int, word: str) -> str:
    """Word `n` of a plane of tap `k`."""
    row = "k" if planes == 1 else f"(k * {planes}u + {plane}u)"
    return f"const {word} {name}{plane} = {name}[{row} * words + n];"
