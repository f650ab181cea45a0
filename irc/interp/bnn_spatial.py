"""The meaning of the `bnn` operations on images and sequences, on NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import bnn
from irc.dialects.bnn_spatial import window_counts
from irc.interp.bnn import exact_dtype, to_element_type

Array = npt.NDArray[Any]


def windows(
    x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Array:
    """The windows of [N, …space, C] as a view [N, …counts, C, …kernel]."""
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    axes = tuple(range(1, 1 + len(extents)))
    view = sliding_window_view(x, extents, axis=axes)
    moves = tuple(slice(None, None, stride) for stride in strides)
    steps = tuple(slice(None, None, dilation) for dilation in dilations)
    return view[(slice(None), *moves, slice(None), *steps)]


def convolve(
    x: Array,
    weights: Array,
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Array:
    """`bnn.conv` of frames [N, …space, C] and weights [M, …kernel, C/G]: [N, …counts, M].

    Exact for integers; in float32, position by position of the kernel, for floats. One matrix
    product a position needs no copy of the windows.
    """
    kernel = weights.shape[1:-1]
    counts = window_counts(x.shape[1:-1], kernel, strides, dilations)
    is_float = x.dtype.kind == "f" or weights.dtype.kind == "f"
    columns = int(np.prod(weights.shape[1:], dtype=np.int64))
    dtype = np.dtype(np.float32) if is_float else exact_dtype(x, weights, columns)
    x, weights = x.astype(dtype), weights.astype(dtype)
    rows, channels = len(weights) // groups, weights.shape[-1]
    sums = np.zeros((len(x), *counts, len(weights)), dtype)
    for position, part in _parts(x, counts, kernel, strides, dilations):
        matrix = weights[(slice(None), *position)]
        if channels == 1:
            # Depthwise: each output channel is a multiple of one input channel.
            sums += (part if rows == 1 else np.repeat(part, rows, axis=-1)) * matrix[:, 0]
            continue
        # Matrix products are fastest on matrices: [group, pixels, C/G] · [group, C/G, M/G].
        pixels = part.reshape(-1, groups, channels).swapaxes(0, 1)
        product = pixels @ matrix.reshape(groups, rows, channels).swapaxes(1, 2)
        sums += product.swapaxes(0, 1).reshape(sums.shape)
    return sums if is_float else sums.astype(np.int64)


def _parts(
    x: Array,
    counts: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Each position of the kernel, and the elements [N, …counts, C] that windows have there."""
    for position in np.ndindex(*kernel):
        moves = tuple(
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(position, dilations, counts, strides, strict=True)
        )
        yield position, x[(slice(None), *moves)]


def pool(
    function: Callable[[Array, Array], Array],
    x: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Array:
    """A function of two elements, such as the larger, over all of each window: [N, …counts, C]."""
    counts = window_counts(x.shape[1:-1], kernel, strides, dilations)
    parts = (part for _, part in _parts(x, counts, kernel, strides, dilations))
    return reduce(function, parts)


@register_impls
class BnnSpatialFunctions(InterpreterFunctions):
    """Implementations for xDSL's `Interpreter`."""

    @impl(bnn.ConvOp)
    def run_conv(self, interpreter: Interpreter, op: bnn.ConvOp, args: PythonValues) -> Any:
        weights = op.weights.numpy()
        x = args[0]
        if x.dtype.kind == "f" and op.scales is not None:
            shape = (-1, *(1 for _ in weights.shape[1:]))
            weights = weights.astype(np.float32) * op.scales.numpy().reshape(shape)
        sums = convolve(x, weights, op.strides, op.dilations, op.groups)
        return (sums if op.offsets is None else sums + op.offsets.numpy(),)

    @impl(bnn.PadOp)
    def run_pad(self, interpreter: Interpreter, op: bnn.PadOp, args: PythonValues) -> Any:
        border = [(0, 0), *zip(op.before, op.after, strict=True), (0, 0)]
        element_type = bnn.frame_type(op.output).element_type
        x = to_element_type(args[0], element_type)
        return (np.pad(x, border, constant_values=x.dtype.type(op.pad_value)),)

    @impl(bnn.MaxPoolOp)
    def run_max_pool(self, interpreter: Interpreter, op: bnn.MaxPoolOp, args: PythonValues) -> Any:
        return (pool(np.maximum, args[0], op.kernel, op.strides, op.dilations),)

    @impl(bnn.SumPoolOp)
    def run_sum_pool(self, interpreter: Interpreter, op: bnn.SumPoolOp, args: PythonValues) -> Any:
        x = args[0] if args[0].dtype.kind == "f" else args[0].astype(np.int64)
        return (pool(np.add, x, op.kernel, op.strides, op.dilations),)
