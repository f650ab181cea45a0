"""C for patches: the window of an output pixel is gathered once, for all its results."""

from __future__ import annotations

from collections.abc import Sequence

from irc.backends.c.kernels.sink import Sink, add_packing, as_unsigned
from irc.backends.c.kernels.windows import Taps, call_windows
from irc.backends.c.text import c_type, fill, word_type, work_type
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_types import ArrayType, BitsType, container_width


def call_dense_rows(
    unit: Unit, op: packed.DenseOp, function: str, arguments: Sequence[str | Moving]
) -> None:
    """Call `function(x, …arguments)` for each row of the operand of `op`.

    Rows lie one behind another, or are gathered into the slot of `packed.patches`.
    """
    producer = op.input.owner
    if not isinstance(producer, packed.PatchesOp):
        x = Moving(unit.address(op.input), _row_elements(packed.buffer_type(op.input), op.columns))
        unit.call_rows(function, op.rows, [x, *arguments])
        return
    gather, extents = _gather(unit, producer)
    patch = unit.address(producer.output)
    source = packed.buffer_type(producer.input)
    call_windows(
        unit,
        producer.windows,
        _row_elements(source, producer.channels),
        unit.address(producer.input),
        [(gather, ["$x", *extents, patch]), (function, [patch, *arguments])],
    )


def emit_patches(unit: Unit, op: packed.PatchesOp) -> None:
    """Nothing: who reads the patches gathers them."""


def _row_elements(buffer: packed.BufferType, columns: int) -> int:
    match buffer:
        case BitsType():
            return buffer.planes * buffer.words
        case ArrayType():
            return columns


def _gather(unit: Unit, op: packed.PatchesOp) -> tuple[str, list[str]]:
    """The function `(x, …extents, patch)` that gathers one window, and the extents."""
    source, result = packed.buffer_type(op.input), packed.buffer_type(op.output)
    if isinstance(source, BitsType):
        assert isinstance(result, BitsType)
        if source.width % source.word:
            return _gather_bits(unit, op, source, result)
        if source.planes > 1:
            return _gather_planes(unit, op, source, result)
        return _gather_run(unit, op, word_type(source.word), source.words)
    if isinstance(result, BitsType):
        return _gather_packing(unit, op, source, result)
    return _gather_run(unit, op, c_type(source.element_type), op.channels)


_RUN = """
/* A window: runs of elements. */
static void $name(const $in *x, $parameters, $in *patch)
{
    $loops
}
"""

_RUN_BODY = """
const $in *from = $tap;
for (size_t i = 0; i < run; ++i) {
    patch[i] = from[i];
}
patch += run;
"""


def _gather_run(unit: Unit, op: packed.PatchesOp, kind: str, pixel: int) -> tuple[str, list[str]]:
    """Whole pixels, those next to each other in one go."""
    taps = Taps(op.windows, pixel, joined=True)
    body = fill(_RUN_BODY, **{"in": kind}, tap=taps.at("x"))
    parameters = ", ".join([*taps.parameters, "size_t run"])
    function = unit.function(
        "gather", _RUN, **{"in": kind}, parameters=parameters, loops=taps.around(body)
    )
    return function, [*taps.arguments, f"{taps.run}u"]


_PLANES = """
/* A window of pixels of $planes planes, plane by plane. */
static void $name(const $word *x, $parameters, $word *patch)
{
    $loops
}
"""

_PLANES_BODY = """
const $word *from = $tap;
for (size_t j = 0; j < $planes; ++j) {
    for (size_t i = 0; i < words; ++i) {
        patch[j * plane + i] = *from;
        ++from;
    }
}
patch += words;
"""


def _gather_planes(
    unit: Unit, op: packed.PatchesOp, source: BitsType, result: BitsType
) -> tuple[str, list[str]]:
    """Pixels of whole words with several planes."""
    parts = {"word": word_type(source.word), "planes": f"{source.planes}u"}
    taps = Taps(op.windows, source.planes * source.words, joined=False)
    body = fill(_PLANES_BODY, tap=taps.at("x"), **parts)
    parameters = ", ".join([*taps.parameters, "size_t words", "size_t plane"])
    function = unit.function(
        "gather_planes", _PLANES, parameters=parameters, loops=taps.around(body), **parts
    )
    return function, [*taps.arguments, f"{source.words}u", f"{result.words}u"]


_BITS = """
/* A window of pixels that end in mid-word: bits behind bits. */
static void $name(const $word *x, $parameters, $word *patch)
{
    size_t at = 0;
    for (size_t i = 0; i < $planes * plane; ++i) {
        patch[i] = 0;
    }
    $loops
}
"""

_BITS_BODY = """
const $word *from = $tap;
const unsigned shift = (unsigned)(at % $width);
for (size_t j = 0; j < $planes; ++j) {
    $word *to = patch + j * plane + at / $width;
    for (size_t i = 0; i < words; ++i) {
        const $work v = *from;
        to[i] = ($word)(to[i] | ($word)(v << shift));
        if (shift != 0) {
            const $word rest = ($word)(v >> ($width - shift));
            if (rest != 0) {
                to[i + 1u] = rest;
            }
        }
        ++from;
    }
}
at += size;
"""


def _gather_bits(
    unit: Unit, op: packed.PatchesOp, source: BitsType, result: BitsType
) -> tuple[str, list[str]]:
    """The padding of a pixel is zero, and what follows it is laid over."""
    parts = {
        "word": word_type(source.word),
        "work": work_type(source.word),
        "planes": f"{source.planes}u",
        "width": f"{source.word}u",
    }
    taps = Taps(op.windows, source.planes * source.words, joined=False)
    body = fill(_BITS_BODY, tap=taps.at("x"), **parts)
    parameters = [*taps.parameters, "size_t words", "size_t size", "size_t plane"]
    function = unit.function(
        "gather_bits", _BITS, parameters=", ".join(parameters), loops=taps.around(body), **parts
    )
    sizes = [f"{source.words}u", f"{source.width}u", f"{result.words}u"]
    return function, [*taps.arguments, *sizes]


_PACKING = """
/* A window of elements, packed into bits. */
static void $name(const $in *x, $extents$parameters)
{
    $declare
    size_t m = 0;
    $loops
}
"""

_PACKING_BODY = """
const $in *from = $tap;
for (size_t i = 0; i < run; ++i) {
    $consume
    ++m;
}
"""


def _gather_packing(
    unit: Unit, op: packed.PatchesOp, source: ArrayType, result: BitsType
) -> tuple[str, list[str]]:
    """Elements of an array become bits on the way: for few channels, which fill no word."""
    kind = c_type(source.element_type)
    taps = Taps(op.windows, op.channels, joined=True)
    is_bipolar = isinstance(source.element_type, BipolarType)
    sink = Sink()
    code = as_unsigned(
        "from[i] > 0" if is_bipolar else "from[i]", container_width(source.element_type)
    )
    # The sink takes the row's stride between planes after `y`.
    add_packing(sink, result, code)
    sink.parameters.reverse()
    parts = sink.parts()
    body = fill(_PACKING_BODY, **{"in": kind}, tap=taps.at("x"), consume=parts.pop("consume"))
    function = unit.function(
        "gather_pack",
        _PACKING,
        **{"in": kind},
        extents=", ".join([*taps.parameters, "size_t run", "size_t results"]),
        loops=taps.around(body),
        **parts,
    )
    planes = [f"{result.words}u"] if result.planes > 1 else []
    return function, [*taps.arguments, f"{taps.run}u", f"{result.width}u", *planes]
