"""What padding must keep to, at every level: borders that fit, and types that hold them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, element_range


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
