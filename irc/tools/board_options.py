"""Options of `irc compile` and `irc synth` for a board around the core."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from irc.tools.arguments import positive

if TYPE_CHECKING:
    from irc.flow.board_project import BoardChoice


def add_board(parser: argparse.ArgumentParser) -> None:
    """The board, and what connects the core there."""
    from irc.backends.boards.board import board_names

    group = parser.add_argument_group("a board around the core, for target verilog")
    group.add_argument(
        "--board",
        metavar="BOARD",
        help=f"add a top module with PLL, reset and bridge, constraints, a host program and a "
        f"simulation of it all: {', '.join(board_names())}, or a .toml file of your own; it "
        "implies the device",
    )
    group.add_argument(
        "--bridge",
        choices=("uart", "spi", "axi"),
        help="what connects the core's streams: a UART or SPI with checked messages, or AXI4-Lite "
        "registers and AXI4-Stream for a processor (default: the board's own)",
    )
    group.add_argument(
        "--baud", type=positive, metavar="N", help="bit rate of the UART (default: the board's own)"
    )


def board_choice(options: argparse.Namespace) -> BoardChoice | None:
    """What the command line asks for; the device and clock of the board become those to fold for.

    Raises `UsageError` for options that do not go together, `IrcError` for a wrong board file.
    """
    from irc.errors import UsageError
    from irc.flow.board_build import load_choice

    for name in ("board", "bridge", "baud"):
        value = getattr(options, name)
        if value is not None and options.target != "verilog":
            raise UsageError(f"--{name} {value}: target {options.target} has no board")
        if value is not None and options.board is None:
            raise UsageError(f"--{name} {value}: give --board as well")
    choice = load_choice(options.board, options.bridge, options.baud, options.clock)
    if choice is None:
        return None
    device = choice.board.device.name
    if options.device not in (None, device):
        raise UsageError(f"--device {options.device}: board {choice.board.name} has a {device}")
    if options.baud is not None and (options.bridge or choice.board.bridge) != "uart":
        raise UsageError(f"--baud {options.baud}: only the UART has a bit rate")
    options.device = device
    options.clock = options.clock or choice.board.clock.core
    return choice
