"""`-t verilog{top=…}`: one text, inline ROMs, only what the top reaches."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.backends.verilog.check import check_verilog
from irc.backends.verilog.target import VerilogTarget
from irc.errors import IrcError
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port


def leaf(name: str, *, public: bool = False) -> HwBuilder:
    ports = [*CLOCK_RESET, Port.input("a", 10), Port.output("q", 16)]
    b = HwBuilder(name, ports, public=public)
    bits = np.random.default_rng(0).integers(0, 2, (1024, 16))
    b.output("q", b.rom("weights", bits, b.input("a")))
    return b


def design() -> ModuleOp:
    used, unused = leaf("used").finish(), leaf("unused").finish()
    ports = [*CLOCK_RESET, Port.input("a", 10), Port.output("q", 16)]
    b = HwBuilder("net", ports, public=True)
    b.output("q", b.instance("i", used, {"a": b.input("a")})["q"])
    return ModuleOp([used, unused, b.finish()])


def emit(module: ModuleOp, top: str | None) -> str:
    output = StringIO()
    VerilogTarget(top=top).emit(Context(), module, output)
    return output.getvalue()


@pytest.mark.parametrize("top", ["net", None])
def test_prints_the_top_and_what_it_reaches(top: str | None) -> None:
    text = emit(design(), top)
    check_verilog(text)
    assert "module used (" in text
    assert "module net (" in text
    assert "module unused (" not in text
    assert "$readmemh" not in text
    assert "weights[1023] = 16'h" in text


def test_unknown_top() -> None:
    with pytest.raises(IrcError, match=r"no hw\.module 'nett'; there are used, unused, net"):
        emit(design(), "nett")


def test_top_must_be_named_where_several_are_public() -> None:
    module = ModuleOp([leaf("a", public=True).finish(), leaf("b", public=True).finish()])
    with pytest.raises(IrcError, match="name the top module, top=…: one of a, b"):
        emit(module, None)


def test_other_levels_are_told_how_to_get_here() -> None:
    with pytest.raises(IrcError, match="lower to the hw level first"):
        emit(ModuleOp([]), None)
