"""What convolutions gather: pixels of bits or of an array, and borders that they make up.

Zero is neither −1 nor +1. Around bipolar values it would take a second bit for every element;
instead the border is gathered as −1, and each sum corrected by what the border added to it: by the
weights that lie over it, which are few different sums, as windows reach over the same edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import BipolarType, is_exact
from irc.dialects.packed_types import BitsType, container_width

Array = npt.NDArray[Any]


def windows_of(op: bnn.ConvOp | bnn.MaxPoolOp | bnn.SumPoolOp) -> packed.Windows:
    """The windows that an op looks at."""
    space = bnn.frame_type(op.input).get_shape()[:-1]
    return packed.Windows(space, op.kernel, op.strides, op.dilations)


def folds_border(op: bnn.PadOp) -> bool:
    """Whether everybody who reads a frame with a border gathers it and can make up the border."""
    element_types = {bnn.frame_type(value).element_type for value in (op.input, op.output)}
    return (len(element_types) == 1 or _is_zero_around_signs(op)) and all(
        isinstance(use.operation, bnn.ConvOp) and not windows_of(use.operation).are_the_frame
        for use in op.output.uses
    )


def _is_zero_around_signs(op: bnn.PadOp) -> bool:
    is_bipolar = isinstance(bnn.frame_type(op.input).element_type, BipolarType)
    return is_bipolar and float(op.pad_value) == 0.0


@dataclass(frozen=True)
class Gathered:
    """Where a convolution gathers: from which value, in which windows, with which border."""

    value: SSAValue
    windows: packed.Windows
    border: int = 0

    @property
    def is_zero_around_signs(self) -> bool:
        """Whether the border is none of the values inside."""
        kind = bnn.frame_type(self.value).element_type
        # A border may be empty, and have changed the type alone.
        return isinstance(kind, BipolarType) and self.windows.before != () and self.border == 0


def gathered(op: bnn.ConvOp) -> Gathered:
    """What a convolution gathers."""
    windows, pad = windows_of(op), op.input.owner
    if not isinstance(pad, bnn.PadOp) or not folds_border(pad):
        return Gathered(op.input, windows)
    space = bnn.frame_type(pad.input).get_shape()[:-1]
    windows = replace(windows, space=space, before=pad.before, after=pad.after)
    return Gathered(pad.input, windows, int(pad.pad_value))


def border_places(windows: packed.Windows) -> tuple[list[Array], Array]:
    """Which taps are inside of the frame, and where.

    The first are vectors, one an axis: for each position of a window along the axis, the number of
    its kind. The second says for each combination of kinds, the last axis counting fastest, which
    taps are inside, [kinds, taps].
    """
    places: list[Array] = []
    inside: Array = np.ones((1, 1), np.bool_)
    for axis, count in enumerate(windows.counts):
        first = np.arange(count)[:, None] * windows.strides[axis] - windows.before[axis]
        pixels = first + np.arange(windows.kernel[axis]) * windows.dilations[axis]
        valid = (pixels >= 0) & (pixels < windows.space[axis])
        kinds, numbers = np.unique(valid, axis=0, return_inverse=True)
        places.append(numbers.reshape(-1))
        inside = (inside[:, None, :, None] & kinds[None, :, None, :]).reshape(
            len(inside) * len(kinds), -1
        )
    return places, inside


def pixel_bits(value: SSAValue, word: int) -> BitsType | None:
    """The layout with a row for each pixel; `None` if an array takes less memory or must do."""
    frame = bnn.frame_type(value)
    if not is_exact(frame.element_type) or not frame.get_shape():
        return None
    *space, channels = frame.get_shape()
    layout = BitsType.of(math.prod(space), channels, frame.element_type, word)
    return layout if is_compact(layout) else None


def is_compact(layout: BitsType) -> bool:
    """Whether bits take no more memory than an array of the same values."""
    bits_of_row = layout.planes * layout.words * layout.word
    return bits_of_row <= layout.width * container_width(layout.element_type)
