"""The meaning of the `packed` dialect, on NumPy: the very words that the C code computes with.

Every buffer is an array with one axis in front, the frames: `!packed.array<S x T>` is [N, S] of the
C type that stores T, `!packed.bits<R x K x T, W>` is [N, R, planes, words] of unsigned W-bit words.
Sums, thresholds and codes are computed in the op's accumulator type, so that one that is too narrow
gives wrong results here as well. Function arguments and results are as in `irc.interp.bnn`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import IntegerType
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
from irc.interp.bnn import to_element_type
from irc.interp.ewise import apply_ewise

Array = npt.NDArray[Any]

CHUNK_BYTES = 1 << 18
"""Frames are taken in chunks whose input words stay in a core's cache."""


@register_impls
class PackedFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(packed.InputOp)
    def run_input(self, interpreter: Interpreter, op: packed.InputOp, args: PythonValues) -> Any:
        array = packed.array_type(op.output)
        return (args[0].reshape(len(args[0]), -1).astype(numpy_dtype(array.element_type)),)

    @impl(packed.OutputOp)
    def run_output(self, interpreter: Interpreter, op: packed.OutputOp, args: PythonValues) -> Any:
        frame = frame_type(op.output)
        values = args[0].reshape(len(args[0]), *frame.get_shape())
        return (to_element_type(values, frame.element_type),)

    @impl(packed.PackOp)
    def run_pack(self, interpreter: Interpreter, op: packed.PackOp, args: PythonValues) -> Any:
        return (_store(args[0], packed.buffer_type(op.output)),)

    @impl(packed.QuantizeOp)
    def run_quantize(
        self, interpreter: Interpreter, op: packed.QuantizeOp, args: PythonValues
    ) -> Any:
        return (_finish(op, args[0].astype(_accumulator(op))),)

    @impl(packed.XnorDenseOp)
    def run_xnor_dense(
        self, interpreter: Interpreter, op: packed.XnorDenseOp, args: PythonValues
    ) -> Any:
        weights = op.weights.numpy()
        sums = _by_rows(args[0][:, :, 0], len(weights), _accumulator(op))
        for chunk, x, out in sums:
            del chunk
            for m, row in enumerate(weights):
                out[m] = op.columns - 2 * _popcount(x ^ row[:, None], out.dtype)
        return (_finish(op, sums.result),)

    @impl(packed.PlaneDenseOp)
    def run_plane_dense(
        self, interpreter: Interpreter, op: packed.PlaneDenseOp, args: PythonValues
    ) -> Any:
        return (_finish(op, _plane_sums(op, args[0])),)

    @impl(packed.SignDenseOp)
    def run_sign_dense(
        self, interpreter: Interpreter, op: packed.SignDenseOp, args: PythonValues
    ) -> Any:
        signs = 2 * unpack_words(op.weights.numpy(), op.columns).astype(np.int8) - 1
        return (_finish(op, _products(op, args[0], signs)),)

    @impl(packed.IntDenseOp)
    def run_int_dense(
        self, interpreter: Interpreter, op: packed.IntDenseOp, args: PythonValues
    ) -> Any:
        return (_finish(op, _products(op, args[0], op.weights.numpy())),)
