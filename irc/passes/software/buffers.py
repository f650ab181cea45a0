"""In which form each value lies in memory, found from who reads it.

A value exists as an array, as bits in one layout, or both. Reshapes only rename an array; bits
start a new word with every row, so that a reader's row length decides the layout.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue, Use
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn, packed
from irc.dialects.locations import fused_location, location_name
from irc.dialects.packed_types import ArrayType, BitsType
from irc.errors import UnsupportedError
from irc.passes.layer_names import MAX_IDENTIFIER, UniqueNames
from irc.passes.software.dense_kernels import DenseKernel, SoftwareOptions
from irc.passes.software.gathering import (
    folds_border,
    gathered,
    is_compact,
    pixel_bits,
    windows_of,
)
from irc.passes.software.layouts import (
    Wish,
    wish_of,
)


class Buffers:
    """The buffers that hold the values of one function, while it is being converted."""

    def __init__(self, function: FuncOp, options: SoftwareOptions) -> None:
        self.options = options
        self.block: Block = function.body.block
        self._arrays: dict[SSAValue, SSAValue] = {}
        self._bits: dict[SSAValue, dict[BitsType, SSAValue]] = {}
        self._kernels: dict[Operation, DenseKernel] = {}
        self._wanted: dict[tuple[SSAValue, int], packed.BufferType] = {}
        self._labels = UniqueNames()
        first = self.block.first_op
        assert first is not None
        self.position: Operation = first

    def kernel(self, op: bnn.LinearOp | bnn.ConvOp) -> DenseKernel:
        """The kernel of a linear op or a convolution, built once: looking at weights costs time."""
        if op not in self._kernels:
            self._kernels[op] = DenseKernel(op, self.options)
        return self._kernels[op]

    def emit(self, op: Operation, origin: Operation, *others: Operation | None) -> SSAValue:
        """Insert `op`, at the location of `origin`, and of `others` that it stands for; its first
        result.

        It goes before `position`, the op that is being converted: behind all that it may read,
        even where thresholds of one branch stand before sums of another.
        """
        op.location = fused_location(
            origin.location, *(other.location for other in others if other is not None)
        )
        Rewriter.insert_op(op, InsertPoint.before(self.position))
        return op.results[0]

    def label(self, op: Operation, fallback: str, suffix: str = "") -> str:
        """A name for the generated code that no other op of the function has.

        Taken from the ONNX node where the location names one.
        """
        name = location_name(op.location) or fallback
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()[:MAX_IDENTIFIER]
        return self._labels.unique((stem or fallback) + suffix)

    def define(self, value: SSAValue, buffer: SSAValue) -> None:
        """Say that `buffer` holds `value`."""
        if isinstance(buffer.type, BitsType):
            self._bits_of(value)[buffer.type] = buffer
        else:
            self._arrays[root(value)] = buffer

    def array(self, value: SSAValue) -> SSAValue:
        """The array that holds `value`."""
        return self._arrays[root(value)]

    def either(self, value: SSAValue) -> SSAValue:
        """The array that holds `value`, or where there is none its pixels as bits."""
        if root(value) in self._arrays:
            return self.array(value)
        layout = pixel_bits(value, self.options.word)
        assert layout is not None
        return self._bits_of(value)[layout]

    def bits(self, value: SSAValue, layout: BitsType, at: Operation) -> SSAValue:
        """`value` in a layout of bits, packed for `at` if it is not there yet."""
        held = self._bits_of(value)
        if layout not in held:
            pack = packed.PackOp(self.label(at, "input", "_pack"), self.array(value), layout)
            held[layout] = self.emit(pack, at)
        return held[layout]

    def _bits_of(self, value: SSAValue) -> dict[BitsType, SSAValue]:
        """The bits that hold `value`, by layout."""
        return self._bits.setdefault(root(value), {})

    def _row_bits(self, value: SSAValue, layout: BitsType, at: Operation) -> SSAValue:
        """The same for a dense kernel, which may also gather its rows from shorter ones."""
        held = self._bits_of(value)
        if layout in held and isinstance(held[layout].owner, packed.InputOp):
            # Kernels may recode the rows that they read, but not the caller's.
            windows = packed.Windows((layout.rows,), (1,), (1,), (1,))
            label = self.label(at, "dense", "_rows")
            return self.emit(packed.PatchesOp(label, held[layout], layout, windows), at)
        shorter = [
            bits
            for kind, bits in held.items()
            if layout.width % kind.width == 0 and kind.width < layout.width
        ]
        if layout in held or not shorter:
            return self.bits(value, layout, at)
        source = packed.bits_type(shorter[0])
        parts = (layout.width // source.width,)
        windows = packed.Windows((source.rows,), parts, parts, (1,))
        label = self.label(at, "dense", "_rows")
        return self.emit(packed.PatchesOp(label, shorter[0], layout, windows), at)

    def operand(self, op: bnn.LinearOp | bnn.ConvOp) -> SSAValue:
        """The buffer that the kernel of `op` reads."""
        rows = self.kernel(op).input_bits
        if isinstance(op, bnn.LinearOp) or windows_of(op).are_the_frame:
            return self.array(op.input) if rows is None else self._row_bits(op.input, rows, op)
        frame, at = bnn.frame_type(op.input), gathered(op)
        value, windows, channels_first = at.value, at.windows, False
        # A border that it makes up, and a transposition that it does on its way.
        gone = [] if value is op.input else [op.input.owner]
        length = windows.number * windows.taps * frame.get_shape()[-1]
        result = ArrayType.of(length, frame.element_type) if rows is None else rows
        # What else but zero a bit may stand for, the kernel corrects.
        border = -1 if at.is_zero_around_signs and rows is not None else at.border
        if isinstance(moved := value.owner, bnn.TransposeOp) and self.folds_transpose(moved):
            value, channels_first = moved.input, True
            gone.append(moved)
        pixels = pixel_bits(value, self.options.word) if self.reads_bits(op) else None
        source = self.array(value) if pixels is None else self.bits(value, pixels, op)
        patches = packed.PatchesOp(
            self.label(op, "conv", "_patch"),
            source,
            result,
            windows,
            border,
            channels_first=channels_first,
        )
        return self.emit(patches, op, *(each for each in gone if isinstance(each, Operation)))

    def reads_bits(self, op: bnn.ConvOp) -> bool:
        """Whether patches are gathered from bits, not from an array."""
        word = self.options.word
        pixels = pixel_bits(gathered(op).value, word)
        return self.kernel(op).input_bits is not None and pixels is not None

    def folds_transpose(self, op: bnn.TransposeOp) -> bool:
        """Whether everybody who reads a frame with its channels moved last gathers from an array.

        They may then as well gather from the frame as it was.
        """
        rank = len(op.axes)
        readers: list[Operation] = []
        for use in op.output.uses:
            reader = use.operation
            is_border = isinstance(reader, bnn.PadOp) and folds_border(reader)
            readers += [use.operation for use in reader.results[0].uses] if is_border else [reader]
        return op.axes == (*range(1, rank), 0) and all(
            isinstance(reader, bnn.ConvOp)
            and not self.reads_bits(reader)
            and not windows_of(reader).are_the_frame
            for reader in readers
        )

    def array_of(self, value: SSAValue) -> ArrayType:
        """The type of an array that holds `value`."""
        frame = bnn.frame_type(value)
        return ArrayType.of(math.prod(frame.get_shape()), frame.element_type)

    def wishes(self, value: SSAValue) -> list[Wish | None]:
        """What each reader takes."""
        return [wish_of(use, self) for use in uses(value)]

    def row_of(self, value: SSAValue) -> int:
        """Elements in a row of bits for an op that may store its results in rows of any length."""
        widths = {wish.layout.width for wish in self.wishes(value) if wish is not None}
        shape = bnn.frame_type(value).get_shape()
        return math.gcd(*widths) or (shape[-1] if shape else 1)

    def bits_of_caller(self, argument: SSAValue) -> BitsType:
        """The layout in which the caller should hand over bits: that of all readers.

        Raises `UnsupportedError` where one of them takes an array.
        """
        layout = self.wanted(argument, self.row_of(argument))
        if not isinstance(layout, BitsType):
            raise UnsupportedError(
                "the input cannot be taken as bits: layers that read it take an array, since its "
                "pixels have too few channels to fill words"
            )
        return layout

    def wanted(self, value: SSAValue, channels: int) -> packed.BufferType:
        """The form in which a kernel that computes so many results a row should store them.

        As bits, a row for a row, if all readers can make do with that.
        """
        if (value, channels) not in self._wanted:
            self._wanted[value, channels] = self._choose(value, channels)
        return self._wanted[value, channels]

    def _choose(self, value: SSAValue, channels: int) -> packed.BufferType:
        array, wishes = self.array_of(value), self.wishes(value)
        taken = [wish for wish in wishes if wish is not None and wish.fits(channels)]
        if len(taken) < len(wishes) or all(wish.takes_array for wish in taken):
            return array
        rows = array.length // channels
        layout = BitsType.of(rows, channels, array.element_type, self.options.word)
        exact = any(wish.layout == layout for wish in taken)
        return layout if exact or is_compact(layout) else array


def root(value: SSAValue) -> SSAValue:
    """The value before any reshapes."""
    while isinstance(value.owner, bnn.ReshapeOp):
        value = value.owner.input
    return value


def uses(value: SSAValue) -> Iterator[Use]:
    """The uses of a value and of its reshapes, other than reshapes."""
    for use in value.uses:
        if isinstance(use.operation, bnn.ReshapeOp):
            yield from uses(use.operation.output)
        else:
            yield use
