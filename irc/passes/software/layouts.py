"""In which bits an op would like to read its operand, and a kernel to write its result.

Dense kernels read rows of bits. Convolutions, pools and borders read pixels, a row for each; they
take arrays as well, and do where bits would need more memory than an array: few channels fill
no word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from xdsl.ir import SSAValue, Use

from irc.dialects import bnn, packed
from irc.dialects.dense import BipolarType, uint
from irc.dialects.packed_types import BitsType
from irc.passes.software.dense_kernels import DenseKernel, SoftwareOptions
from irc.passes.software.gathering import folds_border, pixel_bits, windows_of


@dataclass(frozen=True)
class Wish:
    """A layout that a reader takes."""

    layout: BitsType
    regroups: bool
    """Whether shorter rows, of which some make one of the layout, will do."""
    takes_array: bool = False
    """Whether an array is as welcome."""

    def fits(self, width: int) -> bool:
        """Whether rows of so many elements will do."""
        return self.layout.width % width == 0 if self.regroups else self.layout.width == width


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


def wish_of(use: Use, conversion: Conversion) -> Wish | None:
    """What a reader takes; `None` for an array."""
    reader = use.operation
    value = reader.operands[use.index]
    match reader:
        case bnn.AddOp():
            pixels = pixel_bits(value, conversion.options.word)
            return None if pixels is None else Wish(pixels, regroups=False, takes_array=True)
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
        case bnn.ConcatOp() | bnn.SliceOp() | bnn.UpsampleOp():
            if not moves_bits(reader, conversion):
                return None
        case _:
            return None
    pixels = pixel_bits(value, conversion.options.word)
    return None if pixels is None else Wish(pixels, regroups=False)


def goes_by_bits(op: bnn.MaxPoolOp | bnn.PadOp, result: packed.BufferType) -> bool:
    """Whether a pool or a border whose result lies in `result` should work on bits."""
    if not isinstance(result, BitsType):
        return False
    return isinstance(op, bnn.PadOp) or result.element_type in (BipolarType(), uint(1))


def moves_bits(
    op: bnn.ConcatOp | bnn.SliceOp | bnn.UpsampleOp, conversion: Conversion
) -> packed.BitsType | None:
    """In which bits, a row for each pixel, an op should move elements; `None` for an array."""
    shape = bnn.frame_type(op.output).get_shape()
    if any(pixel_bits(value, conversion.options.word) is None for value in op.operands):
        return None
    if isinstance(op, bnn.SliceOp) and op.strides[-1] != 1:
        return None
    if isinstance(op, bnn.UpsampleOp) and op.factors[-1] != 1:
        return None
    result = conversion.wanted(op.output, shape[-1])
    return result if isinstance(result, BitsType) else None
