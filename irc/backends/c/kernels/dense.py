"""C for the dense kernels (`irc.dialects.packed_dense` gives their identities)."""

from __future__ import annotations

from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.text import c_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.dense import DenseAttr


def offset_parts(unit: Unit, op: packed.BitsDenseOp, acc: str) -> tuple[str, str, list[str]]:
    """What is added to a sum, the parameter that holds it, and its argument.

    What is added stands at a pointer, which each result moves on.
    """
    if op.offsets is None:
        return "", "", []
    kind, argument = placed_parts(unit, op, "offsets")
    return f" + ({acc})*offsets", f", $const {kind} *offsets", [argument]


def placed_parts(
    unit: Unit, op: packed.BitsDenseOp, what: str, padded: DenseAttr | None = None
) -> tuple[str, str]:
    """The C type of the constant that places choose from, and where that of a row begins.

    Where a row lies in the grid, `$p0`, `$p1` and so on, chooses it. `padded` is that constant with
    more than a value for each channel, if a kernel reads more.
    """
    placed = padded or op.placed
    assert placed is not None
    label = op.label.data
    argument = unit.constant(label, what, placed)
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
        argument = f"{argument} + {grouped} * {placed.shape[-1]}u"
    return c_type(placed.element_type), argument


def signed_sum(terms: list[tuple[int, str]]) -> str:
    """`a + 2 * b - 4 * c` from pairs of a factor and a C expression."""
    text = ""
    for factor, term in terms:
        sign = " - " if factor < 0 else " + "
        scaled = term if abs(factor) == 1 else f"{abs(factor)} * {term}"
        text += sign + scaled
    return "-" + text[3:] if text.startswith(" - ") else text[3:]


_INT = """
/* Integers by integers: acc = sum of w * x. */
static void $name(const $in *x, $const $weight *w, size_t size, size_t results$parameters)
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
