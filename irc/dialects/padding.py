"""What padding must keep to, at every level: borders that fit, and types that hold them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, ArrayAttr, IntegerAttr
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, element_range
from irc.dialects.integer_lists import Integers, integers, values_of


def border_properties(before: Sequence[int], after: Sequence[int]) -> dict[str, Integers]:
    """The properties of a `PaddingOp`."""
    return {"before": integers(before), "after": integers(after)}


class PaddingOp(IRDLOperation):
    """Adds a border: `before[i]` and `after[i]` elements along axis i in space."""

    before_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="before")
    after_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="after")

    @property
    def before(self) -> tuple[int, ...]:
        """Elements added in front, along each axis in space."""
        return values_of(self.before_attr)

    @property
    def after(self) -> tuple[int, ...]:
        """Elements added behind, along each axis in space."""
        return values_of(self.after_attr)


def padded_space(
    space: Sequence[int], before: Sequence[int], after: Sequence[int]
) -> tuple[int, ...]:
    """The extents of a frame with its border; raises where that is none."""
    if len(before) != len(space) or len(after) != len(space):
        raise VerifyException(f"a border for each of the {len(space)} axes in space is needed")
    if min((*before, *after), default=0) < 0:
        raise VerifyException("a border cannot be negative")
    return tuple(size + b + a for size, b, a in zip(space, before, after, strict=True))


def check_border_value(value: float, source: Attribute, result: Attribute) -> None:
    """Raise unless the exact type `result` holds the border and every value of `source`.

    Bits hold no border but −1 and +1, and no values but bipolar ones.
    """
    low, high = element_range(result)
    least, most = element_range(source)
    holds = float(value).is_integer() and low <= min(value, least) and max(value, most) <= high
    if isinstance(result, BipolarType):
        holds = value in (-1, 1) and isinstance(source, BipolarType)
    if not holds:
        raise VerifyException(f"{result} holds not both {value:g} and every value of {source}")
