"""Put integers in the place of float weights, the scales and the bias behind the sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.errors import IrcError
from irc.interp.bnn_spatial import convolve
from irc.passes.quantize.layer_choice import Layer, Weighted
from irc.passes.quantize.weight_scales import Quantized

Array = npt.NDArray[Any]


def float_rows(op: Weighted) -> Array:
    """The weights of a layer as float64 [M, K], its scales multiplied in.

    Raises `IrcError` for NaN and infinity.
    """
    rows = op.weights.numpy().astype(np.float64).reshape(op.weights.shape[0], -1)
    if op.scales is not None:
        rows = rows * op.scales.numpy().astype(np.float64).reshape(-1, 1)
    if not np.isfinite(rows).all():
        raise IrcError("the weights hold NaN or infinity", op.location)
    return rows


def signal_to_noise(signal: Array, noise: Array) -> float:
    """`10 · log10(Σ signal² / Σ noise²)` in dB; infinite without noise,
    −infinite with noise alone."""
    return decibels(float(np.square(signal).sum()), float(np.square(noise).sum()))


def decibels(signal: float, noise: float) -> float:
    """The ratio of two energies in dB."""
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > 0 else float("-inf")


def bias_correction(op: Weighted, quantized: Quantized, mean: Array) -> Array:
    """What rounding the weights takes from the mean of each sum: float32 [M].

    A sum is linear in its input, so that `E[W·x] − E[Ŵ·x] = (W − Ŵ)·E[x]`, with the mean input
    `mean` in the shape of a frame; a convolution takes the mean over its windows (Nagel et al.,
    Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019).
    """
    lost = (float_rows(op) - quantized.values).reshape(op.weights.shape)
    frame = mean[None].astype(np.float64)
    if isinstance(op, bnn.ConvOp):
        shift = convolve(frame, lost, op.strides, op.dilations, op.groups)
    else:
        shift = frame @ lost.T
    return shift.reshape(-1, len(lost)).mean(axis=0).astype(np.float32)


def replace_weights(layer: Layer, quantized: Quantized, correction: Array | None) -> None:
    """`W·x + b` as `scales · (integers · x) + (b + correction)`, of the bias none if it is 0.

    The sum is of whole multiples of the input's step, and what float32 rounds comes after it.
    """
    op = layer.op
    weights = quantized.integers.reshape(op.weights.shape)
    is_bipolar = bool((np.abs(weights) == 1).all())
    largest = int(np.abs(weights).max(initial=1))
    # A type that holds the negative of every weight, too: rows are negated where a slope falls.
    kind = bnn.bipolar if is_bipolar else bnn.smallest_int(-largest, largest)
    attribute = bnn.DenseAttr.from_numpy(weights, kind)
    new_ops: list[Operation] = []
    value = op.input
    if is_exact(bnn.frame_type(value).element_type):
        new_ops.append(bnn.CastOp(value))
        value = new_ops[-1].results[0]
    new_ops.append(with_operands(op, value, attribute))
    new_ops.append(_ewise("mul", new_ops[-1].results[0], quantized.scales))
    bias = np.zeros(1, np.float32) if op.offsets is None else op.offsets.numpy()
    if correction is not None:
        bias = bias + correction
    if bool(bias.any()):
        new_ops.append(_ewise("add", new_ops[-1].results[0], bias))
    for new_op in new_ops:
        new_op.location = op.location
    Rewriter.replace_op(op, new_ops)


def with_operands(op: Weighted, value: SSAValue, weights: bnn.DenseAttr) -> Weighted:
    """The same sum, in floats, of another value by other weights, without scales and offsets."""
    if isinstance(op, bnn.LinearOp):
        return bnn.LinearOp(value, weights, f32)
    return bnn.ConvOp(value, weights, f32, op.strides, op.dilations, op.groups)


def _ewise(fn: str, value: SSAValue, constant: Array) -> bnn.EwiseOp:
    same = bool((constant == constant.flat[0]).all())
    return bnn.EwiseOp(fn, value, bnn.DenseAttr.from_floats(constant.flat[0] if same else constant))
