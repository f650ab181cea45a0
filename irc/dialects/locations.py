"""Names of ONNX nodes in the locations of operations, at every level.

An operation that stands for one node is at `loc("conv1")`; one that stands for several, such as
thresholds that took a normalization in, is at `loc(fused["sign1", "norm1"])`. The first name is
the one that layers are called by.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    FileLineColLoc,
    FusedLoc,
    LocationAttr,
    NameLoc,
    NoneAttr,
)
from xdsl.ir import Attribute


def location_name(location: Attribute) -> str:
    """The name of the ONNX node that a location carries, the first of several; else empty."""
    names = location_names(location)
    return names[0] if names else ""


def location_names(location: Attribute) -> list[str]:
    """The names of all ONNX nodes that a location carries, each once."""
    names = [leaf.desc.data for leaf in _leaves(location) if isinstance(leaf, NameLoc)]
    return list(dict.fromkeys(name for name in names if name))


def location_label(location: Attribute) -> str:
    """What a person reads: `conv1`, `sign1+norm1` for several nodes, else empty."""
    return "+".join(location_names(location))


def fused_location(
    first: LocationAttr, *others: LocationAttr, without: LocationAttr | None = None
) -> LocationAttr:
    """The location of what stands for several operations: all their nodes and lines, each once.

    What it is called by is what `first` was called by. Of the others, what `without` names is left
    out: it has an operation of its own.
    """
    kept = [] if without is None else _leaves(without)
    rest = [leaf for location in others for leaf in _leaves(location) if leaf not in kept]
    places = list(dict.fromkeys([*_leaves(first), *rest]))
    if len(places) < 2:
        return places[0] if places else first
    return FusedLoc(ArrayAttr(places), NoneAttr())


def _leaves(location: Attribute) -> list[NameLoc | FileLineColLoc]:
    match location:
        case NameLoc() | FileLineColLoc():
            return [location]
        case FusedLoc():
            inner = cast("ArrayAttr[Attribute]", location.locations)
            return [leaf for one in inner for leaf in _leaves(one)]
        case _:
            return []
