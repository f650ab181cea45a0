"""RISC-V's Zbb extension (basic bit manipulation, 32 bits), which the emulator does not know.

The emulator calls for every instruction that it refuses; these are computed here, as the
ratified specification (RISC-V Bit-Manipulation ISA-extensions 1.0.0) defines them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unicorn import riscv_const

_MASK = 0xFFFFFFFF
_REGISTERS = [getattr(riscv_const, f"UC_RISCV_REG_X{i}") for i in range(32)]


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _rotated_right(value: int, amount: int) -> int:
    amount &= 31
    return (value >> amount | value << (32 - amount)) & _MASK


def _orc_b(value: int) -> int:
    return sum(0xFF << 8 * i for i in range(4) if value >> 8 * i & 0xFF)


def _sign_extended(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return (value - (1 << bits)) & _MASK if value >> (bits - 1) else value


_UNARY: dict[tuple[int, int], Callable[[int], int]] = {
    # (funct3, imm[11:0]) under opcode OP-IMM
    (1, 0x600): lambda x: 32 - x.bit_length(),
    (1, 0x601): lambda x: (x & -x).bit_length() - 1 if x else 32,
    (1, 0x602): lambda x: x.bit_count(),
    (1, 0x604): lambda x: _sign_extended(x, 8),
    (1, 0x605): lambda x: _sign_extended(x, 16),
    (5, 0x287): _orc_b,
    (5, 0x698): lambda x: int.from_bytes(x.to_bytes(4, "little"), "big"),
}
"""clz, ctz, cpop, sext.b, sext.h, orc.b, rev8."""

_BINARY: dict[tuple[int, int], Callable[[int, int], int]] = {
    # (funct7, funct3) under opcode OP
    (0x20, 7): lambda x, y: x & ~y,
    (0x20, 6): lambda x, y: x | ~y,
    (0x20, 4): lambda x, y: ~(x ^ y),
    (0x05, 4): lambda x, y: x if _signed(x) < _signed(y) else y,
    (0x05, 5): lambda x, y: min(x, y),
    (0x05, 6): lambda x, y: x if _signed(x) > _signed(y) else y,
    (0x05, 7): lambda x, y: max(x, y),
    (0x30, 1): lambda x, y: _rotated_right(x, -y),
    (0x30, 5): _rotated_right,
    (0x04, 4): lambda x, y: x & 0xFFFF,
}
"""andn, orn, xnor, min, minu, max, maxu, rol, ror, zext.h."""


def zbb_result(word: int, first: int, second: int) -> int | None:
    """What an instruction gives for its two operand registers; `None` if it is not of Zbb."""
    opcode, funct3, funct7 = word & 0x7F, word >> 12 & 7, word >> 25
    if opcode == 0x13:
        immediate = word >> 20
        if (funct3, immediate) in _UNARY:
            return _UNARY[funct3, immediate](first) & _MASK
        if funct3 == 5 and funct7 == 0x30:
            return _rotated_right(first, immediate & 31)
        return None
    if opcode == 0x33 and (funct7, funct3) in _BINARY:
        return _BINARY[funct7, funct3](first, second) & _MASK
    return None


def execute_zbb(uc: Any) -> bool:
    """Execute the instruction that was refused if it is of Zbb; whether it was.

    The emulator has moved the program counter behind it already.
    """
    after = int(uc.reg_read(riscv_const.UC_RISCV_REG_PC))
    word = int.from_bytes(uc.mem_read(after - 4, 4), "little")
    first = int(uc.reg_read(_REGISTERS[word >> 15 & 31])) & _MASK
    second = int(uc.reg_read(_REGISTERS[word >> 20 & 31])) & _MASK
    result = zbb_result(word, first, second)
    if result is None:
        return False
    target = word >> 7 & 31
    if target:
        uc.reg_write(_REGISTERS[target], result)
    return True
