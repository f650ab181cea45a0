"""Constraint files: where the ports of a board's top module are, and how fast its clock is."""

from __future__ import annotations

from collections.abc import Sequence

from irc.backends.boards.board import Board
from irc.backends.boards.wrapper import BoardPort

SUFFIX = {"ice40": "pcf", "ecp5": "lpf", "gowin": "cst", "xc7": "xdc"}
COMMENT = {"gowin": "//"}
"""Ends of the constraint file's name and beginnings of its comments, by family."""


def constraints(board: Board, ports: Sequence[BoardPort]) -> str:
    """The constraint file for these ports, in the language of the board's device."""
    family = board.device.family.name
    write = {"ice40": _pcf, "ecp5": _lpf, "gowin": _cst, "xc7": _xdc}[family]
    return f"{COMMENT.get(family, '#')} {board.description}\n{write(board, ports)}"


def _pcf(board: Board, ports: Sequence[BoardPort]) -> str:
    lines = [f"set_io {port.name} {port.pin}" for port in ports]
    if board.clock.pin is not None:
        lines.append(f"set_frequency clk {board.clock.frequency:g}")
    return "\n".join([*lines, ""])


def _lpf(board: Board, ports: Sequence[BoardPort]) -> str:
    lines: list[str] = []
    for port in ports:
        lines.append(f'LOCATE COMP "{port.name}" SITE "{port.pin}";')
        lines.append(
            f'IOBUF PORT "{port.name}" IO_TYPE={board.standard(port.pin)}{_pull(board, port)};'
        )
    lines.append(f'FREQUENCY PORT "clk" {board.clock.frequency:g} MHZ;')
    return "\n".join([*lines, ""])


def _pull(board: Board, port: BoardPort) -> str:
    """A pull resistor to the level at rest, for inputs that may be open."""
    if port.name == "button" and board.reset is not None:
        return f" PULLMODE={'UP' if board.reset.active_low else 'DOWN'}"
    return " PULLMODE=UP" if port.name in ("rx", "cs") else ""


def _cst(board: Board, ports: Sequence[BoardPort]) -> str:
    """Clocks have no place there: nextpnr takes the one of the command line for all."""
    lines: list[str] = []
    for port in ports:
        pull = _pull(board, port).replace("PULLMODE", "PULL_MODE")
        lines.append(f'IO_LOC "{port.name}" {port.pin};')
        lines.append(f'IO_PORT "{port.name}" IO_TYPE={board.standard(port.pin)}{pull};')
    return "\n".join([*lines, ""])


def _xdc(board: Board, ports: Sequence[BoardPort]) -> str:
    lines = [
        f"set_property -dict {{ PACKAGE_PIN {port.pin} IOSTANDARD {board.standard(port.pin)} }} "
        f"[get_ports {{ {port.name} }}]"
        for port in ports
    ]
    period = 1000 / board.clock.frequency
    lines.append(f"create_clock -name clk -period {period:.3f} [get_ports {{ clk }}]")
    return "\n".join([*lines, ""])
