"""The meaning of the `packed` dialect, on NumPy: the very words that the C code computes with.

Every buffer is an array with one axis in front, the frames: `!packed.array<S x T>` is [N, S] of the
C type that stores T, `!packed.bits<R x K x T, W>` is [N, R, planes, words] of unsigned W-bit words.
Sums, thresholds and codes are computed in the op's accumulator type, so that one that is too narrow
gives wrong results here as well. Function arguments and results are as in `irc.interp.bnn`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import packed
from irc.dialects.bnn import frame_type
from irc.dialects.dense import BipolarType
from irc.dialects.packed_types import (
    BitsType,
    numpy_dtype,
    plane_weights,
    to_planes,
    unpack_words,
)
from irc.interp.bnn import exact_matmul, to_element_type

Array = npt.NDArray[Any]

CHUNK_BYTES = 1 << 18
"""Frames are taken in chunks whose input words stay in a core's cache."""


@register_impls
class PackedFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(packed.InputOp)
    def run_input(self, interpreter: Interpreter, op: packed.InputOp, args: PythonValues) -> Any:
        buffer = packed.buffer_type(op.output)
        frames = args[0].reshape(len(args[0]), -1)
        if isinstance(buffer, BitsType):
            return (store(frames, buffer),)
        return (frames.astype(numpy_dtype(buffer.element_type)),)

    @impl(packed.OutputOp)
    def run_output(self, interpreter: Interpreter, op: packed.OutputOp, args: PythonValues) -> Any:
        frame = frame_type(op.output)
        values = args[0].reshape(len(args[0]), *frame.get_shape())
        return (to_element_type(values, frame.element_type),)

    @impl(packed.PackOp)
    def run_pack(self, interpreter: Interpreter, op: packed.PackOp, args: PythonValues) -> Any:
        return (store(args[0], packed.buffer_type(op.output)),)

    @impl(packed.QuantizeOp)
    def run_quantize(
        self, interpreter: Interpreter, op: packed.QuantizeOp, args: PythonValues
    ) -> Any:
        return (finish(op, args[0].astype(_accumulator(op))),)

    @impl(packed.XnorDenseOp)
    def run_xnor_dense(
        self, interpreter: Interpreter, op: packed.XnorDenseOp, args: PythonValues
    ) -> Any:
        counts = _popcounts(np.bitwise_xor, args[0][:, :, 0], op.plain_words(), _accumulator(op))
        if op.limits is not None:
            bits = (counts < op.by_place(op.limits)).astype(np.int8)
            result = packed.bits_type(op.output)
            signs = 2 * bits - 1 if isinstance(result.element_type, BipolarType) else bits
            return (store(signs.reshape(len(signs), -1), result),)
        return (finish(op, with_offsets(op, op.columns - 2 * counts)),)

    @impl(packed.PlaneDenseOp)
    def run_plane_dense(
        self, interpreter: Interpreter, op: packed.PlaneDenseOp, args: PythonValues
    ) -> Any:
        return (finish(op, _plane_sums(op, args[0])),)

    @impl(packed.SignDenseOp)
    def run_sign_dense(
        self, interpreter: Interpreter, op: packed.SignDenseOp, args: PythonValues
    ) -> Any:
        signs = 2 * op.bits().astype(np.int8) - 1
        return (finish(op, _products(op, args[0], signs)),)

    @impl(packed.IntDenseOp)
    def run_int_dense(
        self, interpreter: Interpreter, op: packed.IntDenseOp, args: PythonValues
    ) -> Any:
        return (finish(op, _products(op, args[0], op.weights.numpy())),)

    @impl(packed.ArgmaxOp)
    def run_argmax(self, interpreter: Interpreter, op: packed.ArgmaxOp, args: PythonValues) -> Any:
        result = packed.array_type(op.output)
        rows = args[0].reshape(len(args[0]), result.length, -1)
        return (np.argmax(rows, axis=-1).astype(numpy_dtype(result.element_type)),)

    @impl(packed.TransposeOp)
    def run_transpose(
        self, interpreter: Interpreter, op: packed.TransposeOp, args: PythonValues
    ) -> Any:
        frames = args[0].reshape(len(args[0]), *op.dims)
        moved = np.transpose(frames, (0, *(axis + 1 for axis in op.axes)))
        return (moved.reshape(len(moved), -1),)


def _accumulator(op: packed.ThresholdingOp) -> np.dtype[Any]:
    return numpy_dtype(op.accumulator)


def _popcounts(
    combine: Callable[[Array, Array], Array], x: Array, weights: Array, dtype: np.dtype[Any]
) -> Array:
    """`popcount(combine(x, w))` for every row of `x` [N, R, words] and of `weights` [M, words].

    The result is [N, R, M]. Words are taken 64 bits at a time: a count does not care.
    """
    frames, rows, _ = x.shape
    rows_of_x = np.ascontiguousarray(_widened(x.reshape(frames * rows, -1)).T)
    rows_of_weights = _widened(weights)
    counts = np.empty((len(weights), frames * rows), dtype)
    step = max(1, CHUNK_BYTES // (8 * len(rows_of_x)))
    for start in range(0, frames * rows, step):
        chunk = np.ascontiguousarray(rows_of_x[:, start : start + step])
        for count, row in zip(counts, rows_of_weights, strict=True):
            ones = np.bitwise_count(combine(chunk, row[:, None]))
            np.sum(ones, axis=0, dtype=dtype, out=count[start : start + step])
    return counts.T.reshape(frames, rows, len(weights))


def _widened(words: Array) -> Array:
    """The bytes of each row of words, zero-padded, as 64-bit words."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    room = np.zeros((len(raw), -(-raw.shape[1] // 8) * 8), np.uint8)
    room[:, : raw.shape[1]] = raw
    return room.view(np.uint64)


def _plane_sums(op: packed.PlaneDenseOp, x: Array) -> Array:
    dtype = _accumulator(op)
    planes_of_x = plane_weights(packed.bits_type(op.input).element_type)
    weights = op.row_words
    sums: Array = np.zeros((*x.shape[:2], op.channels), dtype)
    for i, a in enumerate(plane_weights(op.weight_type)):
        for j, b in enumerate(planes_of_x):
            counts = _popcounts(np.bitwise_and, x[:, :, j], weights[:, i], dtype)
            sums += dtype.type(a * b) * counts
    sums *= dtype.type(op.scale)
    if op.has_bipolar_weights:
        ones = np.bitwise_count(x).sum(axis=-1, dtype=dtype)
        sums -= (ones * np.array(planes_of_x, dtype)).sum(axis=-1, dtype=dtype)[..., None]
    return with_offsets(op, sums)


def with_offsets(op: packed.BitsDenseOp, sums: Array) -> Array:
    """Sums [N, R, M] with what is added to those of each row."""
    offsets = op.row_offsets()
    return sums if offsets is None else sums + offsets.astype(sums.dtype)


def _products(op: packed.DenseOp, x: Array, weights: Array) -> Array:
    """Sums of products [N, R, M], exact as long as the accumulator holds every partial sum."""
    rows = x.reshape(len(x), op.rows, op.columns)
    return exact_matmul(rows.astype(np.int64), weights).astype(_accumulator(op))


def elements_of(values: Array, buffer: packed.BufferType, dtype: np.dtype[Any]) -> Array:
    """The elements [N, …] of a buffer as integers of the given type."""
    if not isinstance(buffer, BitsType):
        return values.astype(dtype)
    bits = unpack_words(values, buffer.width).astype(dtype)
    if isinstance(buffer.element_type, BipolarType):
        return 2 * bits[:, :, 0] - 1
    counts = np.array(plane_weights(buffer.element_type), dtype)
    return (bits * counts[:, None]).sum(axis=2, dtype=dtype)


def finish(op: packed.ThresholdingOp, sums: Array) -> Array:
    """Threshold `sums`, if the op has thresholds, and store them as the result."""
    frames = len(sums)
    staircase = op.staircase
    if staircase is not None:
        thresholds = staircase.thresholds.numpy().astype(sums.dtype)
        steps = np.ones_like(thresholds)
        if staircase.steps is not None:
            steps = staircase.steps.numpy().astype(sums.dtype)
        x = sums.reshape(frames, -1, staircase.channels)
        codes = np.full(x.shape, staircase.bias, sums.dtype)
        for level in range(staircase.levels):
            codes += (x >= thresholds[:, level]) * steps[:, level]
        sums = codes
    result = packed.buffer_type(op.output)
    values = sums.reshape(frames, -1)
    if staircase is not None and isinstance(result.element_type, BipolarType):
        values = 2 * values - 1
    return store(values, result)


def store(values: Array, result: packed.BufferType) -> Array:
    """Values [N, elements] in the layout of `result`."""
    if isinstance(result, BitsType):
        rows = values.reshape(len(values), result.rows, result.width)
        return to_planes(rows, result.element_type, result.word)
    return values.astype(numpy_dtype(result.element_type))
