"""Convolutions, pooling and padding: channels last, with every border explicit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.quantized_constants import QuantizedConstant
from irc.passes.lift.rules.linear import as_integers, constant_weights, weights_attribute

Array = npt.NDArray[Any]

LOWEST = float(np.finfo(np.float32).min)
"""Borders of a max-pool hold it: no element is smaller."""


@rule("Conv")
def lift_conv(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Convolution of any rank, with constant weights [M, C/G, …kernel]."""
    value = lifting.floats(op.input(0))
    weights = constant_weights(lifting, op.operands[1])
    offsets = None
    if op.input(2) is not None:
        offsets = lifting.required_constant(op.input(2), "the bias").astype(np.float32)
    return convolution(lifting, op, value, weights, offsets)


def convolution(
    lifting: Lifting,
    op: onnx.OnnxOp,
    value: SSAValue,
    weights: QuantizedConstant,
    offsets: Array | None,
) -> SSAValue:
    """The convolution of f32 frames, channels first, that the attributes of `op` describe."""
    value = lifting.channels_last(value)
    shape = weights.integers.shape
    rank = len(bnn.frame_type(value).get_shape()) - 1
    if rank < 1 or len(shape) != rank + 2:
        raise lifting.fail(f"weights of shape {list(shape)} for {rank} axes in space")
    integers, scales = as_integers(weights.map(lambda a: a.reshape(shape[0], -1)))
    kernel = np.moveaxis(integers.reshape(shape), 1, -1)
    window = _Window(lifting, op, bnn.frame_type(value).get_shape()[:-1], shape[2:])
    groups = op.int_attr("group", 1)
    if groups < 1 or shape[0] % groups:
        raise lifting.fail(f"{groups} groups for {shape[0]} output channels")
    if shape[1] * groups != bnn.frame_type(value).get_shape()[-1]:
        raise lifting.fail(
            f"weights for {shape[1]} channels in each of {groups} groups, but the activation has "
            f"{bnn.frame_type(value).get_shape()[-1]} channels"
        )
    if offsets is not None and offsets.shape not in ((), (1,), shape[:1]):
        raise lifting.fail(f"a bias of shape {list(offsets.shape)} for {shape[0]} output channels")
    value = window.padded(value, 0.0)
    is_float = kernel.dtype.kind == "f"
    conv = bnn.ConvOp(
        value,
        bnn.DenseAttr.from_floats(kernel) if is_float else weights_attribute(kernel),
        f32,
        window.strides,
        window.dilations,
        groups,
        None if bool((scales == 1).all()) else bnn.DenseAttr.from_floats(scales),
        None if offsets is None else bnn.DenseAttr.from_floats(offsets),
    )
    return lifting.channels_first(lifting.emit(conv))


@rule("MaxPool")
def lift_max_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The largest element of each window; the border never wins."""
    if len(op.results) > 1 and any(True for _ in op.results[1].uses):
        raise lifting.fail("the indices of the largest elements are used")
    value = lifting.channels_last(lifting.floats(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    window = _Window(lifting, op, space, op.ints_attr("kernel_shape"))
    value = window.padded(value, LOWEST)
    pool = bnn.MaxPoolOp(value, window.kernel, window.strides, window.dilations, f32)
    return lifting.channels_first(lifting.emit(pool))


@rule("AveragePool")
def lift_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The sum of each window, divided by its size."""
    value = lifting.channels_last(lifting.floats(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    window = _Window(lifting, op, space, op.ints_attr("kernel_shape"))
    if window.has_border and not op.int_attr("count_include_pad", 0):
        raise lifting.fail(
            "count_include_pad = 0 with a border divides by fewer elements at the edges; pad "
            "explicitly, or average without a border"
        )
    if window.is_rounded_up:
        raise lifting.fail(
            "ceil_mode = 1 with a last window that is not whole, whose divisor runtimes do not "
            "agree on; pad explicitly"
        )
    return _average(lifting, window.padded(value, 0.0), window)


@rule("GlobalAveragePool")
def lift_global_average_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One window, as large as the frame."""
    value = lifting.channels_last(lifting.floats(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    return _average(lifting, value, _Window(lifting, op, space, space))


@rule("GlobalMaxPool")
def lift_global_max_pool(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """One window, as large as the frame."""
    value = lifting.channels_last(lifting.floats(op.input(0)))
    space = bnn.frame_type(value).get_shape()[:-1]
    ones = [1] * len(space)
    return lifting.channels_first(lifting.emit(bnn.MaxPoolOp(value, space, ones, ones, f32)))


def _average(lifting: Lifting, value: SSAValue, window: _Window) -> SSAValue:
    pool = bnn.SumPoolOp(value, window.kernel, window.strides, window.dilations, f32)
    total = lifting.emit(pool)
    size = int(np.prod(window.kernel, dtype=np.int64))
    return lifting.channels_first(lifting.ewise("div", total, float(size)))


@rule("Pad")
def lift_pad(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A border of one constant along the axes in space."""
    mode = op.str_attr("mode", "constant")
    if mode != "constant":
        raise lifting.fail(f"mode '{mode}'; only borders of one constant are supported")
    if op.input(3) is not None:
        raise lifting.fail("the input 'axes' is not supported")
    value = lifting.floats(op.input(0))
    rank = len(lifting.shape(op.operands[0]))
    if op.has_attr("pads"):
        pads, border = op.ints_attr("pads"), op.float_attr("value", 0.0)
    else:
        pads = lifting.required_constant(op.input(1), "pads").astype(int).reshape(-1).tolist()
        given = op.input(2)
        border = 0.0
        if given is not None:
            border = float(lifting.required_constant(given, "the value").reshape(()))
    fixed = 2 if lifting.batch is not None else 1
    before, after = pads[:rank], pads[rank:]
    if len(pads) != 2 * rank or any(before[:fixed]) or any(after[:fixed]):
        raise lifting.fail(f"pads {pads}; only axes in space can have a border")
    if np.isnan(border):
        raise lifting.fail("a border of NaN")
    if min(pads) < 0:
        raise lifting.fail(f"pads {pads}; cropping by negative pads is not supported")
    padded = bnn.PadOp(
        lifting.channels_last(value), before[fixed:], after[fixed:], border, element_type_of(value)
    )
    return lifting.channels_first(lifting.emit(padded))


class _Window:
    """Kernel, strides, dilations and border of a node, whichever way it writes them."""

    def __init__(
        self, lifting: Lifting, op: onnx.OnnxOp, space: Sequence[int], kernel: Sequence[int]
    ) -> None:
        rank = len(space)
        self.lifting = lifting
        self.kernel = list(kernel)
        if op.ints_attr("kernel_shape", kernel) != list(kernel) or len(kernel) != rank:
            raise lifting.fail(f"a kernel of {list(kernel)} for {rank} axes in space")
        self.strides = op.ints_attr("strides", [1] * rank)
        self.dilations = op.ints_attr("dilations", [1] * rank)
        for what, given in (
            ("kernel", self.kernel),
            ("strides", self.strides),
            ("dilations", self.dilations),
        ):
            if len(given) != rank or min(given) < 1:
                raise lifting.fail(f"{what} {given}; {rank} positive numbers expected")
        self.before, self.after = self._border(op, space)
        self.is_rounded_up = False
        """Whether `ceil_mode` makes a last window of what would be too little for one."""
        if op.int_attr("ceil_mode", 0):
            self._round_up(space)
        extents = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]
        sizes = [s + b + a for s, b, a in zip(space, self.before, self.after, strict=True)]
        if any(extent > size for extent, size in zip(extents, sizes, strict=True)):
            raise lifting.fail(f"a window of {extents} does not fit into {sizes}")

    def _border(self, op: onnx.OnnxOp, space: Sequence[int]) -> tuple[list[int], list[int]]:
        rank = len(space)
        auto = op.str_attr("auto_pad", "NOTSET")
        if auto == "NOTSET":
            pads = op.ints_attr("pads", [0] * 2 * rank)
            if len(pads) != 2 * rank or min(pads) < 0:
                raise self.lifting.fail(f"pads {pads}; {2 * rank} numbers, none negative, expected")
            return pads[:rank], pads[rank:]
        if auto == "VALID":
            return [0] * rank, [0] * rank
        if auto not in ("SAME_UPPER", "SAME_LOWER"):
            raise self.lifting.fail(f"auto_pad '{auto}' is not supported")
        before: list[int] = []
        after: list[int] = []
        for size, k, s, d in zip(space, self.kernel, self.strides, self.dilations, strict=True):
            total = max(0, (-(-size // s) - 1) * s + d * (k - 1) + 1 - size)
            small, large = total // 2, total - total // 2
            before.append(small if auto == "SAME_UPPER" else large)
            after.append(large if auto == "SAME_UPPER" else small)
        return before, after

    def _round_up(self, space: Sequence[int]) -> None:
        """`ceil_mode`: a last window that begins inside the frame or its border in front counts."""
        for axis, size in enumerate(space):
            extent = self.dilations[axis] * (self.kernel[axis] - 1) + 1
            stride, before = self.strides[axis], self.before[axis]
            padded = size + before + self.after[axis]
            count = -(-(padded - extent) // stride) + 1
            if (count - 1) * stride >= size + before:
                count -= 1
            missing = max(0, (count - 1) * stride + extent - padded)
            self.after[axis] += missing
            self.is_rounded_up |= missing > 0

    @property
    def has_border(self) -> bool:
        """Whether anything is added around the frame."""
        return any(self.before) or any(self.after)

    def padded(self, value: SSAValue, border: float) -> SSAValue:
        """The activation, channels last, with the node's border."""
        if not self.has_border:
            return value
        return self.lifting.emit(bnn.PadOp(value, self.before, self.after, border, f32))
