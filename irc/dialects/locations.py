"""Names of ONNX nodes in the locations of operations, at every level."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import ArrayAttr, FusedLoc, NameLoc
from xdsl.ir import Attribute


def location_name(location: Attribute) -> str:
    """The name of the ONNX node that a location carries, the first of several; else empty."""
    match location:
        case NameLoc():
            return location.desc.data
        case FusedLoc():
            locations = cast("ArrayAttr[Attribute]", location.locations)
            names = [location_name(inner) for inner in locations]
            return next((name for name in names if name), "")
        case _:
            return ""
