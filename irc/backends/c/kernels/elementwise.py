"""C for the kernels that go through an array once: pack, quantize, argmax, copy."""

from __future__ import annotations

from irc.backends.c.kernels.code_sink import word_sink
from irc.backends.c.kernels.sink import (
    Sink,
    add_packing,
    as_unsigned,
    result_arguments,
)
from irc.backends.c.text import c_type, fill
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_types import BitsType, container_width

_PACK = """
/* Elements into bits. */
static void $name(const $in *x, size_t results$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        $consume
    }
}
"""


def emit_pack(unit: Unit, op: packed.PackOp) -> None:
    """Bit j of an element goes to plane j; the sign of a bipolar one to its only plane."""
    source, result = packed.array_type(op.input), packed.bits_type(op.output)
    is_bipolar = isinstance(source.element_type, BipolarType)
    width = container_width(source.element_type)
    sink = Sink()
    add_packing(sink, result, as_unsigned("x[m] > 0" if is_bipolar else "x[m]", width))
    function = unit.function("pack", _PACK, **_input_type(op), **sink.parts())
    x = Moving(unit.address(op.input), result.width)
    unit.call_rows(
        function, result.rows, [x, f"{result.width}u", *result_arguments(unit, sink, op)]
    )


_QUANTIZE = """
/* Thresholds, element by element. */
static void $name(const $in *x, size_t results$parameters)
{
    $declare
    $loop
}
"""


def emit_quantize(unit: Unit, op: packed.QuantizeOp) -> None:
    """Bits row by row; an array, whatever its rows, in one go."""
    result = packed.buffer_type(op.output)
    rows, width = 1, packed.array_type(op.input).length
    if isinstance(result, BitsType):
        rows, width = result.rows, result.width
    sink = word_sink(unit, op, width)
    acc = c_type(op.accumulator)
    # Behind the loop over bits there is no m.
    element = "const $acc acc = ($acc)*x;\n++x;" if sink.word else "const $acc acc = ($acc)x[m];"
    loop = sink.loop(fill(element, acc=acc))
    function = unit.function("quantize", _QUANTIZE, **_input_type(op), loop=loop, **sink.parts())
    x = Moving(unit.address(op.input), width)
    unit.call_rows(function, rows, [x, f"{width}u", *result_arguments(unit, sink, op)])


_ARGMAX = """
/* The index of the largest element, the first of several. */
static void $name(const $in *x, size_t size, $out *y)
{
    size_t best = 0;
    for (size_t i = 1; i < size; ++i) {
        if (x[i] > x[best]) {
            best = i;
        }
    }
    *y = ($out)best;
}
"""


def emit_argmax(unit: Unit, op: packed.ArgmaxOp) -> None:
    """One comparison an element."""
    result = packed.array_type(op.output)
    width = packed.array_type(op.input).length // result.length
    out = c_type(result.element_type)
    function = unit.function("argmax", _ARGMAX, **_input_type(op), out=out)
    x, y = Moving(unit.address(op.input), width), Moving(unit.address(op.output), 1)
    unit.call_rows(function, result.length, [x, f"{width}u", y])


def emit_copy(unit: Unit, source: str, destination: str, elements: int) -> None:
    """Copy a buffer to the caller's memory, of the same type."""
    unit.calls.append(f"memcpy({destination}, {source}, {elements}u * sizeof *{destination});")


def _input_type(op: packed.KernelOp) -> dict[str, str]:
    return {"in": c_type(packed.array_type(op.input).element_type)}
