"""What synthesis needs of a board: from the folder that irc compile wrote, or made now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from irc.backends.boards.board import load_board
from irc.backends.synth.devices import Device, device_named
from irc.errors import IrcError
from irc.flow.board_project import BOARD_FILE, FOLDER, BoardChoice, board_files
from irc.flow.manifest_forms import (
    ANY_TEXT,
    CLOCK,
    COUNT,
    FILE,
    IDENTIFIER,
    PLAIN_NAME,
    Fields,
    Maybe,
    Named,
    Rows,
)


@dataclass(frozen=True)
class BoardBuild:
    """A board's part of a design; `clock` is in MHz, texts are by file name."""

    name: str
    description: str
    device: Device
    top: str
    clock: float
    sources: dict[str, str]
    constraints: tuple[str, str] | None
    """Name and text, where there are any."""
    program: tuple[str, ...] | None

    def write(self, work: Path) -> list[str]:
        """Write everything into a folder; the names of the Verilog files."""
        constraints = [] if self.constraints is None else [self.constraints]
        for name, text in [*self.sources.items(), *constraints]:
            (work / name).write_text(text, encoding="utf-8")
        return list(self.sources)

    def program_command(self, bitstream: str) -> str | None:
        """The command that loads the bitstream onto the board."""
        if self.program is None:
            return None
        return " ".join(part.replace("{bitstream}", bitstream) for part in self.program)


def board_build(
    folder: Path, manifest: Mapping[str, Any], choice: BoardChoice | None
) -> BoardBuild | None:
    """The board of a choice, made from the manifest; else the one that lies in the folder, if any.

    Raises `IrcError` where a file of the folder is missing.
    """
    if choice is None:
        return _from_folder(folder / FOLDER)
    files = board_files(manifest, choice)
    texts = {name.removeprefix(f"{FOLDER}/"): text for name, text in files.items()}
    return _build(json.loads(texts[BOARD_FILE]), texts)


def has_board(folder: Path) -> bool:
    """Whether `irc compile --board` wrote the folder."""
    return (folder / FOLDER / BOARD_FILE).is_file()


def load_choice(
    board: str | None, bridge: str | None, baud: int | None, clock: float | None
) -> BoardChoice | None:
    """What the command line says; raises `IrcError` for what is wrong with the board."""
    if board is None:
        return None
    file = board if board.endswith(".toml") else None
    return BoardChoice(load_board(board), bridge, baud, clock, file)


def _from_folder(path: Path) -> BoardBuild | None:
    if not (path / BOARD_FILE).is_file():
        return None
    entry = _read_entry(path / BOARD_FILE)
    texts: dict[str, str] = {}
    for name in [*entry["sources"], *([entry["constraints"]] if entry["constraints"] else [])]:
        try:
            texts[name] = (path / name).read_text(encoding="utf-8")
        except OSError as error:
            raise IrcError(f"{path / name}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise IrcError(f"{path / name}: not UTF-8 text") from None
    return _build(entry, texts)


def _read_entry(path: Path) -> dict[str, Any]:
    """What a folder says of its board, held against its form."""
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrcError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise IrcError(f"{path}: not JSON: {error}") from None
    if wrong := _FORM.wrong(found, ""):
        raise IrcError(f"{path}: {wrong}; written by another version?")
    return cast("dict[str, Any]", found)


_FORM = Fields(
    {
        "board": PLAIN_NAME,
        "description": ANY_TEXT,
        "device": ANY_TEXT,
        "top": IDENTIFIER,
        "clock": CLOCK,
        "sources": Named(FILE, Fields({"crc32": COUNT})),
        "constraints": Maybe(PLAIN_NAME),
        "program": Maybe(Rows(ANY_TEXT)),
    }
)


def _build(entry: Mapping[str, Any], texts: Mapping[str, str]) -> BoardBuild:
    verilog = [name for name in entry["sources"] if name.endswith(".v") and "/" not in name]
    named: str | None = entry["constraints"]
    return BoardBuild(
        name=entry["board"],
        description=entry["description"],
        device=device_named(entry["device"]),
        top=entry["top"],
        clock=entry["clock"],
        sources={name: texts[name] for name in verilog},
        constraints=None if named is None else (named, texts[named]),
        program=None if entry["program"] is None else tuple(entry["program"]),
    )
