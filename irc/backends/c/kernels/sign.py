"""C for bipolar weights by integers (`packed.sign_dense`)."""

from __future__ import annotations

from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import bit_sink, result_arguments, thresholding_sink
from irc.backends.c.kernels.tree import STRAIGHT
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_dense import TABLES, TAPS

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
    """Weights are taken bit by bit from their words, or sums of some from tables."""
    if op.lookup is not None:
        _emit_lookup(unit, op)
        return
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


_LOOKUP = """
/* Sums of $tables tables each. Kept apart from them, for their address to stay in a register. */
static $kind $name(const $acc *table, const uint8_t *w, size_t results$parameters)
{
    $declare
    $loop
}
"""

_ROW = """
/* Bipolar weights by integers: sums of four, w ? x : -x each, are looked up in tables. */
static void $name(const $in *x, const uint8_t *w, size_t results$parameters)
{
    $acc table[$size];
    $tables
    $lookup(table, w, results$arguments);
}
"""

_TABLES = """
for (size_t i = 0; i < $tables; ++i) {
    $acc *to = &table[16u * i];
    $lines
    x += 4;
}
"""

_LAST = """
{
    $acc *to = &table[$start];
    $lines
}
"""


def _emit_lookup(unit: Unit, op: packed.SignDenseOp) -> None:
    """Three instructions for four products; the tables cost as much as a few results."""
    acc = c_type(op.accumulator)
    sink = bit_sink(unit, op, op.channels)
    whole, rest = divmod(op.columns, TAPS)
    tables: list[str] = []
    if whole:
        tables.append(fill(_TABLES, tables=f"{whole}u", acc=acc, lines=_table_lines(TAPS, acc)))
    if rest:
        # Places of the elements that are missing are never looked at.
        start = f"{16 * whole}u"
        tables.append(fill(_LAST, acc=acc, start=start, lines=_table_lines(rest, acc)))
    terms = [f"{_table(i)}[w[{i}]]" for i in range(op.tables)]
    total = " + ".join(terms)
    # In int, which holds what the accumulator does, nothing is extended.
    body = f"const int acc = {total};" if acc == "int16_t" else f"const {acc} acc = {total};"
    body += f"\nw += {op.tables};"
    parts = sink.parts()
    unit.define_once(STRAIGHT)
    lookup = unit.function(
        "lookup",
        _LOOKUP,
        kind=f"{unit.name.upper()}_STRAIGHT void",
        acc=acc,
        tables=str(op.tables),
        loop=sink.loop(body),
        parameters=parts["parameters"],
        declare=parts["declare"],
    )
    names = [parameter.split()[-1].lstrip("*") for parameter in sink.parameters]
    function = unit.function(
        "lookup_dense",
        _ROW,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        acc=acc,
        size=str(16 * op.tables),
        tables="\n".join(tables),
        lookup=lookup,
        parameters=parts["parameters"],
        arguments="".join(f", {name}" for name in names),
    )
    weights = unit.constant(op.label.data, "weights", op.weights)
    arguments = [weights, f"{op.channels}u", *result_arguments(unit, sink, op)]
    call_dense_rows(unit, op, function, arguments)


def _table_lines(taps: int, acc: str) -> str:
    """A table of signed sums, by one addition each: its places in the order of Gray's code."""
    # Sums fit the accumulator, but C computes in int at least.
    kind = "int" if acc == "int16_t" else acc
    lines = [f"const {kind} d{j} = 2 * ({kind})x[{j}];" for j in range(taps)]
    lines.append(f"{kind} sum = -({' + '.join(f'({kind})x[{j}]' for j in range(taps))});")
    lines.append(f"to[0] = ({acc})sum;")
    for step in range(1, 1 << taps):
        place, before = (number ^ number >> 1 for number in (step, step - 1))
        sign = "+" if place > before else "-"
        lines.append(f"sum {sign}= d{(place ^ before).bit_length() - 1};")
        lines.append(f"to[{place}] = ({acc})sum;")
    return "\n".join(lines)


def _table(group: int) -> str:
    """The tables that a place in group `group` points into."""
    first = group // TABLES * TABLES
    return f"(table + {16 * first})" if first else "table"


__all__ = ["emit_sign_dense"]
