"""What a linked program holds: segments to load, and symbols by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

_WRITABLE, _ALLOCATED, _EXECUTABLE = 1, 2, 4
"""Flags of a section (ELF specification, sh_flags)."""

_UNWINDING = (".ARM.exidx", ".ARM.extab", ".eh_frame")
"""For exceptions of C++; firmware in C leaves them out."""


@dataclass(frozen=True)
class Segment:
    """A section: bytes to load at an address; memory beyond the bytes is zero."""

    address: int
    data: bytes
    size: int


@dataclass(frozen=True)
class Program:
    """A program in memory."""

    segments: tuple[Segment, ...]
    symbols: dict[str, int]


def read_program(path: Path) -> Program:
    """The program of an ELF file."""
    with path.open("rb") as stream:
        # pyelftools states no types.
        elf: Any = ELFFile(stream)
        # Not its segments: a linker may let one span the empty gigabyte between flash and RAM.
        segments = tuple(
            Segment(
                section["sh_addr"],
                b"" if section["sh_type"] == "SHT_NOBITS" else section.data(),
                section["sh_size"],
            )
            for section in elf.iter_sections()
            if section["sh_flags"] & _ALLOCATED and section["sh_size"]
        )
        table = elf.get_section_by_name(".symtab")
        # Bit 0 of the address of a Thumb function says that it is one.
        symbols = {
            symbol.name: symbol["st_value"] & ~1
            if symbol["st_info"]["type"] == "STT_FUNC"
            else symbol["st_value"]
            for symbol in table.iter_symbols()
            if symbol.name
        }
    return Program(segments, symbols)


def function_range(path: Path, name: str) -> tuple[int, int]:
    """Addresses of a function of an ELF file: of its first byte, and behind its last."""
    with path.open("rb") as stream:
        elf: Any = ELFFile(stream)
        (symbol,) = elf.get_section_by_name(".symtab").get_symbol_by_name(name)
        begin = symbol["st_value"] & ~1
        return begin, begin + symbol["st_size"]


@dataclass(frozen=True)
class ObjectSizes:
    """Bytes of an object file by where they lie."""

    code: int
    constants: int
    variables: int


def object_sizes(path: Path) -> ObjectSizes:
    """What one object file takes in flash and RAM."""
    with path.open("rb") as stream:
        elf: Any = ELFFile(stream)
        code = constants = variables = 0
        for section in elf.iter_sections():
            flags, size = section["sh_flags"], section["sh_size"]
            if not flags & _ALLOCATED or section.name.startswith(_UNWINDING):
                continue
            if flags & _EXECUTABLE:
                code += size
            elif flags & _WRITABLE:
                variables += size
            else:
                constants += size
    return ObjectSizes(code, constants, variables)
