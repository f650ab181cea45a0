"""Which name a location gives to messages and layers."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, LocationAttr
from xdsl.parser import Parser

from irc.dialects.locations import (
    fused_location,
    location_label,
    location_name,
    location_names,
)


def parsed(text: str) -> LocationAttr:
    context = Context()
    context.load_dialect(Builtin)
    location = Parser(context, text).parse_optional_location()
    assert location is not None
    return location


def name_in(text: str) -> str:
    return location_name(parsed(text))


def test_the_first_name_counts() -> None:
    assert name_in('loc("conv")') == "conv"
    assert name_in('loc(fused[unknown, fused[""], "conv", "relu"])') == "conv"
    assert name_in("loc(unknown)") == ""


def test_all_names_count_for_people() -> None:
    location = parsed('loc(fused["conv", "relu", fused["conv", "norm"], "f.mlir":1:2])')
    assert location_names(location) == ["conv", "relu", "norm"]
    assert location_label(location) == "conv+relu+norm"
    assert location_label(parsed('loc("f.mlir":1:2)')) == ""


def test_fusing_keeps_every_place_once_and_the_first_name() -> None:
    conv, relu = parsed('loc("conv")'), parsed('loc("relu")')
    unknown, line = parsed("loc(unknown)"), parsed('loc("f.mlir":1:2)')
    both = fused_location(conv, relu)
    assert str(both) == 'loc(fused["conv", "relu"])'
    assert fused_location(relu, both, line, unknown) == parsed(
        'loc(fused["relu", "conv", "f.mlir":1:2])'
    )
    assert fused_location(conv, conv) == conv
    assert fused_location(unknown) == unknown
    assert fused_location(unknown, relu) == relu
    assert fused_location(conv, both, without=relu) == conv
    assert fused_location(relu, both, without=relu) == parsed('loc(fused["relu", "conv"])')
