"""The meaning of the `packed` ops where branches meet, part or change size, on NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import packed
from irc.dialects.packed_types import (
    BitsType,
    numpy_dtype,
    pack_words,
    unpack_words,
)
from irc.interp.bnn_branch import take_slice, upsample
from irc.interp.packed import elements_of, finish

Array = npt.NDArray[Any]


@register_impls
class PackedBranchFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(packed.AddOp)
    def run_add(self, interpreter: Interpreter, op: packed.AddOp, args: PythonValues) -> Any:
        dtype = numpy_dtype(op.accumulator)
        sums: Array = np.zeros((len(args[0]), op.rows, op.width), dtype)
        for number, (words, value) in enumerate(zip(args, op.operands, strict=True)):
            elements = elements_of(words, packed.buffer_type(value), dtype)
            elements = elements.reshape(len(words), op.rows, -1, op.channels)
            if op.multipliers is not None:
                elements = elements * op.multipliers.numpy()[number].astype(dtype)
            sums += elements.reshape(sums.shape)
        return (finish(op, sums),)

    @impl(packed.FloatAddOp)
    def run_float_add(
        self, interpreter: Interpreter, op: packed.FloatAddOp, args: PythonValues
    ) -> Any:
        with np.errstate(all="ignore"):
            return (args[0] + args[1],)

    @impl(packed.ConcatOp)
    def run_concat(self, interpreter: Interpreter, op: packed.ConcatOp, args: PythonValues) -> Any:
        result = packed.buffer_type(op.output)
        frames = len(args[0])
        if not op.joins_rows:
            parts = [words.reshape(frames, op.parts, -1) for words in args]
            joined = np.concatenate(parts, axis=2)
        else:
            widths = [packed.bits_type(value).width for value in op.operands]
            bits = [unpack_words(words, size) for words, size in zip(args, widths, strict=True)]
            assert isinstance(result, BitsType)
            joined = pack_words(np.concatenate(bits, axis=-1), result.word)
        return (joined.reshape(frames, *_shape(result)),)

    @impl(packed.SliceOp)
    def run_slice(self, interpreter: Interpreter, op: packed.SliceOp, args: PythonValues) -> Any:
        result = packed.buffer_type(op.output)
        taken = [[*move] for move in (op.offsets, op.sizes, op.strides)]
        if not isinstance(result, BitsType):
            kept = take_slice(args[0].reshape(len(args[0]), *op.dims), *taken)
            return (kept.reshape(len(kept), -1),)
        offset, size = taken[0].pop(), taken[1].pop()
        taken[2].pop()
        # Whole pixels, then what is wanted of their bits.
        pixels = args[0].reshape(len(args[0]), *op.dims[:-1], *args[0].shape[2:])
        for move, whole in zip(taken, (0, None, 1), strict=True):
            move += [size if whole is None else whole for size in args[0].shape[2:]]
        kept = take_slice(pixels, *taken)
        bits = unpack_words(kept, op.dims[-1])[..., offset : offset + size]
        return (pack_words(bits, result.word).reshape(len(kept), *_shape(result)),)

    @impl(packed.UpsampleOp)
    def run_upsample(
        self, interpreter: Interpreter, op: packed.UpsampleOp, args: PythonValues
    ) -> Any:
        result, frames = packed.buffer_type(op.output), len(args[0])
        if not isinstance(result, BitsType):
            repeated = upsample(args[0].reshape(frames, *op.dims), op.factors)
        else:
            pixels = args[0].reshape(frames, *op.dims[:-1], -1)
            repeated = upsample(pixels, (*op.factors[:-1], 1))
        return (repeated.reshape(frames, *_shape(result)),)


def _shape(buffer: packed.BufferType) -> tuple[int, ...]:
    """How a frame of the buffer lies in NumPy."""
    if isinstance(buffer, BitsType):
        return (buffer.rows, buffer.planes, buffer.words)
    return (buffer.length,)


__all__ = ["PackedBranchFunctions"]
