"""Which name a location gives to messages and layers."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser

from irc.dialects.locations import location_name


def name_in(text: str) -> str:
    context = Context()
    context.load_dialect(Builtin)
    location = Parser(context, text).parse_optional_location()
    assert location is not None
    return location_name(location)


def test_the_first_name_counts() -> None:
    assert name_in('loc("conv")') == "conv"
    assert name_in('loc(fused[unknown, fused[""], "conv", "relu"])') == "conv"
    assert name_in("loc(unknown)") == ""
