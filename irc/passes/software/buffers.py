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
from irc.dialects.packed_types import ArrayType, BitsType
from irc.passes.hardware.layer_names import UniqueNames, location_name
from irc.passes.software.dense_kernels import DenseKernel, SoftwareOptions


class Buffers:
    """The buffers that hold the values of one function, while it is being converted."""

    def __init__(self, function: FuncOp, options: SoftwareOptions) -> None:
        self.options = options
        self.block: Block = function.body.block
        self._arrays: dict[SSAValue, SSAValue] = {}
        self._bits: dict[tuple[SSAValue, BitsType], SSAValue] = {}
        self._kernels: dict[bnn.LinearOp, DenseKernel] = {}
        self._labels = UniqueNames()

    def kernel(self, op: bnn.LinearOp) -> DenseKernel:
        """The kernel of a linear op, built once: looking at weights costs time."""
        if op not in self._kernels:
            self._kernels[op] = DenseKernel(op, self.options)
        return self._kernels[op]

    def emit(self, op: Operation, at: Operation) -> SSAValue:
        """Insert `op` before `at`, at the same location; its first result."""
        op.location = at.location
        Rewriter.insert_op(op, InsertPoint.before(at))
        return op.results[0]

    def label(self, op: Operation, fallback: str, suffix: str = "") -> str:
        """A name for the generated code that no other op of the function has.

        Taken from the ONNX node where the location names one.
        """
        name = location_name(op.location) or fallback
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or fallback
        return self._labels.unique(stem + suffix)

    def define(self, value: SSAValue, buffer: SSAValue) -> None:
        """Say that `buffer` holds `value`."""
        if isinstance(buffer.type, BitsType):
            self._bits[root(value), buffer.type] = buffer
        else:
            self._arrays[root(value)] = buffer

    def array(self, value: SSAValue) -> SSAValue:
        """The array that holds `value`."""
        return self._arrays[root(value)]

    def bits(self, value: SSAValue, layout: BitsType, at: Operation) -> SSAValue:
        """`value` in a layout of bits, packed before `at` if it is not there yet."""
        key = (root(value), layout)
        if key not in self._bits:
            pack = packed.PackOp(self.label(at, "input", "_pack"), self.array(value), layout)
            self._bits[key] = self.emit(pack, at)
        return self._bits[key]

    def operand(self, op: bnn.LinearOp) -> SSAValue:
        """The buffer that the kernel of `op` reads."""
        layout = self.kernel(op).input_bits
        return self.array(op.input) if layout is None else self.bits(op.input, layout, op)

    def array_of(self, value: SSAValue) -> ArrayType:
        """The type of an array that holds `value`."""
        frame = bnn.frame_type(value)
        return ArrayType.of(math.prod(frame.get_shape()), frame.element_type)

    def wanted(self, value: SSAValue) -> packed.BufferType:
        """The form in which codes should be stored: as bits if all readers take the same ones."""
        layouts: set[BitsType | None] = set()
        for use in uses(value):
            reader = use.operation
            is_dense = isinstance(reader, bnn.LinearOp)
            layouts.add(self.kernel(reader).input_bits if is_dense else None)
        only = layouts.pop() if len(layouts) == 1 else None
        return self.array_of(value) if only is None else only


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
