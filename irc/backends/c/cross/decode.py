"""How many instructions, and how many loads, lie in a block of machine code."""

from __future__ import annotations

from typing import Any

import capstone  # pyright: ignore[reportMissingTypeStubs]

_ARM_LOADS = ("ldr", "ldm", "pop", "vldr", "vldm", "vpop")
_RISCV_LOADS = ("lb", "lh", "lw", "lbu", "lhu", "c.lw", "c.lwsp", "flw", "c.flw")


def _half(code: bytes, at: int) -> int:
    return int.from_bytes(code[at : at + 2], "little")


def _loads_vector(first: int, second: int) -> bool:
    """Whether two half words are a load of Helium's, VLDR or VLD2 and VLD4, which capstone lacks.

    They are loads of coprocessors 14 and 15 (Armv8-M Architecture Reference Manual, C2.3.10).
    """
    return first & 0xEE10 == 0xEC10 and second & 0x0E00 == 0x0E00


class Decoder:
    """Reads little-endian Thumb or RISC-V code."""

    def __init__(self, is_arm: bool) -> None:
        self._is_arm = is_arm
        if is_arm:
            mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
            self._capstone: Any = capstone.Cs(capstone.CS_ARCH_ARM, mode)
        else:
            mode = capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
            self._capstone = capstone.Cs(capstone.CS_ARCH_RISCV, mode)
        # What it does not know, such as newer extensions, is no load; lengths are ours.
        self._capstone.skipdata = True

    def count(self, code: bytes, address: int) -> tuple[int, int]:
        """Instructions and loads in `code`, which begins at `address`."""
        instructions = vectors = at = 0
        while at < len(code):
            half, second = _half(code, at), _half(code, at + 2)
            vectors += self._is_arm and _loads_vector(half, second)
            at += self._length(half)
            instructions += 1
        names = [name for _, _, name, _ in self._capstone.disasm_lite(code, address)]
        if self._is_arm:
            return instructions, vectors + sum(name.startswith(_ARM_LOADS) for name in names)
        return instructions, sum(name in _RISCV_LOADS for name in names)

    def _length(self, half: int) -> int:
        """Bytes of the instruction that begins with this half word."""
        if self._is_arm:
            return 4 if half >> 11 in (0b11101, 0b11110, 0b11111) else 2
        return 4 if half & 3 == 3 else 2
