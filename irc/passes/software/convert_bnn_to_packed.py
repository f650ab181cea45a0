"""Networks of exact types into bit-packed words and the kernels that work on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from irc.dialects import bnn, packed
from irc.dialects.dense import element_range
from irc.dialects.packed_interface import takes_bits
from irc.dialects.packed_types import WORD_WIDTHS
from irc.errors import UnsupportedError, UsageError
from irc.passes.rewriting import functions_to_convert
from irc.passes.software.branches import (
    lower_add,
    lower_concat,
    lower_exact_add,
    lower_slice,
    lower_upsample,
)
from irc.passes.software.buffers import Buffers, root
from irc.passes.software.dense_kernels import (
    SoftwareOptions,
    accumulator_for,
    clamped,
    staircase_bound,
    staircase_of,
)
from irc.passes.software.floats import lower_float, lower_quantizer, lower_softmax
from irc.passes.software.obstacles import software_obstacles
from irc.passes.software.spatial import (
    FUSING,
    fused_threshold,
    lower_array_pool,
    lower_pad,
    lower_pool,
)


@dataclass(frozen=True)
class ConvertBnnToPacked(ModulePass):
    """Choose layouts and kernels: bits in words, integers in arrays, sums thresholded in place.

    `word` is the width of a machine word (8, 16, 32 or 64), `popcount` how bits are counted
    (swar, table, builtin); a linear op goes by bit-planes if it has at most
    `max_plane_products` pairs of weight and activation bits.
    """

    name = "convert-bnn-to-packed"

    word: int = 32
    popcount: str = "swar"
    max_plane_products: int = 8

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.word not in WORD_WIDTHS:
            raise UsageError(f"{self.name}: word must be 8, 16, 32 or 64, not {self.word}")
        if self.popcount not in packed.POPCOUNTS:
            known = ", ".join(packed.POPCOUNTS)
            raise UsageError(f"{self.name}: popcount must be one of {known}, not {self.popcount}")
        options = SoftwareOptions(self.word, self.popcount, self.max_plane_products)
        for function in functions_to_convert(op):
            convert_function(function, options)


def convert_function(function: FuncOp, options: SoftwareOptions) -> None:
    """Convert the body of one function; its signature stays.

    Raises `UnsupportedError` that names every op without a kernel, and changes nothing then.
    """
    obstacles = software_obstacles(function)
    if obstacles:
        raise UnsupportedError("\n".join(map(str, obstacles)), obstacles[0].op.location)
    old_ops = [op for op in function.body.block.ops if not isinstance(op, ReturnOp)]
    buffers = Buffers(function, options)
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    for argument in function.body.block.args:
        layout = buffers.bits_of_caller(argument) if takes_bits(function, argument.index) else None
        taken = packed.InputOp(argument, layout)
        buffers.define(argument, buffers.emit(taken, buffers.position))
    for op in old_ops:
        buffers.position = op
        if type(op) in _LOWERINGS:
            _LOWERINGS[type(op)](buffers, op)
    buffers.position = terminator
    for index, value in enumerate(terminator.arguments):
        shape = bnn.frame_type(value).get_shape()
        output = packed.OutputOp(buffers.array(value), shape)
        producer = value.owner
        origin = producer if isinstance(producer, Operation) else terminator
        terminator.operands[index] = buffers.emit(output, origin)
    for op in reversed(old_ops):
        op.detach()
        op.erase()


def _lower_linear(buffers: Buffers, op: bnn.LinearOp | bnn.ConvOp) -> None:
    """Sums into an array, unless the threshold behind takes them as they are computed."""
    kernel = buffers.kernel(op)
    if fused_threshold(op) is None:
        label = buffers.label(op, _kind(op))
        dense = kernel.build(label, buffers.operand(op), buffers.array_of(op.output), None)
        buffers.define(op.output, buffers.emit(dense, op))


def _kind(op: bnn.LinearOp | bnn.ConvOp) -> str:
    return "dense" if isinstance(op, bnn.LinearOp) else "conv"


def _lower_threshold(buffers: Buffers, op: bnn.ThresholdOp) -> None:
    """`code(Σ w·x)` in one kernel where the sums have no other reader."""
    producer = root(op.input).owner
    if isinstance(producer, FUSING) and fused_threshold(producer) is op:
        if isinstance(producer, bnn.LinearOp | bnn.ConvOp):
            _lower_linear_threshold(buffers, producer, op)
        elif isinstance(producer, bnn.AddOp):
            lower_exact_add(buffers, producer, op)
        else:
            lower_array_pool(buffers, producer, op)
        return
    low, high = element_range(bnn.frame_type(op.input).element_type)
    staircase = clamped(staircase_of(op), low, high)
    largest = max(-low - 1, high, staircase_bound(staircase))
    # Rows that start in mid-channel are packed from an array.
    width = buffers.row_of(op.output)
    fits = width % staircase.channels == 0
    result = buffers.wanted(op.output, width) if fits else buffers.array_of(op.output)
    quantize = packed.QuantizeOp(
        buffers.label(op, "quantize"),
        buffers.array(op.input),
        result,
        staircase,
        accumulator_for(largest, op),
    )
    buffers.define(op.output, buffers.emit(quantize, op))


def _lower_linear_threshold(
    buffers: Buffers, linear: bnn.LinearOp | bnn.ConvOp, op: bnn.ThresholdOp
) -> None:
    kernel = buffers.kernel(linear)
    result = buffers.wanted(op.output, kernel.channels)
    label = buffers.label(linear, _kind(linear))
    dense = kernel.build(label, buffers.operand(linear), result, staircase_of(op))
    buffers.define(op.output, buffers.emit(dense, linear, op))


def _lower_argmax(buffers: Buffers, op: bnn.ArgmaxOp) -> None:
    label = buffers.label(op, "argmax")
    argmax = packed.ArgmaxOp(label, buffers.array(op.input), buffers.array_of(op.output))
    buffers.define(op.output, buffers.emit(argmax, op))


def _lower_transpose(buffers: Buffers, op: bnn.TransposeOp) -> None:
    if buffers.folds_transpose(op):
        return
    shape = bnn.frame_type(op.input).get_shape()
    label = buffers.label(op, "transpose")
    transpose = packed.TransposeOp(label, buffers.array(op.input), shape, op.axes)
    buffers.define(op.output, buffers.emit(transpose, op))


_LOWERINGS: dict[type[Operation], Callable[[Buffers, Any], None]] = {
    bnn.LinearOp: _lower_linear,
    bnn.ThresholdOp: _lower_threshold,
    bnn.CastOp: lower_float,
    bnn.EwiseOp: lower_float,
    bnn.QuantizeOp: lower_quantizer,
    bnn.FloatThresholdOp: lower_quantizer,
    bnn.SoftmaxOp: lower_softmax,
    bnn.ArgmaxOp: _lower_argmax,
    bnn.TransposeOp: _lower_transpose,
    bnn.ConvOp: _lower_linear,
    bnn.PadOp: lower_pad,
    bnn.MaxPoolOp: lower_pool,
    bnn.SumPoolOp: lower_pool,
    bnn.AddOp: lower_add,
    bnn.ConcatOp: lower_concat,
    bnn.SliceOp: lower_slice,
    bnn.UpsampleOp: lower_upsample,
}
# Reshapes rename buffers and leave no op behind.

__all__ = ["ConvertBnnToPacked", "convert_function", "software_obstacles"]
