"""What a slice is, at every level: where it begins along each axis, how long, how far apart."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.integer_lists import Integers, integers, values_of


def slice_properties(
    offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]
) -> dict[str, Integers]:
    """The properties of a `SlicingOp`."""
    return {
        "offsets": integers(offsets),
        "sizes": integers(sizes),
        "strides": integers(strides),
    }


class SlicingOp(IRDLOperation):
    """Keeps `sizes[i]` elements along axis i, from `offsets[i]` on, every `strides[i]`-th."""

    offsets_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="offsets")
    sizes_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="sizes")
    strides_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="strides")

    @property
    def offsets(self) -> tuple[int, ...]:
        """The first element along each axis."""
        return values_of(self.offsets_attr)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many elements are kept along each axis."""
        return values_of(self.sizes_attr)

    @property
    def strides(self) -> tuple[int, ...]:
        """The distance of neighbouring elements in the operand, along each axis."""
        return values_of(self.strides_attr)

    def check_slice(self, shape: Sequence[int], source: Attribute) -> None:
        """Raise unless every axis of `shape`, that of the type `source`, has what is kept."""
        if {len(self.offsets), len(self.sizes), len(self.strides)} != {len(shape)}:
            raise VerifyException(
                f"offsets {list(self.offsets)}, sizes {list(self.sizes)} and strides "
                f"{list(self.strides)} need one entry for each of the {len(shape)} axes"
            )
        if min(self.offsets, default=0) < 0 or min((*self.sizes, *self.strides), default=1) < 1:
            raise VerifyException("offsets are not negative, sizes and strides are positive")
        for axis, (offset, size, stride) in enumerate(
            zip(self.offsets, self.sizes, self.strides, strict=True)
        ):
            if offset + (size - 1) * stride >= shape[axis]:
                raise VerifyException(
                    f"{size} elements from {offset} on, {stride} apart, are not in axis {axis} "
                    f"of {source}"
                )
