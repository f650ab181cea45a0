"""C for pools, borders and kernels of groups."""

from __future__ import annotations

from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.kernels.windows import Pool, Taps, call_windows
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Moving, Unit, WindowCalls
from irc.dialects import packed

_OR = """
/* The largest of bits: OR over a window. */
static void $name(const $word *x, $parameters, $word *y)
{
    for (size_t i = 0; i < words; ++i) {
        $word bits = 0;
        $loops
        y[i] = bits;
    }
}
"""


_CLEAR = """
/* No bits. */
static void $name($word *y, size_t words)
{
    for (size_t i = 0; i < words; ++i) {
        y[i] = 0;
    }
}
"""

_MERGE = """
/* The larger of bits. */
static void $name(const $word *x, size_t words, $word *y)
{
    for (size_t i = 0; i < words; ++i) {
        y[i] = ($word)(y[i] | x[i]);
    }
}
"""


def clear_function(unit: Unit, word: str) -> str:
    """The function that sets words to zero; returns its name."""
    return unit.function("clear", _CLEAR, word=word)


def emit_or_pool(unit: Unit, op: packed.OrPoolOp) -> None:
    """All channels of a word at once; rows that do not lie there are computed one by one."""
    bits = packed.bits_type(op.input)
    word = word_type(bits.word)
    if op.input in unit.lazy:
        y = Moving(unit.address(op.output), bits.words)
        clear = clear_function(unit, word)
        merge = unit.function("merge", _MERGE, word=word)
        row = unit.address(op.input)
        pool = Pool(op.windows, (clear, [y, f"{bits.words}u"]), (merge, [row, f"{bits.words}u", y]))
        call_windows(unit, unit.lazy[op.input], pool)
        return
    taps = Taps(op.windows, bits.words, joined=False)
    body = f"bits = ({word})(bits | {taps.at('x', 'i')});"
    function = unit.function(
        "or_pool",
        _OR,
        word=word,
        parameters=", ".join([*taps.parameters, "size_t words"]),
        loops=taps.around(body),
    )
    y = Moving(unit.address(op.output), bits.words)
    arguments = ["$x", *taps.arguments, f"{bits.words}u", y]
    source = unit.address(op.input)
    call_windows(unit, WindowCalls(op.windows, bits.words, source, [(function, arguments)]))


_POOL = """
/* The $what of each channel in a window. */
static void $name(const $in *x, $extents$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        $acc acc = $first;
        $loops
        $consume
    }
}
"""

_LARGER = """
const $acc v = ($acc)$tap;
if (v > acc) {
    acc = v;
}
"""


def emit_max_pool(unit: Unit, op: packed.MaxPoolOp) -> None:
    """The first tap, and any that is larger."""
    acc = c_type(op.accumulator)
    taps = Taps(op.windows, op.channels, joined=False)
    body = fill(_LARGER, acc=acc, tap=taps.at("x", "m"))
    _emit_pool(unit, op, taps, "largest", f"({acc})x[m]", body)


def emit_sum_pool(unit: Unit, op: packed.SumPoolOp) -> None:
    """Every tap once."""
    acc = c_type(op.accumulator)
    taps = Taps(op.windows, op.channels, joined=False)
    body = f"acc = ({acc})(acc + ({acc}){taps.at('x', 'm')});"
    _emit_pool(unit, op, taps, "sum", "0", body)


def _emit_pool(
    unit: Unit,
    op: packed.MaxPoolOp | packed.SumPoolOp,
    taps: Taps,
    what: str,
    first: str,
    body: str,
) -> None:
    sink = thresholding_sink(unit, op, op.channels)
    function = unit.function(
        f"{op.name.removeprefix('packed.')}",
        _POOL,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        acc=c_type(op.accumulator),
        what=what,
        first=first,
        extents=", ".join([*taps.parameters, "size_t results"]),
        loops=taps.around(body),
        **sink.parts(),
    )
    arguments = ["$x", *taps.arguments, f"{op.channels}u", *result_arguments(unit, sink, op)]
    source = unit.address(op.input)
    call_windows(unit, WindowCalls(op.windows, op.channels, source, [(function, arguments)]))


_DEPTHWISE = """
/* Integers by integers, channel by channel: acc = sum of w * x. */
static void $name(
    const $in *x, $const $weight *w, size_t taps, size_t pixel, size_t members,
    size_t results$parameters)
{
    size_t member = 0;
    $declare
    for (size_t m = 0; m < results; ++m) {
        $acc acc = 0;
        for (size_t k = 0; k < taps; ++k) {
            acc = ($acc)(acc + ($acc)w[k] * ($acc)x[k * pixel]);
        }
        w += taps;
        $consume
        if (++member == members) {
            member = 0;
            ++x;
        }
    }
}
"""

_GROUP = """
/* Integers by integers, of one group of channels each: acc = sum of w * x. */
static void $name(
    const $in *x, $const $weight *w, size_t taps, size_t pixel, size_t size, size_t members,
    size_t results$parameters)
{
    size_t member = 0;
    $declare
    for (size_t m = 0; m < results; ++m) {
        $acc acc = 0;
        for (size_t k = 0; k < taps; ++k) {
            for (size_t c = 0; c < size; ++c) {
                acc = ($acc)(acc + ($acc)w[c] * ($acc)x[k * pixel + c]);
            }
            w += size;
        }
        $consume
        if (++member == members) {
            member = 0;
            x += size;
        }
    }
}
"""


def emit_group_dense(unit: Unit, op: packed.GroupDenseOp) -> None:
    """`x` advances to the channels of the next group when all results of one are done."""
    sink = thresholding_sink(unit, op, op.channels)
    size = op.weights.shape[2]
    function = unit.function(
        "depthwise" if size == 1 else "group_dense",
        _DEPTHWISE if size == 1 else _GROUP,
        **{"in": c_type(packed.array_type(op.input).element_type)},
        weight=c_type(op.weights.element_type),
        acc=c_type(op.accumulator),
        **sink.parts(),
    )
    group = [] if size == 1 else [size]
    numbers = [op.taps, op.groups * size, *group, op.channels // op.groups, op.channels]
    weights = unit.constant(op.label.data, "weights", op.weights)
    sizes = [f"{number}u" for number in numbers]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])


__all__ = ["clear_function", "emit_group_dense", "emit_max_pool", "emit_or_pool", "emit_sum_pool"]
