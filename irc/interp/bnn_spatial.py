"""The meaning of the `bnn` operations on images and sequences, on NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from irc.dialects import bnn
from irc.interp.bnn import exact_matmul, to_element_type

Array = npt.NDArray[Any]

MAX_PATCH_ELEMENTS = 1 << 24
"""Elements of all windows that are laid out at once."""


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

    Exact for integers; in float32, with the order of NumPy's matrix product, for floats.
    """
    kernel = weights.shape[1:-1]
    view = windows(x, kernel, strides, dilations)
    rank = len(kernel)
    counts = view.shape[1 : 1 + rank]
    # [N, …counts, …kernel, C], so that a window is a row as the weights have it.
    view = np.moveaxis(view, 1 + rank, -1)
    frame_elements = int(np.prod(view.shape[1:], dtype=np.int64))
    step = max(1, MAX_PATCH_ELEMENTS // max(1, frame_elements))
    is_float = x.dtype.kind == "f" or weights.dtype.kind == "f"
    rows = weights.reshape(groups, weights.shape[0] // groups, -1)
    results = np.empty((len(x), *counts, weights.shape[0]), np.float32 if is_float else np.int64)
    channels = weights.shape[-1]
    for start in range(0, len(x), step):
        part = view[start : start + step]
        sums: list[Array] = []
        for group in range(groups):
            patch = part[..., group * channels : (group + 1) * channels]
            flat = patch.reshape(*patch.shape[: 1 + rank], -1)
            if is_float:
                sums.append(flat.astype(np.float32) @ rows[group].astype(np.float32).T)
            else:
                sums.append(exact_matmul(flat, rows[group]))
        results[start : start + step] = np.concatenate(sums, axis=-1)
    return results


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
        view = windows(args[0], op.kernel, op.strides, op.dilations)
        return (view.max(axis=tuple(range(-len(op.kernel), 0))),)

    @impl(bnn.SumPoolOp)
    def run_sum_pool(self, interpreter: Interpreter, op: bnn.SumPoolOp, args: PythonValues) -> Any:
        x = args[0] if args[0].dtype.kind == "f" else args[0].astype(np.int64)
        view = windows(x, op.kernel, op.strides, op.dilations)
        return (view.sum(axis=tuple(range(-len(op.kernel), 0)), dtype=x.dtype),)
