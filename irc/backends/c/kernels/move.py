"""C for what moves elements: transposes, slices, upsampling and concatenations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from irc.backends.c.kernels.pool import clear_function
from irc.backends.c.text import c_type, fill, word_type, work_type
from irc.backends.c.unit import Unit, advanced
from irc.dialects import packed
from irc.dialects.packed_types import BitsType

Walk = Sequence[tuple[int, int]]
"""Loops from the outermost to the innermost: how many steps, and how far each goes."""

_MOVE = """
/* $what, in the order in which loops of so many steps of such lengths find them. */
static void $name(const $in *x, $loops$parameters$in *y)
{
    $open
    $body
    $close
}
"""

_RUN = """
for (size_t i = 0; i < run; ++i) {
    y[i] = from[i];
}
y += run;
"""


def _pitches(shape: Sequence[int]) -> list[int]:
    """Elements from one to the next along each axis."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _simplified(walk: Walk) -> list[tuple[int, int]]:
    """The same walk in fewer loops."""
    loops: list[tuple[int, int]] = []
    for count, step in walk:
        if count == 1:
            continue
        if loops and loops[-1][1] == count * step:
            count *= loops.pop()[0]
        loops.append((count, step))
    return loops


def _emit_walk(unit: Unit, op: packed.KernelOp, kind: str, start: int, walk: Walk) -> None:
    """Write elements of C type `kind`, or runs of them, in the order in which `walk` reads them."""
    loops = _simplified(walk)
    source, destination = advanced(unit.address(op.input), start), unit.address(op.output)
    run = loops.pop()[0] if loops and loops[-1][1] == 1 else 1
    if not loops:
        unit.calls.append(f"memcpy({destination}, {source}, {run}u * sizeof({kind}));")
        return
    if run == 1:
        _emit_loops(unit, op, kind, source, loops, "Elements", "*y = *from;\n++y;", {})
    else:
        what = "Runs of elements"
        _emit_loops(unit, op, kind, source, loops, what, fill(_RUN), {"size_t run": f"{run}u"})


def _emit_loops(
    unit: Unit,
    op: packed.KernelOp,
    kind: str,
    source: str,
    loops: Walk,
    what: str,
    body: str,
    sizes: dict[str, str],
) -> None:
    """Call a function with `body` in its loops, which finds its elements `from` there."""
    axes = range(len(loops))
    opening = [f"for (size_t k{axis} = 0; k{axis} < n{axis}; ++k{axis}) {{" for axis in axes]
    place = "".join(f" + k{axis} * s{axis}" for axis in axes)
    lines = [f"const {kind} *from = x{place};", *body.split("\n")]
    function = unit.function(
        "move",
        _MOVE,
        what=what,
        **{"in": kind},
        loops="".join(f"size_t n{axis}, size_t s{axis}, " for axis in axes),
        parameters="".join(f"{parameter}, " for parameter in sizes),
        open="\n".join("    " * axis + line for axis, line in enumerate(opening)),
        body="\n".join("    " * len(loops) + line for line in lines),
        close="\n".join("    " * axis + "}" for axis in reversed(axes)),
    )
    numbers = [f"{count}u, {step}u" for count, step in loops]
    unit.call(function, [source, *numbers, *sizes.values(), unit.address(op.output)])


def emit_transpose(unit: Unit, op: packed.TransposeOp) -> None:
    """The result is written in order."""
    pitches = _pitches(op.dims)
    walk = [(op.dims[axis], pitches[axis]) for axis in op.axes]
    _emit_walk(unit, op, c_type(packed.array_type(op.input).element_type), 0, walk)


def emit_upsample(unit: Unit, op: packed.UpsampleOp) -> None:
    """A repeated element is a loop whose steps lead nowhere; a pixel of bits is some words."""
    buffer = packed.buffer_type(op.input)
    dims, factors = op.dims, op.factors
    if isinstance(buffer, BitsType):
        dims = (*dims[:-1], buffer.planes * buffer.words)
    walk: list[tuple[int, int]] = []
    for dim, pitch, factor in zip(dims, _pitches(dims), factors, strict=True):
        walk += [(dim, pitch), (factor, 0)]
    _emit_walk(unit, op, _kind(buffer), 0, walk)


def emit_slice(unit: Unit, op: packed.SliceOp) -> None:
    """Of bits whole pixels, whole words of them, or bits that are shifted into place."""
    buffer, result = packed.buffer_type(op.input), packed.buffer_type(op.output)
    dims, sizes = op.dims, list(op.sizes)
    offset, size = 0, 0
    if isinstance(buffer, BitsType):
        offset, size = op.offsets[-1], op.sizes[-1]
        dims, sizes[-1] = (*dims[:-1], buffer.planes * buffer.words), 1
    pitches = _pitches(dims)
    start = sum(o * p for o, p in zip(op.offsets[: len(dims)], pitches, strict=True))
    steps = [stride * pitch for stride, pitch in zip(op.strides, pitches, strict=True)]
    walk = list(zip(sizes, steps, strict=True))
    if not isinstance(buffer, BitsType) or not isinstance(result, BitsType):
        _emit_walk(unit, op, _kind(buffer), start, walk)
        return
    word = buffer.word
    start += offset // word - offset
    ends_in_padding = offset + size == buffer.width or size % word == 0
    planes = [*walk[:-1], (buffer.planes, buffer.words)]
    if offset % word == 0 and ends_in_padding:
        _emit_walk(unit, op, _kind(buffer), start, [*planes, (result.words, 1)])
        return
    kind = word_type(word)
    body = fill(_CUT, word=kind, work=work_type(word), width=f"{word}u")
    mask = (1 << ((size - 1) % word + 1)) - 1
    parts = {
        "unsigned shift": f"{offset % word}u",
        "size_t words": f"{result.words}u",
        "size_t there": f"{buffer.words - offset // word}u",
        f"{kind} last": f"0x{mask:0{word // 4}x}u",
    }
    source = advanced(unit.address(op.input), start)
    loops = _simplified(planes) or [(1, 0)]
    _emit_loops(unit, op, kind, source, loops, "Bits in mid-word", body, parts)


_CUT = """
for (size_t i = 0; i < words; ++i) {
    const $work v = from[i];
    y[i] = ($word)(v >> shift);
    if (shift != 0 && i + 1u < there) {
        const $work rest = from[i + 1u];
        y[i] = ($word)(y[i] | ($word)(rest << ($width - shift)));
    }
}
y[words - 1u] = ($word)(y[words - 1u] & last);
y += words;
"""


_LAY = """
/* Pieces that lie together, laid apart. */
static void $name(const $in *x, size_t pieces, size_t run, $in *y, size_t pitch)
{
    for (size_t p = 0; p < pieces; ++p) {
        for (size_t i = 0; i < run; ++i) {
            y[i] = x[i];
        }
        x += run;
        y += pitch;
    }
}
"""

_APPEND = """
/* Rows of bits, laid into longer rows of zeros at a bit of their first word. */
static void $name(
    const $word *x, size_t rows, size_t words, unsigned shift, $word *y, size_t pitch)
{
    for (size_t row = 0; row < rows; ++row) {
        for (size_t i = 0; i < words; ++i) {
            const $work v = x[i];
            const $word rest = ($word)(shift != 0 ? v >> ($width - shift) : 0u);
            y[i] = ($word)(y[i] | ($word)(v << shift));
            if (rest != 0) {
                y[i + 1u] = rest;
            }
        }
        x += words;
        y += pitch;
    }
}
"""


def emit_concat(unit: Unit, op: packed.ConcatOp) -> None:
    """Whole words are copied, each operand in one call; bits that lie otherwise are shifted."""
    result, destination = packed.buffer_type(op.output), unit.address(op.output)
    if isinstance(result, BitsType) and op.joins_rows:
        _emit_joined(unit, op, result, destination)
        return
    kind = _kind(result)
    pitch, at = result.length // op.parts, 0
    for value in op.operands:
        run = packed.buffer_type(value).length // op.parts
        _lay(unit, kind, unit.address(value), op.parts, run, advanced(destination, at), pitch)
        at += run


def _lay(
    unit: Unit, kind: str, source: str, pieces: int, run: int, destination: str, pitch: int
) -> None:
    if pieces == 1:
        unit.calls.append(f"memcpy({destination}, {source}, {run}u * sizeof({kind}));")
        return
    function = unit.function("lay", _LAY, **{"in": kind})
    unit.call(function, [source, f"{pieces}u", f"{run}u", destination, f"{pitch}u"])


def _emit_joined(unit: Unit, op: packed.ConcatOp, result: BitsType, destination: str) -> None:
    word, kind = result.word, word_type(result.word)
    sources = [packed.bits_type(value) for value in op.operands]
    rows = result.rows * result.planes
    is_whole = all(source.width % word == 0 for source in sources[:-1])
    if not is_whole:
        unit.call(clear_function(unit, kind), [destination, f"{result.length}u"])
    at = 0
    for value, source in zip(op.operands, sources, strict=True):
        to = advanced(destination, at // word)
        if is_whole:
            _lay(unit, kind, unit.address(value), rows, source.words, to, result.words)
        else:
            append = unit.function(
                "append", _APPEND, word=kind, work=work_type(word), width=f"{word}u"
            )
            numbers = [f"{rows}u", f"{source.words}u", f"{at % word}u"]
            unit.call(append, [unit.address(value), *numbers, to, f"{result.words}u"])
        at += source.width


def _kind(buffer: packed.BufferType) -> str:
    """The C type of an element, or of a word."""
    if isinstance(buffer, BitsType):
        return word_type(buffer.word)
    return c_type(buffer.element_type)


__all__ = ["emit_concat", "emit_slice", "emit_transpose", "emit_upsample"]
