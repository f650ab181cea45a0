"""How a matrix-vector unit multiplies: the encodings of weights and inputs, and their identities.

Every kind accumulates a number A over the beats of a vector, from which the sum follows as
`y[m] = scale · A − offset[m]`. The offset is a constant of the row, so that thresholds absorb it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute, SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType, DenseAttr, element_range, element_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, bits_for, fit, popcount, scaled, total

Array = npt.NDArray[Any]


def bit_planes(values: Array, element_type: Attribute) -> npt.NDArray[np.uint8]:
    """The bits of the codes of `values`, least significant plane first: [planes, *shape]."""
    if isinstance(element_type, BipolarType):
        return (values > 0).astype(np.uint8)[None]
    planes = [(values >> j & 1).astype(np.uint8) for j in range(element_width(element_type))]
    return np.stack(planes)


def plane_weights(element_type: Attribute) -> list[int]:
    """What a bit of each plane counts: powers of two, the sign bit of a signed type negative."""
    width = element_width(element_type)
    powers = [1 << j for j in range(width)]
    if not isinstance(element_type, BipolarType) and element_range(element_type)[0] < 0:
        powers[-1] = -powers[-1]
    return powers


def folded(rows: Array, pe: int, simd: int) -> Array:
    """Weights [..., M, K] as [NF, SF, PE, ..., SIMD]: what each beat of computation needs."""
    *lead, m, k = rows.shape
    split = rows.reshape(*lead, m // pe, pe, k // simd, simd)
    n = len(lead)
    return split.transpose(n, n + 2, n + 1, *range(n), n + 3)


@dataclass(frozen=True)
class Products(ABC):
    """The products of one matrix-vector unit."""

    weights: DenseAttr
    input_type: Attribute
    pe: int
    simd: int

    scale = 1

    def offsets(self) -> Array:
        """offset[m], int64: [M], or [1] where all rows have the same."""
        return np.zeros(1, np.int64)

    @abstractmethod
    def range(self) -> tuple[int, int]:
        """The smallest and largest A over all rows and inputs."""

    def rom_bits(self) -> npt.NDArray[np.uint8]:
        """The words of the weight memory, 0/1 [NF·SF, bits], a word a cycle."""
        planes = bit_planes(self.weights.numpy(), self.weights.element_type)
        words = folded(planes, self.pe, self.simd)
        return words.reshape(words.shape[0] * words.shape[1], -1)

    def arranged(self, b: HwBuilder, beat: SSAValue) -> SSAValue:
        """An input beat, its bits in the order that `emit` takes: plane by plane."""
        width = element_width(self.input_type)
        planes = (
            b.concat(*(b.bit(beat, lane * width + j) for lane in reversed(range(self.simd))))
            for j in reversed(range(width))
        )
        return beat if width == 1 else b.concat(*planes)

    @abstractmethod
    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        """What one row adds to A in a cycle, from an arranged beat and its share of a word."""


class XnorPlanes(Products):
    """Bipolar weights: XNOR and popcount for each bit of the input.

    For a bit b in {0, 1} and a weight w = ±1 encoded as a bit, `w·b = xnor(w, b) − [w = −1]`.
    Summed over planes that count c_j: `A = Σ_j c_j · popcount(xnor(w, x_j))` and
    `y = A − #(w = −1) · Σ_j c_j`. A bipolar input is one plane, and `y = 2·A − K`.
    """

    @property
    def scale(self) -> int:
        return 2 if isinstance(self.input_type, BipolarType) else 1

    def offsets(self) -> Array:
        rows, columns = self.weights.shape
        if isinstance(self.input_type, BipolarType):
            return np.full(1, columns, np.int64)
        negative = columns - np.count_nonzero(self.weights.numpy() > 0, axis=1).reshape(rows)
        return negative.astype(np.int64) * sum(plane_weights(self.input_type))

    def range(self) -> tuple[int, int]:
        columns, counts = self.weights.shape[1], plane_weights(self.input_type)
        return columns * sum(c for c in counts if c < 0), columns * sum(c for c in counts if c > 0)

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        planes = b.slices(inputs, self.simd)
        return total(
            b,
            [
                scaled(b, popcount(b, b.xnor(plane, weights)), count)
                for plane, count in zip(planes, plane_weights(self.input_type), strict=True)
            ],
        )


class AndPlanes(Products):
    """Integer weights and bipolar inputs: AND and popcount for each bit of the weights.

    With x = 2·b − 1 for the bit b of the input, `Σ_k w_k·x_k = 2·Σ_k w_k·b_k − Σ_k w_k`, and
    `A = Σ_k w_k·b_k = Σ_j c_j · popcount(w_j & b)` over the planes of the weights.
    """

    scale = 2

    def offsets(self) -> Array:
        return self.weights.numpy().sum(axis=1, dtype=np.int64)

    def range(self) -> tuple[int, int]:
        weights = self.weights.numpy()
        low = np.minimum(weights, 0).sum(axis=1, dtype=np.int64).min()
        return int(low), int(np.maximum(weights, 0).sum(axis=1, dtype=np.int64).max())

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        planes = b.slices(weights, self.simd)
        return total(
            b,
            [
                scaled(b, popcount(b, b.and_(plane, inputs)), count)
                for plane, count in zip(
                    planes, plane_weights(self.weights.element_type), strict=True
                )
            ],
        )


class Multipliers(Products):
    """Integer weights and inputs: one multiplier a lane, and `y = A`."""

    def range(self) -> tuple[int, int]:
        weights = self.weights.numpy()
        positive = np.maximum(weights, 0).sum(axis=1, dtype=np.int64)
        negative = np.minimum(weights, 0).sum(axis=1, dtype=np.int64)
        low, high = element_range(self.input_type)
        lowest, highest = positive * low + negative * high, positive * high + negative * low
        # An empty sum counts too: it is what the accumulator holds before the first beat.
        return min(0, int(lowest.min())), max(0, int(highest.max()))

    def rom_bits(self) -> npt.NDArray[np.uint8]:
        planes = bit_planes(self.weights.numpy(), self.weights.element_type)
        words = folded(planes, self.pe, self.simd).swapaxes(-1, -2)
        return words.reshape(words.shape[0] * words.shape[1], -1)

    def arranged(self, b: HwBuilder, beat: SSAValue) -> SSAValue:
        return beat

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        input_range = element_range(self.input_type)
        weight_range = element_range(self.weights.element_type)
        ends = [x * w for x in input_range for w in weight_range]
        low, high = min(ends), max(ends)
        width = bits_for(low, high)
        terms: list[Number] = []
        lanes = b.slices(inputs, element_width(self.input_type))
        values = b.slices(weights, element_width(self.weights.element_type))
        for lane, value in zip(lanes, values, strict=True):
            x = fit(b, Number(lane, *input_range), width)
            w = fit(b, Number(value, *weight_range), width)
            terms.append(Number(b.mul(x, w), low, high))
        return total(b, terms)


def products_of(op: dataflow.MvuOp) -> Products:
    """The cheapest kind for the types of a matrix-vector unit."""
    input_type = dataflow.stream_type(op.input).element_type
    kind: type[Products] = Multipliers
    if isinstance(op.weights.element_type, BipolarType):
        kind = XnorPlanes
    elif isinstance(input_type, BipolarType):
        kind = AndPlanes
    return kind(op.weights, input_type, op.pe, op.simd)
