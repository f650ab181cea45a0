"""The rtl dialect: text round trip, and what its verifiers refuse."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import comb, hw, seq
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, DenseAttr, PackedBytes
from irc.dialects.rtl import Rtl, address_width, popcount_width


def parse(text: str) -> ModuleOp:
    context = Context()
    for dialect in (Builtin, hw.HW, comb.Comb, seq.Seq, Rtl):
        context.load_dialect(dialect)
    for attribute in (DenseAttr, BipolarType, PackedBytes):
        context.load_attr_or_type(attribute)
    return Parser(context, text).parse_module()


def in_module(body: str) -> str:
    return f"""
    hw.module @m(in %clk: !seq.clock, in %en: i1, in %a: i1, in %b: i2, in %x: i4) {{
      {body}
      hw.output
    }}
    """


ROM = (
    '%q = rtl.rom "w"[%b] clock %clk enable %en style "block" init "auto" '
    "<tensor<3x4xui1>, [0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1]> : i2 -> i4"
)
RAM = (
    '%q = rtl.ram "mem" depth 3 style "auto" clock %clk write %en[%b] %x read %en[%b] : i2, i4, i2'
)


@pytest.mark.parametrize(
    "body",
    [
        ROM,
        RAM,
        "%n = rtl.popcount %x : i4 -> i3",
        '%w = rtl.wire "name" %x : i4',
        # Feedback: modules are graph regions.
        '%w = rtl.wire "loop" %n : i4\n%n = comb.add %r, %x : i4\n%r = seq.compreg %w, %clk : i4',
    ],
)
def test_text_parses_back_to_the_same_ir(body: str) -> None:
    module = parse(in_module(body))
    module.verify()
    again = parse(str(module))
    again.verify()
    assert str(again) == str(module)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ROM.replace('"block"', '"sram"'), "style must be one of auto, block, distributed"),
        (ROM.replace('init "auto"', 'init "file"'), "init must be one of auto, inline, readmemh"),
        (ROM.replace("%b", "%x").replace(": i2", ": i4"), "of 3 words must be 2 bits, not 4"),
        (ROM.replace("-> i4", "-> i5"), "words are 4 bits, but the result is i5"),
        (ROM.replace("ui1", "ui2"), "contents must be tensor<DEPTHxWIDTHxui1>"),
        (ROM.replace("3x4x", "12x"), "contents must be tensor<DEPTHxWIDTHxui1>"),
        (RAM.replace("depth 3", "depth 0"), "depth must be positive"),
        (RAM.replace("depth 3", "depth 5"), "of 5 words must be 3 bits, not 2"),
        ("%n = rtl.popcount %x : i4 -> i4", "the population count of i4 has 3 bits, not 4"),
    ],
)
def test_verifiers_refuse(body: str, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        parse(in_module(body)).verify()


def test_widths() -> None:
    assert [address_width(depth) for depth in (1, 2, 3, 4, 5, 1024, 1025)] == [
        1, 1, 2, 2, 3, 10, 11,
    ]  # fmt: skip
    for bits in range(1, 70):
        assert 2 ** popcount_width(bits) > bits >= 2 ** (popcount_width(bits) - 1)


def test_rom_contents_come_back_in_order() -> None:
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (5, 11), np.uint8)
    module = parse(in_module(ROM))
    (rom,) = [op for op in module.walk() if op.name == "rtl.rom"]
    from irc.dialects.rtl import RomOp

    assert isinstance(rom, RomOp)
    assert rom.bits().tolist() == [[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 1]]
    wider = RomOp("w", bits, rom.address, rom.clk, rom.enable)
    assert np.array_equal(wider.bits(), bits)
    assert (wider.depth, wider.width) == (5, 11)
