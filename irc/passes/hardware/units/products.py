"""How a matrix-vector unit multiplies: the encodings of weights and inputs, and their identities.

Every kind accumulates a number A over the beats of a vector, from which the sum follows as
`y[m] = scale · A − offset[m]`. The offset is a constant of the row, so that thresholds absorb it.
`irc.dialects.dataflow_products` says which kind a unit takes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute, SSAValue

from irc.dialects import dataflow
from irc.dialects.dataflow_products import is_ternary
from irc.dialects.dense import BipolarType, DenseAttr, element_range, element_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.counting import (
    add_columns,
    count_matches,
    forms,
    forms_of,
    match_columns,
    matching_forms,
)
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
    lut_inputs: int = 6
    """Inputs of the look-up tables that sums are shaped for."""

    scale = 1

    def offsets(self) -> Array:
        """offset[m], int64: [M], or [1] where all rows have the same."""
        return np.zeros(1, np.int64)

    @property
    def has_fixed_offset(self) -> bool:
        """Whether the offset is the same whatever the weights are."""
        return True

    @abstractmethod
    def range(self) -> tuple[int, int]:
        """The smallest and largest A over all rows and inputs."""

    def of_any_weights(self) -> Products:
        """These products of rows among which are the smallest and largest A and offset that any
        weights of the same type and number have."""
        column = np.array(self._extreme_weights(), np.int64)[:, None]
        rows = np.repeat(column, self.weights.shape[1], axis=1)
        return replace(self, weights=DenseAttr.from_numpy(rows, self.weights.element_type))

    def _extreme_weights(self) -> list[int]:
        """Weights of which rows of equal ones have the smallest and largest A and offset."""
        low, high = element_range(self.weights.element_type)
        return [low, high] if isinstance(self.weights.element_type, BipolarType) else [low, 0, high]

    def has_whole_start(self, *, any_weights: bool = False) -> bool:
        """Whether sums of y / scale, of which every row has a whole number, can start from
        `-offset / scale`: for these weights, or for any of the same type."""
        if any_weights and not self.has_fixed_offset and self.scale > 1:
            return False
        return not (self.offsets() % self.scale).any()

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

    def emit_rows(
        self, b: HwBuilder, inputs: Sequence[SSAValue], word: SSAValue
    ) -> list[list[Number]]:
        """What each row adds to A in a cycle, as numbers that are still to be added, from its
        arranged beat and a word of the memory."""
        weights = b.slices(word, b.width(word) // len(inputs))
        return [[self.emit(b, x, w)] for x, w in zip(inputs, weights, strict=True)]

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


def _of_rows(b: HwBuilder, digits: Sequence[SSAValue], most: int, rows: int) -> list[Number]:
    """Numbers up to `most` from digits that hold a bit of each row."""
    return [
        Number(b.concat(*(b.bit(digit, row) for digit in reversed(digits))), 0, most)
        for row in range(rows)
    ]


class XnorPlanes(Products):
    """Bipolar weights: XNOR and popcount for each bit of the input.

    For a bit b in {0, 1} and a weight w = ±1 encoded as a bit, `w·b = xnor(w, b) − [w = −1]`.
    Summed over planes that count c_j: `A = Σ_j c_j · popcount(xnor(w, x_j))` and
    `y = A − #(w = −1) · Σ_j c_j`. A bipolar input is one plane, and `y = 2·A − K`.

    Inputs and weights are kept in the forms of `counting`, as many bits as before; the word of the
    memory holds the complement of the weights, form by form, in each the bits of all rows.
    """

    @property
    def scale(self) -> int:
        return 2 if isinstance(self.input_type, BipolarType) else 1

    def offsets(self) -> Array:
        if isinstance(self.input_type, BipolarType):
            return np.full(1, self.weights.shape[1], np.int64)
        return row_sums(self.weights.numpy() < 0) * sum(plane_weights(self.input_type))

    @property
    def has_fixed_offset(self) -> bool:
        return isinstance(self.input_type, BipolarType)

    def range(self) -> tuple[int, int]:
        columns, counts = self.weights.shape[1], plane_weights(self.input_type)
        return columns * sum(c for c in counts if c < 0), columns * sum(c for c in counts if c > 0)

    @property
    def is_complete(self) -> bool:
        """Whether a row's count is one number: there are others, or it counts negatively, or there
        is no sum over several cycles."""
        return plane_weights(self.input_type) != [1] or self.simd == self.weights.shape[1]

    def rom_bits(self) -> Bits:
        words = forms(1 - folded(self.weight_planes()[0], self.pe, self.simd)).swapaxes(-1, -2)
        return words.reshape(words.shape[0] * words.shape[1], -1)

    def arranged(self, b: HwBuilder, beat: SSAValue) -> SSAValue:
        planes = b.slices(super().arranged(b, beat), self.simd)
        bits = [form for plane in planes for form in forms_of(b, b.slices(plane, 1))]
        return b.concat(*reversed(bits))

    def emit_rows(
        self, b: HwBuilder, inputs: Sequence[SSAValue], word: SSAValue
    ) -> list[list[Number]]:
        planes = [
            matching_forms(b, [b.extract(x, low, self.simd) for x in inputs], word, self.simd)
            for low in range(0, b.width(inputs[0]), self.simd)
        ]
        if not self.is_complete:
            digits, further = count_matches(b, planes[0], self.lut_inputs, complete=False)
            most = self.simd - (further is not None)
            counts = _of_rows(b, digits, most, len(inputs))
            if further is None:
                return [[count] for count in counts]
            carries = [Number(b.bit(further, row), 0, 1) for row in range(len(inputs))]
            return [[count, carry] for count, carry in zip(counts, carries, strict=True)]
        weights = plane_weights(self.input_type)
        signs = [sign for sign in (1, -1) if any(sign * count > 0 for count in weights)]
        terms = [self._count(b, planes, sign, len(inputs)) for sign in signs]
        return [[total(b, of_row)] for of_row in zip(*terms, strict=True)]

    def _count(
        self, b: HwBuilder, planes: Sequence[Sequence[SSAValue]], sign: int, rows: int
    ) -> list[Number]:
        """For each row, what the planes add up to that count positively, or negatively."""
        columns: list[list[SSAValue]] = [[] for _ in range(len(planes) + 1)]
        counts = plane_weights(self.input_type)
        for j, (count, matching) in enumerate(zip(counts, planes, strict=True)):
            if count * sign > 0:
                for place, bits in enumerate(match_columns(b, matching), j):
                    columns[place] += bits
        most = self.simd * sum(abs(count) for count in counts if count * sign > 0)
        digits = add_columns(b, columns, most, self.lut_inputs)
        return [scaled(b, number, sign) for number in _of_rows(b, digits, most, rows)]

    def emit(self, b: HwBuilder, inputs: SSAValue, weights: SSAValue) -> Number:
        return total(b, self.emit_rows(b, [inputs], weights)[0])


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

    @property
    def has_fixed_offset(self) -> bool:
        return False

    def range(self) -> tuple[int, int]:
        used = int(row_sums(self.weights.numpy() != 0).max())
        counts = plane_weights(self.input_type)
        return used * sum(c for c in counts if c < 0), used * sum(c for c in counts if c > 0)

    def weight_planes(self) -> Bits:
        weights = self.weights.numpy()
        return np.stack([weights > 0, weights != 0]).astype(np.uint8)

    def _extreme_weights(self) -> list[int]:
        return [-1, 0, 1]

    rom_bits = Products.rom_bits
    arranged = Products.arranged
    emit_rows = Products.emit_rows

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

    @property
    def has_fixed_offset(self) -> bool:
        return not isinstance(self.input_type, BipolarType) and not self.is_signed

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

    @property
    def has_fixed_offset(self) -> bool:
        return False

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
    style: str,
    weights: DenseAttr,
    input_type: Attribute,
    pe: int,
    simd: int,
    lut_inputs: int = 6,
    *,
    ternary: bool | None = None,
) -> Products:
    """The products of these encodings in a style, `planes` or `multiply`; `ternary` says whether
    weights are, where their values do not."""
    bipolar = isinstance(weights.element_type, BipolarType)
    kind: type[Products]
    if style == "multiply":
        kind = Negations if bipolar else Multipliers
    elif bipolar:
        kind = XnorPlanes
    else:
        masked = is_ternary(weights) if ternary is None else ternary
        kind = TernaryPlanes if masked else BitPlanes
    return kind(weights, input_type, pe, simd, lut_inputs)


def products_of(op: dataflow.MvuOp, lut_inputs: int = 6) -> Products:
    """The products of a matrix-vector unit, for look-up tables of so many inputs."""
    input_type = dataflow.stream_type(op.input).element_type
    style = op.product_style(op.folding)
    return products_for(
        style, op.weights, input_type, op.pe, op.simd, lut_inputs, ternary=op.is_ternary
    )
