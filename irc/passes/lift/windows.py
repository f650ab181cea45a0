"""The windows that a node slides over a frame: kernel, strides, dilations, border, rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, element_type_of

Array = npt.NDArray[Any]


class Window:
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
        self.given_after = list(self.after)
        """The border behind as the node has it, without what `ceil_mode` adds for windows that
        begin inside and end outside."""
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

    def counted(self, space: Sequence[int], with_border: bool) -> Array:
        """How many elements of the frame each window holds, or of it and the node's own border:
        float32 [...counts]. What `ceil_mode` adds behind counts for nothing."""
        counts = np.ones((), np.float32)
        for axis, size in enumerate(space):
            before, after = self.before[axis], self.given_after[axis]
            inside = np.zeros(size + before + self.after[axis], np.float32)
            first, last = (0, size + before + after) if with_border else (before, before + size)
            inside[first:last] = 1
            dilation, kernel, stride = self.dilations[axis], self.kernel[axis], self.strides[axis]
            starts = np.arange(0, len(inside) - dilation * (kernel - 1), stride)
            positions = starts[:, None] + dilation * np.arange(kernel)
            counts = counts[..., None] * inside[positions].sum(axis=1)
        return counts

    @property
    def has_border(self) -> bool:
        """Whether anything is added around the frame."""
        return any(self.before) or any(self.after)

    def padded(self, value: SSAValue, border: float) -> SSAValue:
        """The activation, channels last, with the node's border."""
        if not self.has_border:
            return value
        kind = element_type_of(value)
        return self.lifting.emit(bnn.PadOp(value, self.before, self.after, border, kind))
