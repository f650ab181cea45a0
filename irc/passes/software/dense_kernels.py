"""Which kernel multiplies, how its weights are packed, how wide its sums get."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation, SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import (
    BipolarType,
    DenseAttr,
    bipolar,
    element_range,
    element_width,
    sint,
    smallest_int,
    uint,
)
from irc.dialects.packed_base import ACCUMULATOR_WIDTHS, Staircase
from irc.dialects.packed_types import BitsType, pack_words, plane_weights, to_planes
from irc.errors import UnsupportedError
from irc.passes.software.gathering import border_places, gathered, pixel_bits

Array = npt.NDArray[Any]


MOST_TERMS = 4
"""Up to here adding bits for a word of channels at once beats multiplying channel by channel."""


LOOKUP_COLUMNS = 128
LOOKUP_CHANNELS = 16
"""Fewer results look less often at a table than it has entries."""
WIDE = 4
"""Activations of more bits have too many planes."""


@dataclass(frozen=True)
class SoftwareOptions:
    """What `convert-bnn-to-packed` is told."""

    word: int = 32
    popcount: str = "swar"
    max_plane_products: int = 8


class DenseKernel:
    """A `bnn.linear` or `bnn.conv` of exact types, seen as one of the dense kernels.

    The rows of a convolution are its output pixels, its columns the pixels of a window with the
    channels of one group. Depthwise ones of few bits count channels side by side; other groups
    take integers from an array, of whichever type they are. Without groups,
    bipolar by bipolar is XNOR; few enough pairs of planes go by bit-planes; bipolar weights with
    wide activations add or subtract; everything else multiplies.
    """

    def __init__(self, op: bnn.LinearOp | bnn.ConvOp, options: SoftwareOptions) -> None:
        self.op = op
        self.options = options
        shape = bnn.frame_type(op.output).get_shape()
        self.channels = shape[-1]
        self.rows = math.prod(shape[:-1])
        self.groups = op.groups if isinstance(op, bnn.ConvOp) else 1
        self.border = gathered(op) if isinstance(op, bnn.ConvOp) else None
        if self.border is not None and not self.border.is_zero_around_signs:
            self.border = None
        value = op.input if self.border is None else self.border.value
        self.input_type = bnn.frame_type(value).element_type
        self.values = op.weights.numpy().reshape(self.channels, -1)
        self.columns = self.values.shape[1]
        self.weight_type = _narrowest(op.weights, self.values)

    @cached_property
    def kind(self) -> type[packed.DenseOp]:
        """The op that computes it."""
        if self.groups > 1:
            return packed.ChannelDenseOp if self._counts_channels() else packed.GroupDenseOp
        if self.weight_type == self.input_type == bipolar:
            return packed.XnorDenseOp
        bipolar_weights = isinstance(self.weight_type, BipolarType)
        products = element_width(self.weight_type) * element_width(self.input_type)
        is_wide = element_width(self.input_type) > WIDE
        if bipolar_weights and is_wide and pays_lookup(self.columns, self.channels):
            return packed.SignDenseOp
        if products <= self.options.max_plane_products:
            return packed.PlaneDenseOp
        return packed.SignDenseOp if bipolar_weights else packed.IntDenseOp

    @property
    def input_bits(self) -> BitsType | None:
        """The layout of bits in which the kernel reads; `None` if it reads an array."""
        if self.kind in (packed.XnorDenseOp, packed.PlaneDenseOp):
            return BitsType.of(self.rows, self.columns, self.input_type, self.options.word)
        if self.kind is packed.ChannelDenseOp:
            pixels = self.rows * self.columns
            return BitsType.of(pixels, self.channels, self.input_type, self.options.word)
        return None

    def _counts_channels(self) -> bool:
        """Whether a convolution is depthwise, of few bits, and its pixels lie in bits anyway."""
        if not isinstance(self.op, bnn.ConvOp):
            return False
        is_depthwise = self.groups == self.channels == bnn.frame_type(self.op.input).get_shape()[-1]
        terms = packed.channel_terms(self.weight_type, self.input_type)
        within = element_width(self.weight_type) * element_width(self.input_type)
        fits = len(terms) == 1 or within <= self.options.max_plane_products
        pixels = pixel_bits(gathered(self.op).value, self.options.word)
        return is_depthwise and fits and len(terms) <= MOST_TERMS and pixels is not None

    @cached_property
    def sum_range(self) -> tuple[int, int]:
        """Least and largest sum for any input of the type: interval arithmetic on each row."""
        low, high = element_range(self.input_type)
        if isinstance(self.weight_type, BipolarType):
            positive = np.count_nonzero(self.values > 0, axis=1).astype(object)
            negative = self.columns - positive
        else:
            wide = self.values.astype(np.int64)
            positive = np.maximum(wide, 0).sum(axis=1).astype(object)
            negative = -np.minimum(wide, 0).sum(axis=1).astype(object)
        least = positive * low - negative * high
        most = positive * high - negative * low
        return int(least.min()), int(most.max())

    @cached_property
    def largest_intermediate(self) -> int:
        """A bound on the magnitude of everything that the kernel computes on its way."""
        largest_input = max(abs(bound) for bound in element_range(self.input_type))
        largest_weight = max(abs(bound) for bound in element_range(self.weight_type))
        if self.kind is packed.XnorDenseOp:
            return (2 if self.border is None else 3) * self.columns
        if self.kind is packed.ChannelDenseOp:
            return 4 * (1 << self._depth) + 2 * self.columns * largest_weight
        if self.kind is packed.PlaneDenseOp:
            inputs = sum(abs(count) for count in plane_weights(self.input_type))
            weights = sum(abs(count) for count in plane_weights(self.weight_type))
            return 2 * self.columns * inputs * weights + self.columns * (inputs + weights)
        if self.kind is packed.SignDenseOp:
            return self.columns * largest_input
        magnitudes = np.abs(self.values.astype(np.int64)).sum(axis=1)
        return int(magnitudes.max()) * largest_input

    def build(
        self, label: str, value: SSAValue, result: packed.BufferType, staircase: Staircase | None
    ) -> packed.DenseOp:
        """The op; `value` is in `input_bits` or an array. Raises `UnsupportedError`."""
        if staircase is not None:
            staircase = clamped(staircase, *self.sum_range)
        largest = max(self.largest_intermediate, staircase_bound(staircase))
        accumulator = accumulator_for(largest, self.op)
        word, popcount = self.options.word, self.options.popcount
        if self.kind is packed.XnorDenseOp:
            words = DenseAttr.from_numpy(pack_words(self.values > 0, word), uint(word))
            return packed.XnorDenseOp(
                label,
                value,
                words,
                result,
                accumulator,
                staircase,
                popcount,
                *self._corrections(),
            )
        if self.kind is packed.PlaneDenseOp:
            offsets, places = self._corrections()
            planes = to_planes(self.values, self.weight_type, word)
            words = DenseAttr.from_numpy(planes, uint(word))
            return packed.PlaneDenseOp(
                label,
                value,
                words,
                self.weight_type,
                offsets,
                result,
                accumulator,
                staircase,
                popcount,
                places,
            )
        if self.kind is packed.SignDenseOp:
            words = DenseAttr.from_numpy(pack_words(self.values > 0, word), uint(word))
            return packed.SignDenseOp(
                label, value, words, self.columns, result, accumulator, staircase
            )
        if self.kind is packed.ChannelDenseOp:
            taps = self.values.reshape(self.channels, self.columns).T
            words = DenseAttr.from_numpy(to_planes(taps, self.weight_type, word), uint(word))
            return packed.ChannelDenseOp(
                label,
                value,
                words,
                self.weight_type,
                self._depth,
                result,
                accumulator,
                staircase,
                *self._corrections(),
            )
        if isinstance(self.op, bnn.ConvOp) and self.groups > 1:
            shape = (self.channels, math.prod(self.op.kernel), -1)
            weights = DenseAttr.from_numpy(self.values.reshape(shape), self.weight_type)
            return packed.GroupDenseOp(
                label, value, weights, self.groups, result, accumulator, staircase
            )
        weights = DenseAttr.from_numpy(self.values, self.weight_type)
        return packed.IntDenseOp(label, value, weights, result, accumulator, staircase)

    @cached_property
    def _depth(self) -> int:
        """Bits of what a depthwise kernel counts: differences of signs, or signed sums."""
        if self.weight_type == self.input_type == bipolar:
            return self.columns.bit_length()
        low, high = self.sum_range
        return max((-low - 1).bit_length(), high.bit_length()) + 1

    def _corrections(self) -> tuple[DenseAttr | None, list[DenseAttr] | None]:
        """What kernels on bits add to their sums, and at which places of the border.

        Bipolar activations add `−Σ_k w[m, k]` over the taps inside of the frame to a sum by planes.
        To any other, the taps in a border of −1 have added `−Σ_k w[m, k]`, which is undone.
        """
        if not isinstance(self.input_type, BipolarType):
            return None, None
        sums = self.values.astype(np.int64)
        is_plane = self.kind is packed.PlaneDenseOp
        if self.border is None or not self.border.windows.has_border:
            return (None if not is_plane else DenseAttr.from_integers(-sums.sum(axis=1))), None
        places, inside = border_places(self.border.windows)
        taps = sums.reshape(self.channels, inside.shape[1], -1).sum(axis=2)
        table = -(inside @ taps.T) if is_plane else ~inside @ taps.T
        kinds = [DenseAttr.from_integers(numbers) for numbers in places]
        return DenseAttr.from_integers(table), kinds


def _narrowest(weights: DenseAttr, values: Array) -> Attribute:
    """The type with the fewest bits that holds these weights: often narrower than declared."""
    if isinstance(weights.element_type, BipolarType) or bool((np.abs(values) == 1).all()):
        return bipolar
    return smallest_int(int(values.min()), int(values.max()))


def accumulator_for(largest: int, op: Operation) -> IntegerType:
    """The narrowest accumulator for magnitudes up to `largest`.

    Raises `UnsupportedError` beyond 64 bits.
    """
    for width in ACCUMULATOR_WIDTHS:
        if largest < 1 << (width - 1):
            return sint(width)
    raise UnsupportedError(
        f"'{op.name}': sums reach {largest}, more than 64-bit integers hold", op.location
    )


def clamped(staircase: Staircase, low: int, high: int) -> Staircase:
    """The same function on integers from `low` to `high`, with thresholds clipped to them.

    `x >= t` is always so for `t <= low`, and never for `t > high`: `high + 1` says the same.
    """
    thresholds = np.clip(staircase.thresholds.numpy().astype(np.int64), low, high + 1)
    return Staircase(DenseAttr.from_integers(thresholds), staircase.steps, staircase.bias)


def staircase_bound(staircase: Staircase | None) -> int:
    """A bound on the magnitude of the thresholds, and of twice every partial sum of the codes."""
    if staircase is None:
        return 0
    thresholds = np.abs(staircase.thresholds.numpy().astype(object))
    steps = staircase.levels
    if staircase.steps is not None:
        steps = int(np.abs(staircase.steps.numpy().astype(object)).sum(axis=1).max())
    return max(int(thresholds.max()), 2 * (abs(staircase.bias) + steps) + 1)


def staircase_of(op: bnn.ThresholdOp) -> Staircase:
    """The function of a `bnn.threshold`, without steps if all are +1.

    One without thresholds is a constant; it gets a step of nothing, for C has no empty arrays.
    """
    steps = op.steps
    if steps is not None and bool((steps.numpy() == 1).all()):
        steps = None
    bias = op.bias.value.data
    if op.thresholds.shape[1]:
        return Staircase(op.thresholds, steps, bias)
    nothing = DenseAttr.from_integers(np.zeros((1, 1), np.int64))
    return Staircase(nothing, nothing, bias)


def pays_lookup(columns: int, channels: int) -> bool:
    """Whether tables of sums, filled once a row, pay: they take at least 8 bytes an element."""
    return columns <= LOOKUP_COLUMNS and channels >= LOOKUP_CHANNELS
