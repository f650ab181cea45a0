"""How a matrix-vector unit multiplies: the encodings of weights and inputs, and their identities.

Every kind accumulates a number A over the beats of a vector, from which the sum follows as
`y[m] = scale · A − offset[m]`. The offset is a constant of the row, so that thresholds absorb it.
`irc.dialects.dataflow_products` says which kind a unit takes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute, SSAValue

from irc.dialects import dataflow
from irc.dialects.dataflow_products import is_ternary
from irc.dialects.dense import BipolarType, DenseAttr, element_range, element_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, bits_for, fit, popcount, scaled, total

Array = npt.NDArray[Any]
Bits = npt.NDArray[np.uint8]


def bit_planes(values: Array, element_type: Attribute) -> Bits:
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

    def weight_planes(self) -> Bits:
        """The bits of the weight memory, [planes, M, K]."""
        return bit_planes(self.weights.numpy(), self.weights.element_type)

    def rom_bits(self) -> Bits:
        """The words of the weight memory, 0/1 [NF·SF, bits], a word a cycle, plane by plane."""
        words = folded(self.weight_planes(), self.pe, self.simd)
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


def row_sums(weights: Array) -> Array:
    """The sum of each row [M, K], int64."""
    return weights.sum(axis=1, dtype=np.int64)


def unsigned_range(weights: Array, largest: int) -> tuple[int, int]:
    """The smallest and largest Σ_k w_k·v_k over all rows, for v from 0 to `largest`; and 0, which
    is what the accumulator holds before the first beat."""
    low, high = row_sums(np.minimum(weights, 0)).min(), row_sums(np.maximum(weights, 0)).max()
    return largest * int(low), largest * int(high)


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
        if isinstance(self.input_type, BipolarType):
            return np.full(1, self.weights.shape[1], np.int64)
        return row_sums(self.weights.numpy() < 0) * sum(plane_weights(self.input_type))

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


class TernaryPlanes(XnorPlanes):
    """Weights −1, 0 and +1, kept as a mask and a sign: a masked XNOR for each bit of the input.

    With m = [w ≠ 0] and s = [w > 0], `w·b = (m and xnor(s, b)) − [w = −1]` for a bit b, hence
    `y = A − #(w = −1) · Σ_j c_j` as for bipolar weights: half the popcounts of two planes. For a
    bipolar input, `y = 2·A − #(w ≠ 0)`.
    """

    def offsets(self) -> Array:
        if isinstance(self.input_type, BipolarType):
            return row_sums(self.weights.numpy() != 0)
        return super().offsets()

    def range(self) -> tuple[int, int]:
        used = int(row_sums(self.weights.numpy() != 0).max())
        counts = plane_weights(self.input_type)
        return used * sum(c for c in counts if c < 0), used * sum(c for c in counts if c > 0)

    def weight_planes(self) -> Bits:
        weights = self.weights.numpy()
        return np.stack([weights > 0, weights != 0]).astype(np.uint8)

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        sign, mask = b.slices(weights, self.simd)
        return total(
            b,
            [
                scaled(b, popcount(b, b.and_(mask, b.xnor(plane, sign))), count)
                for plane, count in zip(
                    b.slices(inputs, self.simd), plane_weights(self.input_type), strict=True
                )
            ],
        )


class BitPlanes(Products):
    """Integer weights: AND and popcount for each pair of a bit of the weights and of the input.

    `Σ_k w_k·x_k = Σ_i Σ_j c_i·d_j · popcount(w_i & x_j)`, where the planes of w count c_i and
    those of x count d_j, top planes of signed types negatively. A signed input is read as the
    unsigned `v = x + 2^(a−1)`, its sign bit flipped: `y = A − 2^(a−1) · Σ_k w_k`. A bipolar input
    is `x = 2·b − 1`: `y = 2·A − Σ_k w_k`.
    """

    @property
    def scale(self) -> int:
        return 2 if isinstance(self.input_type, BipolarType) else 1

    @property
    def is_signed(self) -> bool:
        """Whether the input has a sign bit, which is read flipped."""
        return (
            not isinstance(self.input_type, BipolarType) and element_range(self.input_type)[0] < 0
        )

    def offsets(self) -> Array:
        if isinstance(self.input_type, BipolarType):
            return row_sums(self.weights.numpy())
        if self.is_signed:
            return -element_range(self.input_type)[0] * row_sums(self.weights.numpy())
        return super().offsets()

    def range(self) -> tuple[int, int]:
        return unsigned_range(self.weights.numpy(), (1 << element_width(self.input_type)) - 1)

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        planes = b.slices(inputs, self.simd)
        if self.is_signed:
            planes[-1] = b.not_(planes[-1])
        weight_counts = plane_weights(self.weights.element_type)
        terms = [
            scaled(b, popcount(b, b.and_(plane, weight)), count << j)
            for j, plane in enumerate(planes)
            for weight, count in zip(b.slices(weights, self.simd), weight_counts, strict=True)
        ]
        return total(b, terms)


class Multipliers(BitPlanes):
    """Integer weights: one multiplier a lane, of the input read as in `BitPlanes`.

    With a bipolar input a multiplier is a mask: `Σ_k w_k·b_k`.
    """

    def rom_bits(self) -> Bits:
        words = folded(self.weight_planes(), self.pe, self.simd).swapaxes(-1, -2)
        return words.reshape(words.shape[0] * words.shape[1], -1)

    def arranged(self, b: HwBuilder, beat: SSAValue) -> SSAValue:
        return beat

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        width = element_width(self.input_type)
        low, high = element_range(self.weights.element_type)
        largest = (1 << width) - 1
        product_width = bits_for(low * largest, high * largest)
        lanes = b.slices(inputs, width)
        values = b.slices(weights, element_width(self.weights.element_type))
        terms: list[Number] = []
        for lane, value in zip(lanes, values, strict=True):
            if width == 1:
                bit = b.not_(lane) if self.is_signed else lane
                masked = b.mux(bit, value, 0)
                terms.append(Number(masked, low, high))
                continue
            top = b.bit(lane, -1)
            unsigned = b.concat(b.not_(top), b.trunc(lane, width - 1)) if self.is_signed else lane
            x = fit(b, Number(unsigned, 0, largest), product_width)
            w = fit(b, Number(value, low, high), product_width)
            terms.append(Number(b.mul(x, w), low * largest, high * largest))
        return total(b, terms)


class Negations(Products):
    """Bipolar weights: the input or its complement, which is one less than its negative.

    With n = [w = −1] and the signed x, `w·x = (x xor −n) + n`: A sums `x xor −n`, and
    `y = A + #(w = −1)`.
    """

    def offsets(self) -> Array:
        return -row_sums(self.weights.numpy() < 0)

    def range(self) -> tuple[int, int]:
        columns = self.weights.shape[1]
        low, high = element_range(self.input_type)
        return columns * min(low, -high - 1), columns * max(high, -low - 1)

    def arranged(self, b: HwBuilder, beat: SSAValue) -> SSAValue:
        return beat

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        low, high = element_range(self.input_type)
        ends = min(low, -high - 1), max(high, -low - 1)
        width = bits_for(*ends)
        terms: list[Number] = []
        for lane, kept in zip(
            b.slices(inputs, element_width(self.input_type)), b.slices(weights, 1), strict=True
        ):
            x = fit(b, Number(lane, low, high), width)
            terms.append(Number(b.xor(x, b.replicate(b.not_(kept), width)), *ends))
        return total(b, terms)


def products_for(
    style: str, weights: DenseAttr, input_type: Attribute, pe: int, simd: int
) -> Products:
    """The products of these encodings in a style, `planes` or `multiply`."""
    bipolar = isinstance(weights.element_type, BipolarType)
    kind: type[Products]
    if style == "multiply":
        kind = Negations if bipolar else Multipliers
    elif bipolar:
        kind = XnorPlanes
    else:
        kind = TernaryPlanes if is_ternary(weights) else BitPlanes
    return kind(weights, input_type, pe, simd)


def products_of(op: dataflow.MvuOp) -> Products:
    """The products of a matrix-vector unit."""
    input_type = dataflow.stream_type(op.input).element_type
    style = op.product_style(op.folding)
    return products_for(style, op.weights, input_type, op.pe, op.simd)
