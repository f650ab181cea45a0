"""Kernels of the `packed` dialect on images and sequences: pixels are rows of channels.

A frame [H, W, C] is an array in row-major order, or `!packed.bits<H·W x C x T, W>`: each pixel
starts a new word. Both also serve sequences, [L, C], and any other number of axes in space.

A convolution is two ops: `packed.patches` and a dense kernel, whose rows are the output pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr, IntegerType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import DenseAttr, element_range, is_exact
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.packed_base import (
    BufferType,
    KernelOp,
    Staircase,
    buffer_type,
    element_count,
)
from irc.dialects.packed_dense import ArrayDenseOp
from irc.dialects.packed_types import ArrayType, BitsType
from irc.dialects.packed_windows import WINDOWS, WindowOp, Windows, holds
from irc.dialects.padding import (
    PaddingOp,
    border_properties,
    check_border_value,
    padded_space,
)


@irdl_op_definition
class PatchesOp(WindowOp):
    """The windows of a frame, each as one row: pixel after pixel, without padding between them.

    Or, where the result's rows are as wide as the operand's, as so many rows: see `keeps_pixels`.

    The rows never exist together. A dense kernel that reads them gathers one at a time, into the
    op's `slot`, and computes all its results from it: memory for one row is all that is needed,
    and the operand stays alive until the last reader of the result is done.

    Bits are gathered into bits of the same type, an array into an array or straight into bits.
    A border consists of `value`, for whose sake arrays may get a wider type. With
    `channels_first`, the operand is an array [C, …space].
    """

    TAKES_BORDER: ClassVar = True
    name = "packed.patches"
    assembly_format = f"$label $input {WINDOWS} attr-dict `:` type($input) `->` type($output)"

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
            return result.length // self.windows.number
        return self.windows.taps * self.channels

    def verify_kernel(self) -> None:
        self.verify_frame()
        source, result = buffer_type(self.input), buffer_type(self.output)
        width = self.windows.taps * self.channels
        kinds = (source.element_type, result.element_type)
        if not all(map(is_exact, kinds)) or not (kinds[0] == kinds[1] or self._widens()):
            raise VerifyException(f"gathering keeps an exact element type: {source} to {result}")
        if self.windows.has_border and not holds(result.element_type, self.border):
            raise VerifyException(f"{result.element_type} does not hold {self.border}")
        if self.channels_first is not None and isinstance(source, BitsType):
            raise VerifyException("only arrays may have their channels first")
        if element_count(result) != self.windows.number * width:
            raise VerifyException(f"{result} does not hold {self.windows.number} rows of {width}")
        if isinstance(result, BitsType) and result.width != width and not self.keeps_pixels:
            raise VerifyException(f"a row has {width} elements, unlike {result}")
        if isinstance(source, BitsType) and (
            not isinstance(result, BitsType) or result.word != source.word
        ):
            raise VerifyException(f"bits are gathered into bits of the same words, not {result}")

    @property
    def keeps_pixels(self) -> bool:
        """Whether each pixel of a window remains a row of bits, so that words are just copied."""
        source, result = buffer_type(self.input), buffer_type(self.output)
        return (
            isinstance(source, BitsType)
            and isinstance(result, BitsType)
            and result.width == source.width
        )

    def _widens(self) -> bool:
        """Whether an array goes into one of the same C type that also holds the border."""
        source, result = buffer_type(self.input), buffer_type(self.output)
        if not isinstance(source, ArrayType) or not isinstance(result, ArrayType):
            return False
        least, most = element_range(source.element_type)
        low, high = element_range(result.element_type)
        return source.region == result.region and low <= least and most <= high


@irdl_op_definition
class PadOp(PaddingOp, KernelOp):
    """The frame with a border of `value`: `before` and `after` pixels along each axis in space.

    Elements may become wider: bits get more planes, arrays another C type.
    """

    name = "packed.pad"
    space_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="space")
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
                **border_properties(before, after),
                "value": IntegerAttr(pad_value, i64),
            },
        )

    @property
    def space(self) -> tuple[int, ...]:
        """Pixels of the operand along each axis."""
        return values_of(self.space_attr)

    @property
    def padded(self) -> tuple[int, ...]:
        """Pixels of the result along each axis."""
        return padded_space(self.space, self.before, self.after)

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
        padded_space(self.space, self.before, self.after)
        if min(self.space, default=0) < 1:
            raise VerifyException("frames have pixels")
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
        check_border_value(self.pad_value, source.element_type, result.element_type)


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
