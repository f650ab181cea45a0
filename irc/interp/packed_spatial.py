"""The meaning of the spatial kernels of the `packed` dialect, on NumPy.

Buffers are those of `irc.interp.packed`. The rows of `packed.patches`, which generated code gathers
one at a time, are all there: they are bits as well, or as many bytes as there are elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_pool import ArrayPoolOp
from irc.dialects.packed_types import (
    BitsType,
    is_signed,
    numpy_dtype,
    pack_words,
    to_planes,
    unpack_words,
)
from irc.interp.bnn import exact_matmul
from irc.interp.bnn_spatial import windows
from irc.interp.packed import elements_of, finish, store, with_offsets

Array = npt.NDArray[Any]

CHUNK_ELEMENTS = 1 << 24
"""Elements of patches that are laid out one by one at a time."""


@register_impls
class PackedSpatialFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(packed.PatchesOp)
    def run_patches(
        self, interpreter: Interpreter, op: packed.PatchesOp, args: PythonValues
    ) -> Any:
        source, result = packed.buffer_type(op.input), packed.buffer_type(op.output)
        x = _bordered(op, args[0])
        if isinstance(source, BitsType):
            assert isinstance(result, BitsType)
            if op.keeps_pixels:
                shape = (len(x), result.rows, result.planes, result.words)
                return (_gather(x, op.windows).reshape(shape),)
            if source.width % source.word == 0:
                # Whole words: [N, rows, planes, words] as frames whose channels are plane by plane.
                patches = _gather(x, op.windows)
                patches = patches.reshape(*patches.shape[:3], source.planes, source.words)
                moved = np.moveaxis(patches, 3, 2)
                return (moved.reshape(len(x), result.rows, result.planes, result.words),)
            return (_in_chunks(op, x, lambda part: _gather_bits(part, op, source)),)
        if not isinstance(result, BitsType):
            return (_gather(x, op.windows).reshape(len(x), result.length),)
        return (
            _in_chunks(
                op,
                x,
                lambda part: store(_gather(part, op.windows).reshape(len(part), -1), result),
            ),
        )

    @impl(packed.GroupDenseOp)
    def run_group_dense(
        self, interpreter: Interpreter, op: packed.GroupDenseOp, args: PythonValues
    ) -> Any:
        channels, taps, size = op.weights.shape
        weights = op.weights.numpy().reshape(op.groups, channels // op.groups, taps * size)
        rows = args[0].reshape(len(args[0]), op.rows, taps, op.groups, size)
        sums = [
            exact_matmul(rows[:, :, :, group].reshape(len(rows), op.rows, -1), weights[group])
            for group in range(op.groups)
        ]
        accumulated = np.concatenate(sums, axis=-1).astype(numpy_dtype(op.accumulator))
        return (finish(op, accumulated),)

    @impl(packed.ChannelDenseOp)
    def run_channel_dense(
        self, interpreter: Interpreter, op: packed.ChannelDenseOp, args: PythonValues
    ) -> Any:
        dtype = numpy_dtype(op.accumulator)
        source = packed.bits_type(op.input)
        x = elements_of(args[0], source, dtype)
        kind = BitsType.of(op.columns, source.width, op.weight_type, source.word)
        weights = elements_of(op.weights.numpy()[None], kind, dtype)[0]
        windows = x.reshape(len(x), op.rows, op.columns, source.width)
        sums = np.einsum("nrkc,kc->nrc", windows, weights, dtype=dtype)
        # What is counted has `depth` bits, so that fewer than are needed show here as well.
        low = 0 if op.is_xnor else -(1 << (op.depth - 1))
        counted = (op.columns - sums) // 2 if op.is_xnor else sums
        counted = (counted.astype(np.int64) - low) % (1 << op.depth) + low
        sums = op.columns - 2 * counted if op.is_xnor else counted
        return (finish(op, with_offsets(op, sums.astype(dtype))),)

    @impl(packed.OrPoolOp)
    def run_or_pool(self, interpreter: Interpreter, op: packed.OrPoolOp, args: PythonValues) -> Any:
        x = args[0]
        source, result = packed.bits_type(op.input), packed.bits_type(op.output)
        patches = _gather(x.reshape(len(x), source.rows, -1), op.windows)
        words = np.bitwise_or.reduce(patches, axis=2)
        return (words.reshape(len(x), result.rows, result.planes, result.words),)

    @impl(packed.MaxPoolOp)
    def run_max_pool(
        self, interpreter: Interpreter, op: packed.MaxPoolOp, args: PythonValues
    ) -> Any:
        return (_pooled(op, _gather(args[0], op.windows).max(axis=2)),)

    @impl(packed.SumPoolOp)
    def run_sum_pool(
        self, interpreter: Interpreter, op: packed.SumPoolOp, args: PythonValues
    ) -> Any:
        dtype = numpy_dtype(op.accumulator)
        return (_pooled(op, _gather(args[0], op.windows).sum(axis=2, dtype=dtype)),)

    @impl(packed.PadOp)
    def run_pad(self, interpreter: Interpreter, op: packed.PadOp, args: PythonValues) -> Any:
        source, result = packed.buffer_type(op.input), packed.buffer_type(op.output)
        x = args[0].reshape(len(args[0]), *op.space, -1)
        if isinstance(result, BitsType):
            assert isinstance(source, BitsType)
            border = pad_pixel(op.pad_value, result)
            pixels = args[0].reshape(len(x), *op.space, source.planes, source.words)
            inner = widen_planes(pixels, source, result).reshape(len(x), *op.space, -1)
        else:
            border = np.full(op.channels, op.pad_value, numpy_dtype(result.element_type))
            inner = x.astype(border.dtype)
        padded = _pad(inner, border, op.before, op.padded)
        if isinstance(result, BitsType):
            return (padded.reshape(len(x), result.rows, result.planes, result.words),)
        return (padded.reshape(len(x), -1),)


def _bordered(op: packed.PatchesOp, x: Array) -> Array:
    """The frames with their border, [N, pixels, elements or words], channels last."""
    source, windows = packed.buffer_type(op.input), op.windows
    if op.channels_first is not None:
        x = np.moveaxis(x.reshape(len(x), op.channels, -1), 1, 2)
    pixels = x.reshape(len(x), *windows.space, -1)
    if windows.has_border:
        if isinstance(source, BitsType):
            border = pad_pixel(op.border, source)
        else:
            # Bipolar or wider: the same type in memory.
            border = np.full(op.channels, op.border, numpy_dtype(source.element_type))
        pixels = _pad(pixels, border, windows.before, windows.padded)
    return pixels.reshape(len(x), -1, pixels.shape[-1])


def _pad(pixels: Array, border: Array, before: Sequence[int], padded: Sequence[int]) -> Array:
    """Frames [N, …space, elements] inside a border of the given pixel."""
    result = np.empty((len(pixels), *padded, border.size), border.dtype)
    result[...] = border.reshape(-1)
    sizes = zip(before, pixels.shape[1:], strict=False)
    place = [slice(start, start + size) for start, size in sizes]
    result[(slice(None), *place)] = pixels
    return result


def pad_pixel(value: int, result: BitsType) -> Array:
    """The words of one pixel, [planes, words], all of whose elements are `value`."""
    return to_planes(np.full(result.width, value), result.element_type, result.word)


def widen_planes(words: Array, source: BitsType, result: BitsType) -> Array:
    """The same values, [..., planes, words], as the wider type of `result`.

    Planes are repeated from the sign, or zero. Of a bipolar bit `b`, which is `2·b − 1`, plane 0
    is one and every other one the complement of `b`.
    """
    if source.planes == result.planes and source.element_type == result.element_type:
        return words
    planes = [words[..., plane, :] for plane in range(source.planes)]
    if isinstance(source.element_type, BipolarType):
        ones = pack_words(np.ones(source.width, np.uint8), source.word)
        negative = ~planes[0] & ones
        planes = [np.broadcast_to(ones, negative.shape), negative]
    top = planes[-1] if is_signed(source.element_type) else np.zeros_like(planes[-1])
    planes += [top] * (result.planes - len(planes))
    return np.stack(planes[: result.planes], axis=-2)


def _gather(x: Array, at: packed.Windows) -> Array:
    """Windows [N, P, taps, C] of frames [N, pixels · C] or [N, pixels, C], border included."""
    frames = x.reshape(len(x), *at.padded, -1)
    view = windows(frames, at.kernel, at.strides, at.dilations)
    rank = len(at.space)
    pixels = np.moveaxis(view, 1 + rank, -1)
    return pixels.reshape(len(x), at.number, at.taps, frames.shape[-1])


def _gather_bits(x: Array, op: packed.PatchesOp, source: BitsType) -> Array:
    """Patches of bits whose pixels end in mid-word: taken apart and packed again."""
    result = packed.bits_type(op.output)
    words = x.reshape(*x.shape[:2], source.planes, source.words)
    bits = unpack_words(words, source.width)
    patches = _gather(bits.reshape(*x.shape[:2], -1), op.windows)
    patches = patches.reshape(*patches.shape[:3], source.planes, source.width)
    rows = np.moveaxis(patches, 3, 2).reshape(len(x), result.rows, result.planes, result.width)
    return pack_words(rows, result.word)


def _in_chunks(op: packed.PatchesOp, x: Array, function: Callable[[Array], Array]) -> Array:
    """`function` of a few frames at a time."""
    result = packed.bits_type(op.output)
    elements = result.rows * result.width * result.planes
    step = max(1, CHUNK_ELEMENTS // elements)
    starts: Sequence[int] = range(0, max(len(x), 1), step)
    return np.concatenate([function(x[start : start + step]) for start in starts])


def _pooled(op: ArrayPoolOp, values: Array) -> Array:
    """Thresholded, where there are thresholds, and stored; values are [N, P, C]."""
    if op.staircase is None:
        return store(values.reshape(len(values), -1), packed.buffer_type(op.output))
    return finish(op, values.astype(numpy_dtype(op.accumulator)))


__all__ = ["PackedSpatialFunctions", "pad_pixel", "widen_planes"]
