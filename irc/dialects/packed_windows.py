"""Windows of a frame, and what the `packed` ops that look at them share."""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr
from xdsl.ir import Attribute
from xdsl.irdl import opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dense import BipolarType, element_range
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.packed_base import (
    KernelOp,
    buffer_type,
    element_count,
)
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

    TAKES_BORDER: ClassVar = False

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
        if windows.has_border and not self.TAKES_BORDER:
            raise VerifyException("pools have no border; packed.pad makes one")
        source, pixels = buffer_type(self.input), math.prod(windows.space)
        if isinstance(source, BitsType) and source.rows != pixels:
            raise VerifyException(f"{source} has not a row for each of {pixels} pixels")
        if element_count(source) % pixels:
            raise VerifyException(f"{source} is not {pixels} pixels")


WINDOWS = "`space` $space `kernel` $kernel `strides` $strides `dilations` $dilations "
"""What the windows look like in the assembly format of an op."""
