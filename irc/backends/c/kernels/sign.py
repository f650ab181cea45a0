"""C for bipolar weights by integers (`packed.sign_dense`)."""

from __future__ import annotations

from itertools import groupby

from irc.backends.c.kernels.code_sink import word_sink
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.kernels.tree import STRAIGHT
from irc.backends.c.kernels.vector import emit_sign_vectors
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed

_SIGN = """
/* Bipolar weights by integers: acc = sum of w ? x : -x. */
static void $name(const $in *x, $const $word *w, size_t size, size_t results$parameters)
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
    if op.vectors is not None:
        emit_sign_vectors(unit, op)
        return
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
static $kind $name(const $acc *table, $const uint8_t *w, size_t results$parameters)
{
    $declare
    $loop
}
"""

_ROW = """
/* Bipolar weights by integers: sums of some, w ? x : -x each, are looked up in tables. */
static $kind $name(
    const $in *x, $acc *table, $const uint8_t *w, size_t results$parameters)
{
    $acc *to = table;
    $tables
    $lookup(table, w, results$arguments);
}
"""

_TABLES = """
for (size_t i = 0; i < $tables; ++i) {
    $lines
    x += $taps;
    to += $entries;
}
"""


def _emit_lookup(unit: Unit, op: packed.SignDenseOp) -> None:
    """Three instructions for four products; the tables cost as much as a few results."""
    acc = c_type(op.accumulator)
    sink = word_sink(unit, op, op.channels)
    tables: list[str] = []
    for taps, group in groupby(op.tables, lambda table: table.taps):
        count = len(list(group))
        tables.append(
            fill(
                _TABLES,
                tables=f"{count}u",
                lines=_table_lines(taps, acc),
                taps=f"{taps}u",
                entries=f"{1 << taps}u",
            )
        )
    terms = [
        f"{f'(table + {table.window}u)' if table.window else 'table'}[w[{number}]]"
        for number, table in enumerate(op.tables)
    ]
    total = " + ".join(terms)
    # In int, which holds what the accumulator does, nothing is extended.
    body = f"const int acc = {total};" if acc == "int16_t" else f"const {acc} acc = {total};"
    body += f"\nw += {len(op.tables)};"
    parts = sink.parts()
    unit.define_once(STRAIGHT)
    kind = f"{unit.name.upper()}_STRAIGHT void"
    lookup = unit.function(
        "lookup",
        _LOOKUP,
        kind=kind,
        acc=acc,
        tables=str(len(op.tables)),
        loop=sink.loop(body),
        parameters=parts["parameters"],
        declare=parts["declare"],
    )
    names = [parameter.split()[-1].lstrip("*") for parameter in sink.parameters]
    function = unit.function(
        "lookup_dense",
        _ROW,
        kind=kind,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        acc=acc,
        tables="\n".join(tables),
        lookup=lookup,
        parameters=parts["parameters"],
        arguments="".join(f", {name}" for name in names),
    )
    weights = unit.constant(op.label.data, "weights", op.weights)
    sizes = [f"{op.channels}u"]
    arguments = [unit.scratch(op), weights, *sizes, *result_arguments(unit, sink, op)]
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


__all__ = ["emit_sign_dense"]
