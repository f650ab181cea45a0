"""Board files: what those of the package say, and what is told about wrong ones."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from irc.backends.boards.board import board_names, load_board, read_board
from irc.errors import IrcError, UsageError

GOOD = """\
description = "Mine"
device = "up5k"
program = ["load", "{bitstream}"]
[clock]
pin = "35"
frequency = 12
core = 24.0
pll = "SB_PLL40_PAD"
[uart]
rx = "6"
tx = "9"
baud = 115_200
"""


def test_the_boards_are_those_that_are_documented():
    assert board_names() == [
        "arty-a7",
        "colorlight-i5",
        "icebreaker",
        "tangnano20k",
        "tangnano9k",
        "ulx3s-25k",
        "ulx3s-85k",
        "upduino",
        "upduino-hfosc",
        "zybo-z7",
    ]


@pytest.mark.parametrize(
    ("name", "clock", "rx", "tx"),
    [
        ("icebreaker", "35", "6", "9"),
        ("upduino", "20", "15", "14"),
        ("ulx3s-85k", "G2", "M1", "L4"),
        ("ulx3s-25k", "G2", "M1", "L4"),
        ("colorlight-i5", "P3", "H18", "J17"),
        ("arty-a7", "E3", "A9", "D10"),
        ("tangnano9k", "52", "18", "17"),
        ("tangnano20k", "4", "70", "69"),
    ],
)
def test_pins_are_those_of_the_makers_constraint_files(name: str, clock: str, rx: str, tx: str):
    board = load_board(name)
    assert board.uart is not None
    assert (board.clock.pin, board.uart.rx, board.uart.tx) == (clock, rx, tx)


@pytest.mark.parametrize("name", board_names())
def test_every_file_names_its_source_and_uses_a_pin_once(name: str):
    text = (resources.files("irc.backends.boards") / "data" / f"{name}.toml").read_text("utf-8")
    assert text.startswith("# Pins: ")
    board = load_board(name)
    common = [board.clock.pin, board.reset and board.reset.pin]
    common += [pin for pin, _ in board.levels.values()]
    if board.leds is not None:
        common += [board.leds.active, board.leds.failed]
    groups = [[board.uart.rx, board.uart.tx]] if board.uart is not None else []
    if board.spi is not None:
        groups.append([board.spi.cs, board.spi.sck, board.spi.mosi, board.spi.miso])
    assert groups
    for group in groups:
        pins = [pin for pin in [*common, *group] if pin is not None]
        assert len(set(pins)) == len(pins)


def test_a_file_of_one_s_own_is_read(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    board = load_board(str(path))
    assert (board.name, board.description, board.device.name) == ("mine", "Mine", "up5k")
    assert board.clock.core == 24
    assert (board.spi, board.leds, board.reset, board.levels) == (None, None, None, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('device = "up5k"', 'device = "up6k"', "key 'device': expected up5k, hx8k, ecp5-25k"),
        ('device = "up5k"', "", "key 'device': missing; expected up5k"),
        (
            'pin = "35"',
            "pin = 35",
            'key \'clock.pin\': expected a pin such as "35" or "G2", not 35',
        ),
        ("frequency = 12", 'frequency = "12"', "key 'clock.frequency': expected a number from 0.1"),
        (
            "core = 24.0",
            "core = 5000",
            "key 'clock.core': expected a number from 0.1 to 1,000, not",
        ),
        ("SB_PLL40_PAD", "EHXPLLL", "key 'clock.pll': expected SB_PLL40_PAD, SB_PLL40_CORE"),
        ("baud = 115_200", "baud = 115_200\nbits = 7", "key 'uart.bits': there is no such key"),
        ("[uart]", "[uaart]", "key 'uaart': there is no such key"),
        ('program = ["load", "{bitstream}"]', 'program = "load"', "key 'program': expected a list"),
        ('"Mine"', '""', "key 'description': expected a text of one line"),
        ("[clock]", "[[clock]]", "key 'clock': expected a table"),
        ('rx = "6"', 'rx = "6', "not TOML: "),
        (
            "[uart]",
            "[leds]\nactive_low = 1\n[uart]",
            "key 'leds.active_low': expected true or false",
        ),
        (
            "[uart]",
            '[io]\nstandard = "LVCMOS33"\n[uart]',
            "key 'io.standard': there is no such key",
        ),
        ("[uart]", '[levels]\ncs = { pin = "1", level = 2 }\n[uart]', "key 'levels.cs.level': "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(old: str, new: str, message: str):
    assert old in GOOD
    with pytest.raises(IrcError, match=re.escape(f"mine.toml: {message}")):
        read_board(GOOD.replace(old, new), "mine", "mine.toml")


def test_unknown_boards_and_files_are_told(tmp_path: Path):
    with pytest.raises(UsageError, match="unknown board 'icebraker'; expected arty-a7, colorlight"):
        load_board("icebraker")
    with pytest.raises(IrcError, match=r"none\.toml: No such file or directory; expected a board"):
        load_board(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(IrcError, match=r"binary\.toml: not UTF-8 text"):
        load_board(str(tmp_path / "binary.toml"))
