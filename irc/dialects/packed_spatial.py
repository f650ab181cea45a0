"""Kernels of the `packed` dialect on images and sequences: pixels are rows of channels.

A frame [H, W, C] is an array in row-major order, or `!packed.bits<H·W x C x T, W>`: each pixel
starts a new word. Both also serve sequences, [L, C], and any other number of axes in space.

A convolution is two ops: `packed.patches` and a dense kernel, whose rows are the output pixels.
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, IntegerType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import integers, values_of, window_counts
from irc.dialects.dense import BipolarType, DenseAttr, element_range, is_exact, uint
from irc.dialects.packed_base import (
    BufferType,
    KernelOp,
    Staircase,
    ThresholdingOp,
    array_type,
    buffer_type,
    element_count,
)
from irc.dialects.packed_dense import ArrayDenseOp
from irc.dialects.packed_types import BitsType


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a frame, one number for each axis in space.

    Element `k` of window `p` is pixel `p·strides + k·dilations − before`, and where there is no
    such pixel, one of a border: `before` and `after` pixels wide (empty: there is none).
    """

    space: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    @property
    def has_border(self) -> bool:
        """Whether some window may reach beyond the frame."""
        return any((*self.before, *self.after))

    @property
    def padded(self) -> tuple[int, ...]:
        """Pixels of the frame with its border, along each axis."""
        if not self.before and not self.after:
            return self.space
        sizes = zip(self.space, self.before, self.after, strict=True)
        return tuple(size + before + after for size, before, after in sizes)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        return window_counts(self.padded, self.kernel, self.strides, self.dilations)

    @property
    def taps(self) -> int:
        """Pixels of a window."""
        return math.prod(self.kernel)

    @property
    def number(self) -> int:
        """How many windows there are."""
        return math.prod(self.counts)

    @property
    def pixel_strides(self) -> tuple[int, ...]:
        """Pixels from one to the next along each axis of a frame."""
        return tuple(math.prod(self.space[axis + 1 :]) for axis in range(len(self.space)))

    @property
    def are_the_frame(self) -> bool:
        """Whether windows are the pixels, one by one."""
        return self.taps == 1 and max(self.strides, default=1) == 1 and not self.has_border

    def properties(self) -> dict[str, Attribute | None]:
        """The properties of an op on these windows."""
        return {
            "space": integers(self.space),
            "kernel": integers(self.kernel),
            "strides": integers(self.strides),
            "dilations": integers(self.dilations),
            "before": integers(self.before) if self.has_border else None,
            "after": integers(self.after) if self.has_border else None,
        }

    def verify(self) -> None:
        """Raise `VerifyException` unless there is a window."""
        lists = (self.space, self.kernel, self.strides, self.dilations)
        if len({len(values) for values in lists}) != 1 or not self.space:
            raise VerifyException("space, kernel, strides and dilations differ in length")
        for border in (self.before, self.after):
            if border and (len(border) != len(self.space) or min(border) < 0):
                raise VerifyException(f"{list(border)} is no border of {list(self.space)}")
        if min(map(min, lists)) < 1:
            raise VerifyException("space, kernel, strides and dilations are positive")
        if min(self.counts) < 1:
            raise VerifyException(
                f"a window of {list(self.kernel)} does not fit into {list(self.padded)}"
            )


def holds(element_type: Attribute, value: int) -> bool:
    """Whether an exact type has this value."""
    if isinstance(element_type, BipolarType):
        return value in (-1, 1)
    low, high = element_range(element_type)
    return low <= value <= high


class WindowOp(KernelOp, ABC):
    """A kernel that looks at windows of its operand."""

    space_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="space")
    kernel_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="kernel")
    strides_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="strides")
    dilations_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="dilations")
    before_attr = opt_prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="before")
    after_attr = opt_prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="after")

    @property
    def windows(self) -> Windows:
        """The windows."""
        return Windows(
            values_of(self.space_attr),
            values_of(self.kernel_attr),
            values_of(self.strides_attr),
            values_of(self.dilations_attr),
            () if self.before_attr is None else values_of(self.before_attr),
            () if self.after_attr is None else values_of(self.after_attr),
        )

    @property
    def channels(self) -> int:
        """Elements of a pixel."""
        return element_count(buffer_type(self.input)) // math.prod(self.windows.space)

    def verify_frame(self) -> None:
        """Check that the operand is a frame of so many pixels, and the windows in it."""
        windows = self.windows
        windows.verify()
        if windows.has_border and not isinstance(self, PatchesOp):
            raise VerifyException("pools have no border; packed.pad makes one")
        source, pixels = buffer_type(self.input), math.prod(windows.space)
        if isinstance(source, BitsType) and source.rows != pixels:
            raise VerifyException(f"{source} has not a row for each of {pixels} pixels")
        if element_count(source) % pixels:
            raise VerifyException(f"{source} is not {pixels} pixels")


_WINDOWS = "`space` $space `kernel` $kernel `strides` $strides `dilations` $dilations "


@irdl_op_definition
class PatchesOp(WindowOp):
    """The windows of a frame, each as one row: pixel after pixel, without padding between them.

    The rows never exist together. A dense kernel that reads them gathers one at a time, into the
    op's `slot`, and computes all its results from it: memory for one row is all that is needed,
    and the operand stays alive until the last reader of the result is done.

    Bits are gathered into bits of the same type, an array into an array or straight into bits.
    A border consists of `value`. With `channels_first`, the operand is an array [C, …space].
    """

    name = "packed.patches"
    assembly_format = f"$label $input {_WINDOWS} attr-dict `:` type($input) `->` type($output)"

    value_attr = opt_prop_def(IntegerAttr[I64], prop_name="value")
    channels_first = opt_prop_def(UnitAttr)

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        windows: Windows,
        border: int = 0,
        *,
        channels_first: bool = False,
    ) -> None:
        super().__init__(
            label,
            value,
            result,
            {
                **windows.properties(),
                "value": IntegerAttr(border, i64) if windows.has_border else None,
                "channels_first": UnitAttr() if channels_first else None,
            },
        )

    @property
    def border(self) -> int:
        """What the border holds."""
        return 0 if self.value_attr is None else self.value_attr.value.data

    @property
    def is_lazy(self) -> bool:
        return True

    @property
    def slot_length(self) -> int:
        result = buffer_type(self.output)
        if isinstance(result, BitsType):
            return result.planes * result.words
        return self.windows.taps * self.channels

    def verify_kernel(self) -> None:
        self.verify_frame()
        source, result = buffer_type(self.input), buffer_type(self.output)
        width = self.windows.taps * self.channels
        if not is_exact(source.element_type) or source.element_type != result.element_type:
            raise VerifyException(f"gathering keeps an exact element type: {source} to {result}")
        if self.windows.has_border and not holds(source.element_type, self.border):
            raise VerifyException(f"{source.element_type} does not hold {self.border}")
        if self.channels_first is not None and isinstance(source, BitsType):
            raise VerifyException("only arrays may have their channels first")
        if element_count(result) != self.windows.number * width:
            raise VerifyException(f"{result} does not hold {self.windows.number} rows of {width}")
        if isinstance(result, BitsType) and result.width != width:
            raise VerifyException(f"a row has {width} elements, unlike {result}")
        if isinstance(source, BitsType) and (
            not isinstance(result, BitsType) or result.word != source.word
        ):
            raise VerifyException(f"bits are gathered into bits of the same words, not {result}")


@irdl_op_definition
class OrPoolOp(WindowOp):
    """The largest element of each window, channel by channel, where an element is one bit."""

    name = "packed.or_pool"
    assembly_format = f"$label $input {_WINDOWS} attr-dict `:` type($input) `->` type($output)"

    def __init__(self, label: str, value: SSAValue, result: BitsType, windows: Windows) -> None:
        super().__init__(label, value, result, windows.properties())

    def verify_kernel(self) -> None:
        self.verify_frame()
        source = self.expect_bits(self.input, "operand")
        if not isinstance(source.element_type, BipolarType) and source.element_type != uint(1):
            raise VerifyException(f"OR is the largest of bipolar or ui1, not {source.element_type}")
        expected = BitsType.of(self.windows.number, source.width, source.element_type, source.word)
        if self.output.type != expected:
            raise VerifyException(f"the result must be {expected}, not {self.output.type}")


class ArrayPoolOp(WindowOp, ThresholdingOp, ABC):
    """An integer for each window and channel, from an array; thresholded where there are any."""

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        windows: Windows,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        codes: Mapping[str, Attribute | None] = {}
        if staircase is not None:
            codes = staircase.properties()
        properties = {**windows.properties(), **codes, "accumulator": accumulator}
        super().__init__(label, value, result, properties)

    def verify_kernel(self) -> None:
        source = self.expect_array(self.input, "operand")
        if not is_exact(source.element_type):
            raise VerifyException(f"pooling takes integers, not {source.element_type}")
        self.verify_frame()
        self.verify_results(self.windows.number, self.channels)
        result = self.output.type
        if isinstance(result, BitsType) and result.width != self.channels:
            raise VerifyException(f"rows of {self.channels} results do not fit {result}")
        if self.thresholds is not None and self.thresholds.shape[0] not in (1, self.channels):
            raise VerifyException(
                f"thresholds must be [{self.channels}, T] or [1, T], not {self.thresholds.type}"
            )


_POOL = (
    f"$label $input {_WINDOWS} (`at` $thresholds^)? (`steps` $steps^)? (`bias` $bias^)? "
    "attr-dict `:` type($input) `->` type($output)"
)


@irdl_op_definition
class MaxPoolOp(ArrayPoolOp):
    """`acc[p, c]` is the largest element of window `p` in channel `c`.

    Without thresholds the element type may be bipolar.
    """

    name = "packed.max_pool"
    assembly_format = _POOL

    def verify_results(self, rows: int, channels: int) -> None:
        result = self.output.type
        if self.thresholds is None and result == self._same_type(rows * channels):
            return
        super().verify_results(rows, channels)

    def _same_type(self, elements: int) -> BufferType:
        source = array_type(self.input)
        return source.of(elements, source.element_type)


@irdl_op_definition
class SumPoolOp(ArrayPoolOp):
    """`acc[p, c]` is the sum of window `p` in channel `c`."""

    name = "packed.sum_pool"
    assembly_format = _POOL


@irdl_op_definition
class PadOp(KernelOp):
    """The frame with a border of `value`: `before` and `after` pixels along each axis in space.

    Elements may become wider: bits get more planes, arrays another C type.
    """

    name = "packed.pad"
    space_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="space")
    before_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="before")
    after_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="after")
    value_attr = prop_def(IntegerAttr[I64], prop_name="value")
    assembly_format = (
        "$label $input `space` $space `before` $before `after` $after `value` $value attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        result: BufferType,
        space: Sequence[int],
        before: Sequence[int],
        after: Sequence[int],
        pad_value: int,
    ) -> None:
        super().__init__(
            label,
            value,
            result,
            {
                "space": integers(space),
                "before": integers(before),
                "after": integers(after),
                "value": IntegerAttr(pad_value, i64),
            },
        )

    @property
    def space(self) -> tuple[int, ...]:
        """Pixels of the operand along each axis."""
        return values_of(self.space_attr)

    @property
    def before(self) -> tuple[int, ...]:
        """Pixels added in front, along each axis."""
        return values_of(self.before_attr)

    @property
    def after(self) -> tuple[int, ...]:
        """Pixels added behind, along each axis."""
        return values_of(self.after_attr)

    @property
    def padded(self) -> tuple[int, ...]:
        """Pixels of the result along each axis."""
        sizes = zip(self.space, self.before, self.after, strict=True)
        return tuple(size + before + after for size, before, after in sizes)

    @property
    def pad_value(self) -> int:
        """What the border holds."""
        return self.value_attr.value.data

    @property
    def channels(self) -> int:
        """Elements of a pixel."""
        return element_count(buffer_type(self.input)) // math.prod(self.space)

    def verify_kernel(self) -> None:
        source, result = buffer_type(self.input), buffer_type(self.output)
        if not len(self.space) == len(self.before) == len(self.after) >= 1:
            raise VerifyException("space, before and after differ in length")
        if min(self.space) < 1 or min(*self.before, *self.after) < 0:
            raise VerifyException("frames have pixels, and a border cannot be negative")
        if element_count(source) % math.prod(self.space):
            raise VerifyException(f"{source} is not {math.prod(self.space)} pixels")
        if element_count(result) != math.prod(self.padded) * self.channels:
            raise VerifyException(f"{result} does not hold {list(self.padded)} pixels")
        if not is_exact(source.element_type) or not is_exact(result.element_type):
            raise VerifyException(f"padding takes integers, not {source} to {result}")
        if isinstance(source, BitsType) or isinstance(result, BitsType):
            pixels, padded = math.prod(self.space), math.prod(self.padded)
            fits = (
                isinstance(source, BitsType)
                and isinstance(result, BitsType)
                and (source.rows, result.rows) == (pixels, padded)
                and source.word == result.word
            )
            if not fits:
                raise VerifyException(f"rows are pixels on both sides: {source} to {result}")
        low, high = element_range(result.element_type)
        least, most = element_range(source.element_type)
        if not low <= min(least, self.pad_value) or not max(most, self.pad_value) <= high:
            raise VerifyException(
                f"{result.element_type} holds not both {self.pad_value} and every value of "
                f"{source.element_type}"
            )
        if isinstance(result.element_type, BipolarType):
            same = isinstance(source.element_type, BipolarType)
            if not same or self.pad_value not in (-1, 1):
                raise VerifyException("a bipolar border is −1 or +1")


@irdl_op_definition
class GroupDenseOp(ArrayDenseOp):
    """Integers by integers where each result reads the channels of its group only.

    A row of the input is `taps` pixels of C channels, and result `m` is
    `acc = Σ_{k, c} weights[m, k, c] · x[k·C + (m // (M/G))·C/G + c]` with `weights` [M, taps, C/G];
    G is `groups`. As many groups as channels: a depthwise convolution.
    """

    name = "packed.group_dense"
    groups_attr = prop_def(IntegerAttr[I64], prop_name="groups")
    assembly_format = (
        "$label $input `,` $weights `groups` $groups (`at` $thresholds^)? (`steps` $steps^)? "
        "(`bias` $bias^)? attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        groups: int,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        codes: Mapping[str, Attribute | None] = {}
        if staircase is not None:
            codes = staircase.properties()
        properties = {
            "weights": weights,
            "groups": IntegerAttr(groups, i64),
            "accumulator": accumulator,
            **codes,
        }
        super().__init__(label, value, result, properties)

    @property
    def groups(self) -> int:
        """G: how many groups the channels fall into."""
        return self.groups_attr.value.data

    @property
    def taps(self) -> int:
        """Pixels in a row of the input."""
        return self.weights.shape[1]

    @property
    def columns(self) -> int:
        return self.taps * self.groups * self.weights.shape[2]

    @property
    def macs(self) -> int:
        return self.rows * self.weights.size

    def verify_kernel(self) -> None:
        weights = self.weights
        if len(weights.shape) != 3 or not is_exact(weights.element_type):
            raise VerifyException(f"weights must be integers [M, taps, C/G], not {weights.type}")
        if self.groups < 1 or self.channels % self.groups:
            raise VerifyException(f"{self.groups} groups do not divide {self.channels} results")
        self.check_array()
        self.verify_sums()


__all__ = [
    "ArrayPoolOp",
    "GroupDenseOp",
    "MaxPoolOp",
    "OrPoolOp",
    "PadOp",
    "PatchesOp",
    "SumPoolOp",
    "WindowOp",
    "Windows",
]
