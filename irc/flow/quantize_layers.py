"""How near each layer of a quantized network is to the float one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.interp.run import Progress, frames_at_once
from irc.passes.quantize.activation_sites import Movement
from irc.passes.quantize.calibration import observe
from irc.passes.quantize.layer_choice import Layer, layers_of
from irc.passes.quantize.replace_weights import decibels

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LayerReport:
    """A layer: the types of its weights and of what it reads, `f32` for floats.

    `weights_sqnr` and `output_sqnr` are the signal to noise ratios, in dB, of the weights and of
    the layer's sums with scale and bias; infinite where nothing was lost.
    """

    name: str
    weights: str
    activations: str
    weights_sqnr: float
    output_sqnr: float


def measure_layers(
    original: FuncOp,
    quantized: FuncOp,
    weights_sqnr: Mapping[str, float],
    frames: Array,
    progress: Progress | None = None,
) -> tuple[list[LayerReport], list[Array], list[Array]]:
    """A row a layer, and the outputs [N, …] of the float and of the quantized network.

    `weights_sqnr` are the layers whose weights were floats, by name.
    """
    pairs = list(zip(layers_of(original), layers_of(quantized), strict=True))
    step = min(frames_at_once(original), frames_at_once(quantized))
    wanted = observe(original, [one.op.output for one, _ in pairs], frames, step=step)
    given = observe(quantized, [_scaled(other) for _, other in pairs], frames, progress, step)
    energies = np.zeros((2, len(pairs)))
    before: list[list[Array]] = []
    after: list[list[Array]] = []
    for (wanted_results, signals), (results, sums) in zip(wanted, given, strict=True):
        before.append(wanted_results)
        after.append(results)
        for index, (signal, other) in enumerate(zip(signals, sums, strict=True)):
            signal = signal.astype(np.float64)
            energies[:, index] += np.square(signal).sum(), np.square(signal - other).sum()
    rows = [
        LayerReport(
            layer.name,
            type_text(layer.op.weights.element_type),
            type_text(_type_read(layer.op.input)),
            weights_sqnr.get(layer.name, math.inf),
            decibels(float(energies[0, index]), float(energies[1, index])),
        )
        for index, (_, layer) in enumerate(pairs)
    ]
    return rows, _joined(before), _joined(after)


def _joined(chunks: list[list[Array]]) -> list[Array]:
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def _scaled(layer: Layer) -> SSAValue:
    """A layer's sums with the scales and the bias that were put behind them."""
    value = layer.op.output
    while True:
        readers = [use.operation for use in value.uses]
        if len(readers) != 1 or not isinstance(readers[0], bnn.EwiseOp):
            return value
        if readers[0].location != layer.op.location:
            return value
        value = readers[0].output


def _type_read(value: SSAValue) -> Attribute:
    """The type of the integers that a sum reads, through what only moves or scales them."""
    while isinstance(value.owner, bnn.EwiseOp | Movement):
        value = value.owner.input
    if isinstance(value.owner, bnn.ConcatOp):
        return _type_read(value.owner.inputs[0])
    if isinstance(value.owner, bnn.CastOp):
        return bnn.frame_type(value.owner.input).element_type
    return bnn.frame_type(value).element_type


def type_text(element_type: Attribute) -> str:
    """`ui4`, `±1` for signs, `f32`."""
    return "±1" if isinstance(element_type, bnn.BipolarType) else str(element_type)
