"""C for patches: the window of an output pixel is gathered once, for all its results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from irc.backends.c.kernels.sink import Sink, add_packing, as_unsigned
from irc.backends.c.kernels.windows import BorderTaps, Taps, call_windows
from irc.backends.c.text import c_type, fill, word_type, work_type
from irc.backends.c.unit import Moving, Unit, WindowCalls
from irc.dialects import packed
from irc.dialects.dense import BipolarType, DenseAttr, uint
from irc.dialects.packed_types import ArrayType, BitsType, container_width, to_planes


def call_dense_rows(
    unit: Unit, op: packed.DenseOp, function: str, arguments: Sequence[str | Moving]
) -> None:
    """Call `function(x, …arguments)` for each row of the operand of `op`.

    Rows lie one behind another, or are gathered into the slot of `packed.patches`.
    """
    work = _row_calls(unit, op, function, arguments)
    if op.is_lazy:
        unit.lazy[op.output] = work
    else:
        call_windows(unit, work)


def _row_calls(
    unit: Unit, op: packed.DenseOp, function: str, arguments: Sequence[str | Moving]
) -> WindowCalls:
    producer = op.input.owner
    if not isinstance(producer, packed.PatchesOp):
        pixel = packed.buffer_type(op.input).length // op.rows
        calls = [(function, ["$x", *arguments])]
        return WindowCalls(_pixels(op), pixel, unit.address(op.input), calls)
    gather, arguments_of_gather = _gather(unit, producer)
    patch = unit.address(producer.output)
    source = packed.buffer_type(producer.input)
    pixel = 1 if producer.channels_first else _row_elements(source, producer.channels)
    calls = [(gather, [*arguments_of_gather, patch]), (function, [patch, *arguments])]
    return WindowCalls(producer.windows, pixel, unit.address(producer.input), calls)


def _pixels(op: packed.DenseOp) -> packed.Windows:
    """Rows that lie one behind another, as windows: of the frame that a pool sees in them."""
    space: tuple[int, ...] = (op.rows,)
    for use in op.output.uses:
        if op.is_lazy and isinstance(use.operation, packed.OrPoolOp):
            space = use.operation.windows.space
    ones = (1,) * len(space)
    return packed.Windows(space, ones, ones, ones)


def emit_patches(unit: Unit, op: packed.PatchesOp) -> None:
    """Nothing: who reads the patches gathers them."""


def _row_elements(buffer: packed.BufferType, columns: int) -> int:
    match buffer:
        case BitsType():
            return buffer.planes * buffer.words
        case ArrayType():
            return columns


class _Gather:
    """What the functions that gather share: a walk over the taps, each of which is found `from`."""

    def __init__(self, unit: Unit, op: packed.PatchesOp, kind: str, *, joined: bool) -> None:
        """`kind` is the C type of elements or words; `joined` says that runs may span pixels."""
        source = packed.buffer_type(op.input)
        pixel = _row_elements(source, op.channels)
        self.run = pixel
        self.element = "from[i]"
        step = math.prod(op.windows.space)
        apart = 1 if op.channels_first else pixel
        if op.channels_first:
            self.element = "from[i * step]"
        if not op.windows.has_border:
            taps = Taps(op.windows, apart, joined=joined and not op.channels_first)
            self._from = [f"const {kind} *from = {taps.at('x')};"]
            self.parameters, self.arguments = taps.parameters, ["$x", *taps.arguments]
            if op.channels_first:
                self.parameters = [*self.parameters, "size_t step"]
                self.arguments = [*self.arguments, f"{step}u"]
            else:
                self.run = taps.run
            self._around = taps.around
            return
        taps = BorderTaps(op.windows, apart)
        self._around = taps.around
        self._from = [f"const {kind} *from = border;"]
        self._from += ["size_t step = 1;"] if op.channels_first else []
        self._from += [f"if ({taps.is_inside}) {{", f"    from = x + {taps.offset};"]
        self._from += [f"    step = {step}u;"] if op.channels_first else []
        self._from.append("}")
        self.parameters = [*taps.parameters, f"const {kind} *border"]
        border = _border(unit, op, source)
        self.arguments = [unit.address(op.input), *taps.arguments, border]

    def loops(self, body: str, **parts: str) -> str:
        """`body` for each tap, or for each run of taps."""
        return self._around("\n".join([*self._from, fill(body, element=self.element, **parts)]))


def _border(unit: Unit, op: packed.PatchesOp, source: packed.BufferType) -> str:
    """The constant that stands in for pixels of the border."""
    if isinstance(source, BitsType):
        words = to_planes(np.full(source.width, op.border), source.element_type, source.word)
        constant = DenseAttr.from_numpy(words, uint(source.word))
        return unit.words(op.label.data, "border", constant, in_ram=True)
    # The result's type, of the same storage, also holds the border.
    kind = packed.buffer_type(op.output).element_type
    constant = DenseAttr.from_numpy(np.full(op.channels, op.border), kind)
    return unit.constant(op.label.data, "border", constant, in_ram=True)


def _gather(unit: Unit, op: packed.PatchesOp) -> tuple[str, list[str]]:
    """The function that gathers one window, and its arguments but for the last, the patch."""
    source, result = packed.buffer_type(op.input), packed.buffer_type(op.output)
    if isinstance(source, BitsType):
        assert isinstance(result, BitsType)
        if op.keeps_pixels:
            return _gather_run(unit, op, word_type(source.word))
        if source.width % source.word:
            return _gather_bits(unit, op, source, result)
        if source.planes > 1:
            return _gather_planes(unit, op, source, result)
        return _gather_run(unit, op, word_type(source.word))
    if isinstance(result, BitsType):
        return _gather_packing(unit, op, source, result)
    return _gather_run(unit, op, c_type(source.element_type))


_RUN = """
/* A window: runs of elements. */
static void $name(const $in *x, $parameters, $in *patch)
{
    $loops
}
"""

_RUN_BODY = """
for (size_t i = 0; i < run; ++i) {
    patch[i] = $element;
}
"""
_NEXT_RUN = "patch += run;\n"


def _gather_run(unit: Unit, op: packed.PatchesOp, kind: str) -> tuple[str, list[str]]:
    """Whole pixels, those next to each other in one go."""
    walk = _Gather(unit, op, kind, joined=True)
    function = unit.function(
        "gather",
        _RUN,
        **{"in": kind},
        parameters=", ".join([*walk.parameters, "size_t run"]),
        # A window that is one run has no loop, and nothing behind the run.
        loops=walk.loops(_RUN_BODY + (_NEXT_RUN if "for (" in walk.loops("") else "")),
    )
    return function, [*walk.arguments, f"{walk.run}u"]


_PLANES = """
/* A window of pixels of $planes planes, plane by plane. */
static void $name(const $word *x, $parameters, $word *patch)
{
    $loops
}
"""

_PLANES_BODY = """
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
    walk = _Gather(unit, op, parts["word"], joined=False)
    function = unit.function(
        "gather_planes",
        _PLANES,
        parameters=", ".join([*walk.parameters, "size_t words", "size_t plane"]),
        loops=walk.loops(_PLANES_BODY, **parts),
        **parts,
    )
    return function, [*walk.arguments, f"{source.words}u", f"{result.words}u"]


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
    walk = _Gather(unit, op, parts["word"], joined=False)
    parameters = [*walk.parameters, "size_t words", "size_t size", "size_t plane"]
    function = unit.function(
        "gather_bits",
        _BITS,
        parameters=", ".join(parameters),
        loops=walk.loops(_BITS_BODY, **parts),
        **parts,
    )
    sizes = [f"{source.words}u", f"{source.width}u", f"{result.words}u"]
    return function, [*walk.arguments, *sizes]


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
    walk = _Gather(unit, op, kind, joined=True)
    is_bipolar = isinstance(source.element_type, BipolarType)
    sink = Sink()
    code = f"{walk.element} > 0" if is_bipolar else walk.element
    add_packing(sink, result, as_unsigned(code, container_width(source.element_type)))
    # The patch comes last, behind the stride between planes.
    sink.parameters.reverse()
    parts = sink.parts()
    function = unit.function(
        "gather_pack",
        _PACKING,
        **{"in": kind},
        extents=", ".join([*walk.parameters, "size_t run", "size_t results"]),
        loops=walk.loops(_PACKING_BODY, consume=parts.pop("consume")),
        **parts,
    )
    planes = [f"{result.words}u"] if result.planes > 1 else []
    return function, [*walk.arguments, f"{walk.run}u", f"{result.width}u", *planes]
