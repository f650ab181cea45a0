"""C for borders: fill the result with the border, then lay the frame into it."""

from __future__ import annotations

import math

import numpy as np

from irc.backends.c.text import c_type, integer_literal, word_literals, word_type
from irc.backends.c.unit import Unit, advanced
from irc.dialects import packed
from irc.dialects.dense import BipolarType, DenseAttr, uint
from irc.dialects.packed_types import BitsType, is_signed, to_planes

_FILL = """
/* The same element everywhere. */
static void $name($out *y, size_t size, $out value)
{
    for (size_t i = 0; i < size; ++i) {
        y[i] = value;
    }
}
"""

_REPEAT = """
/* The same pixel everywhere. */
static void $name($out *y, size_t pixels, size_t size, $const $out *pixel)
{
    for (size_t p = 0; p < pixels; ++p) {
        for (size_t i = 0; i < size; ++i) {
            y[i] = pixel[i];
        }
        y += size;
    }
}
"""

_COPY = """
/* Elements, as they are or in a wider type. */
static void $name(const $in *x, size_t size, $out *y)
{
    for (size_t i = 0; i < size; ++i) {
        y[i] = ($out)x[i];
    }
}
"""

_WIDEN = """
/* Pixels with more planes. */
static void $name(const $word *x, size_t pixels, size_t words, $word last, $word *y)
{
    for (size_t p = 0; p < pixels; ++p) {
        for (size_t i = 0; i < words; ++i) {
            const $word ones = ($word)(i + 1u == words ? last : $all);
            $planes
        }
        x += $from * words;
        y += $to * words;
    }
}
"""


def emit_pad(unit: Unit, op: packed.PadOp) -> None:
    """The rows of the last axis are copied one by one."""
    result = packed.buffer_type(op.output)
    if isinstance(result, BitsType):
        _emit_bits(unit, op, packed.bits_type(op.input), result)
        return
    source = packed.array_type(op.input)
    out = c_type(result.element_type)
    value = integer_literal(op.pad_value)
    fill_all = unit.function("fill", _FILL, out=out)
    unit.call(fill_all, [unit.address(op.output), f"{result.length}u", value])
    copy = unit.function("copy", _COPY, **{"in": c_type(source.element_type)}, out=out)
    size = op.space[-1] * op.channels
    _call_rows(unit, op, copy, [f"{size}u"], (op.channels, op.channels))


def _emit_bits(unit: Unit, op: packed.PadOp, source: BitsType, result: BitsType) -> None:
    word = word_type(result.word)
    border = to_planes(np.full(result.width, op.pad_value), result.element_type, result.word)
    address, pixels = unit.address(op.output), math.prod(op.padded)
    if (border == border.flat[0]).all():
        value = word_literals(border.reshape(-1)[:1])[0]
        fill_all = unit.function("fill", _FILL, out=word)
        unit.call(fill_all, [address, f"{pixels * border.size}u", value])
    else:
        name = unit.words(op.label.data, "border", DenseAttr.from_numpy(border, uint(result.word)))
        repeat = unit.function("repeat", _REPEAT, out=word)
        unit.call(repeat, [address, f"{pixels}u", f"{border.size}u", name])
    strides = (source.planes * source.words, result.planes * result.words)
    if source.element_type == result.element_type:
        copy = unit.function("copy", _COPY, **{"in": word}, out=word)
        _call_rows(unit, op, copy, [f"{op.space[-1] * strides[0]}u"], strides)
        return
    widen = unit.function(
        "widen",
        _WIDEN,
        word=word,
        all=f"0x{'ff' * (result.word // 8)}u",
        planes="\n".join(_wider_planes(source, result, word)),
        **{"from": f"{source.planes}u", "to": f"{result.planes}u"},
    )
    spare = source.words * source.word - source.width
    last = f"0x{(1 << (source.word - spare)) - 1:0{source.word // 4}x}u"
    sizes = [f"{op.space[-1]}u", f"{source.words}u", last]
    _call_rows(unit, op, widen, sizes, strides)


def _wider_planes(source: BitsType, result: BitsType, word: str) -> list[str]:
    """One assignment a plane; see `irc.interp.packed_spatial.widen_planes`."""
    if isinstance(source.element_type, BipolarType):
        return [
            "y[i] = ones;" if j == 0 else f"y[{_plane(j)}] = ({word})(~x[i] & ones);"
            for j in range(result.planes)
        ]
    lines: list[str] = []
    for j in range(result.planes):
        plane = min(j, source.planes - 1)
        value = f"x[{_plane(plane)}]"
        if j >= source.planes and not is_signed(source.element_type):
            value = "0"
        lines.append(f"y[{_plane(j)}] = ({word})({value} & ones);")
    return lines


def _plane(index: int) -> str:
    return {0: "i", 1: "words + i"}.get(index, f"{index}u * words + i")


def _call_rows(
    unit: Unit, op: packed.PadOp, function: str, sizes: list[str], strides: tuple[int, int]
) -> None:
    """Call `function(x, …sizes, y)` for each row of the last axis.

    `strides` are the elements from pixel to pixel of the operand and of the result.
    """
    outer = op.space[:-1]
    looped = [axis for axis, size in enumerate(outer) if size > 1]
    row_of_x = [math.prod(op.space[axis + 1 :]) * strides[0] for axis in range(len(op.space))]
    row_of_y = [math.prod(op.padded[axis + 1 :]) * strides[1] for axis in range(len(op.space))]
    start = sum(before * row for before, row in zip(op.before, row_of_y, strict=True))
    x = unit.address(op.input)
    y = advanced(unit.address(op.output), start)
    for axis in looped:
        x = advanced(x, f"row{axis} * {row_of_x[axis]}u")
        y = advanced(y, f"row{axis} * {row_of_y[axis]}u")
    lines = [
        "    " * depth + f"for (size_t row{axis} = 0; row{axis} < {outer[axis]}u; ++row{axis}) {{"
        for depth, axis in enumerate(looped)
    ]
    lines.append("    " * len(looped) + f"{function}({', '.join([x, *sizes, y])});")
    lines += ["    " * depth + "}" for depth in reversed(range(len(looped)))]
    unit.calls += lines


__all__ = ["emit_pad"]
