"""In which bits an op would like to read its operand, and a kernel to write its result.

Dense kernels read rows of bits. Convolutions, pools and borders read pixels, a row for each; they
take arrays as well, and do where bits would need more memory than an array: few channels fill
no word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn, packed
from irc.dialects.dense import BipolarType, uint
from irc.dialects.packed_types import BitsType, container_width
from irc.passes.software.dense_kernels import DenseKernel, SoftwareOptions


@dataclass(frozen=True)
class Wish:
    """A layout that a reader takes."""

    layout: BitsType
    regroups: bool
    """Whether shorter rows, of which some make one of the layout, will do."""

    def fits(self, width: int) -> bool:
        """Whether rows of so many elements will do."""
        return self.layout.width % width == 0 if self.regroups else self.layout.width == width


def windows_of(op: bnn.ConvOp | bnn.MaxPoolOp | bnn.SumPoolOp) -> packed.Windows:
    """The windows that an op looks at."""
    space = bnn.frame_type(op.input).get_shape()[:-1]
    return packed.Windows(space, op.kernel, op.strides, op.dilations)


def pixel_bits(value: SSAValue, word: int) -> BitsType | None:
    """The layout with a row for each pixel; `None` if an array takes less memory."""
    frame = bnn.frame_type(value)
    *space, channels = frame.get_shape()
    layout = BitsType.of(math.prod(space), channels, frame.element_type, word)
    return layout if is_compact(layout) else None


def is_compact(layout: BitsType) -> bool:
    """Whether bits take no more memory than an array of the same values."""
    bits_of_row = layout.planes * layout.words * layout.word
    return bits_of_row <= layout.width * container_width(layout.element_type)


class Conversion(Protocol):
    """What `wish_of` asks about other operations of the function."""

    @property
    def options(self) -> SoftwareOptions:
        """The options of the conversion."""
        ...

    def kernel(self, op: bnn.LinearOp | bnn.ConvOp) -> DenseKernel:
        """The kernel of an op."""
        ...

    def wanted(self, value: SSAValue, channels: int) -> packed.BufferType:
        """Where a value should be stored."""
        ...

    def reads_bits(self, op: bnn.ConvOp) -> bool:
        """Whether a convolution gathers from bits."""
        ...


def wish_of(reader: Operation, conversion: Conversion) -> Wish | None:
    """What `reader` takes; `None` for an array."""
    match reader:
        case bnn.LinearOp() | bnn.ConvOp():
            rows = conversion.kernel(reader).input_bits
            if rows is None:
                return None
            if isinstance(reader, bnn.LinearOp) or windows_of(reader).are_the_frame:
                return Wish(rows, regroups=True)
        case bnn.PadOp() if folds_border(reader):
            readers = [use.operation for use in reader.output.uses]
            if not all(isinstance(r, bnn.ConvOp) and conversion.reads_bits(r) for r in readers):
                return None
        case bnn.MaxPoolOp() | bnn.PadOp():
            channels = bnn.frame_type(reader.output).get_shape()[-1]
            if not goes_by_bits(reader, conversion.wanted(reader.output, channels)):
                return None
        case _:
            return None
    pixels = pixel_bits(reader.input, conversion.options.word)
    return None if pixels is None else Wish(pixels, regroups=False)


def folds_border(op: bnn.PadOp) -> bool:
    """Whether everybody who reads a frame with a border gathers it and can make up the border."""
    element_types = {bnn.frame_type(value).element_type for value in (op.input, op.output)}
    return len(element_types) == 1 and all(
        isinstance(use.operation, bnn.ConvOp) and not windows_of(use.operation).are_the_frame
        for use in op.output.uses
    )


def goes_by_bits(op: bnn.MaxPoolOp | bnn.PadOp, result: packed.BufferType) -> bool:
    """Whether a pool or a border whose result lies in `result` should work on bits."""
    if not isinstance(result, BitsType):
        return False
    return isinstance(op, bnn.PadOp) or result.element_type in (BipolarType(), uint(1))
