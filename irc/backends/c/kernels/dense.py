"""C for the dense kernels (`irc.dialects.packed_dense` gives their identities)."""

from __future__ import annotations

from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.popcount import count_type, popcount
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
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
    bits = packed.bits_type(op.input)
    acc, word = c_type(op.accumulator), word_type(bits.word)
    one = popcount(unit, op.popcount.data, bits.word)
    counter = count_type(bits.words * bits.word)
    of_x, of_w = plane_weights(bits.element_type), plane_weights(op.weight_type)
    pairs = [(i, j) for i in range(len(of_w)) for j in range(len(of_x))]
    products = signed_sum([(of_w[i] * of_x[j], f"({acc})c{i}{j}") for i, j in pairs])
    total = ""
    if op.has_bipolar_weights:
        counts = [(of_x[j], f"({acc}){one}({_plane('x', j)})") for j in range(len(of_x))]
        adding = f"total = ({acc})(total + {signed_sum(counts)});"
        total = fill(_TOTAL, acc=acc, adding=adding)
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
        sum=("" if op.scale == 1 else "2 * ")
        + f"({products})"
        + (" - total" if op.has_bipolar_weights else "")
        + added,
        planes=f"{len(of_w)}u",
        **sink.parts(),
    )
    label = op.label.data
    arguments = [unit.words(label, "weights", op.weights), f"{bits.words}u", f"{op.channels}u"]
    arguments += [*offsets, *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


def offset_parts(unit: Unit, op: packed.BitsDenseOp, acc: str) -> tuple[str, str, list[str]]:
    """What is added to a sum, the parameter that holds it, and its argument."""
    if op.offsets is None:
        return "", "", []
    kind, argument = placed_parts(unit, op, "offsets")
    return f" + ({acc})offsets[m]", f", const {kind} *offsets", [argument]


def placed_parts(unit: Unit, op: packed.BitsDenseOp, what: str) -> tuple[str, str]:
    """The C type of the constant that places choose from, and where that of a row begins.

    Where a row lies in the grid, `$p0`, `$p1` and so on, chooses it.
    """
    assert op.placed is not None
    label = op.label.data
    argument = unit.constant(label, what, op.placed)
    place = ""
    for axis, kinds in enumerate(op.kinds):
        assert op.places is not None
        if place:
            place = f"({place}) * {kinds}u" if " + " in place else f"{place} * {kinds}u"
        if kinds > 1:
            name = unit.constant(label, f"places{axis}", op.places.data[axis])
            place = f"{place} + {name}[$p{axis}]" if place else f"{name}[$p{axis}]"
    if place:
        grouped = f"({place})" if " " in place else place
        argument = f"{argument} + {grouped} * {op.channels}u"
    return c_type(op.placed.element_type), argument


def _plane(pointer: str, index: int) -> str:
    """Word i of plane `index`."""
    place = {0: "i", 1: "words + i"}.get(index, f"{index} * words + i")
    return f"{pointer}[{place}]"


def signed_sum(terms: list[tuple[int, str]]) -> str:
    """`a + 2 * b - 4 * c` from pairs of a factor and a C expression."""
    text = ""
    for factor, term in terms:
        sign = " - " if factor < 0 else " + "
        scaled = term if abs(factor) == 1 else f"{abs(factor)} * {term}"
        text += sign + scaled
    return "-" + text[3:] if text.startswith(" - ") else text[3:]


def _identity(op: packed.PlaneDenseOp) -> str:
    if op.has_bipolar_weights:
        return "acc = 2 * sum of 2^j * popcount(w & x_j) - sum of x, as w is -1 or +1"
    if op.offsets is not None:
        return "acc = 2 * sum of 2^i * popcount(w_i & x) - sum of w, as x is -1 or +1"
    return "acc = sum of 2^(i+j) * popcount(w_i & x_j)"


_SIGN = """
/* Bipolar weights by integers: acc = sum of w ? x : -x. */
static void $name(const $in *x, const $word *w, size_t size, size_t results$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        $acc acc = 0;
        $word signs = 0;
        for (size_t k = 0; k < size; ++k) {
            if ((k & $mask) == 0u) {
                signs = *w;
                ++w;
            }
            acc = ($acc)((signs & 1u) ? acc + ($acc)x[k] : acc - ($acc)x[k]);
            signs = ($word)(signs >> 1);
        }
        $consume
    }
}
"""


def emit_sign_dense(unit: Unit, op: packed.SignDenseOp) -> None:
    """Weights are taken bit by bit from their words."""
    sink = thresholding_sink(unit, op, op.channels)
    function = unit.function(
        "sign_dense",
        _SIGN,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        word=word_type(op.word),
        mask=f"{op.word - 1}u",
        acc=c_type(op.accumulator),
        **sink.parts(),
    )
    weights = unit.words(op.label.data, "weights", op.weights)
    sizes = [f"{op.columns}u", f"{op.channels}u"]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])


_INT = """
/* Integers by integers: acc = sum of w * x. */
static void $name(const $in *x, const $weight *w, size_t size, size_t results$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        $acc acc = 0;
        for (size_t k = 0; k < size; ++k) {
            acc = ($acc)(acc + ($acc)w[k] * ($acc)x[k]);
        }
        $consume
        w += size;
    }
}
"""


def emit_int_dense(unit: Unit, op: packed.IntDenseOp) -> None:
    """A plain loop, which compilers turn into multiply-accumulate instructions."""
    sink = thresholding_sink(unit, op, op.channels)
    function = unit.function(
        "int_dense",
        _INT,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        weight=c_type(op.weights.element_type),
        acc=c_type(op.accumulator),
        **sink.parts(),
    )
    weights = unit.constant(op.label.data, "weights", op.weights)
    sizes = [f"{op.columns}u", f"{op.channels}u"]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])
