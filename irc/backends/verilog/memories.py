"""ROM and RAM contents and declarations."""

from __future__ import annotations

import numpy as np

from irc.backends.verilog.expressions import declaration
from irc.dialects.rtl import RamOp, RomOp


def hex_words(op: RomOp | RamOp) -> list[str]:
    """One hexadecimal number a word, most significant digit first, ceil(width / 4) digits each; of
    a RAM without initial contents none."""
    bits = op.bits()
    if bits is None:
        return []
    digits = (op.width + 3) // 4
    padded = np.zeros((op.depth, (digits + 1) // 2 * 8), np.uint8)
    padded[:, : op.width] = bits
    text = np.packbits(padded[:, ::-1], axis=1).tobytes().hex()
    step = padded.shape[1] // 4
    return [text[end - digits : end] for end in range(step, len(text) + 1, step)]


def hex_file(op: RomOp | RamOp) -> str:
    """The contents for `$readmemh`: one word a line, nothing else."""
    return "\n".join(hex_words(op)) + "\n"


def declare(op: RomOp | RamOp, memory: str, output: str) -> list[str]:
    """Declare the array, with the attribute that says where it lies, and its output register.

    Yosys finds no mapping for a `distributed` ROM, since all its look-up table memories have a
    write port; to it, tables that are only read are `logic`. It looks at `ram_style` first, and
    makers' tools, for what is never written, at `rom_style`.
    """
    kind = "rom" if isinstance(op, RomOp) else "ram"
    lines: list[str] = []
    if kind == "rom" and op.style.data == "distributed":
        lines.append('  (* ram_style = "logic" *)')
    if op.style.data != "auto":
        lines.append(f'  (* {kind}_style = "{op.style.data}" *)')
    return [
        *lines,
        f"  {declaration('reg', op.width, memory)} [0:{op.depth - 1}];",
        f"  {declaration('reg', op.width, output)};",
    ]


def initialise_inline(op: RomOp | RamOp, memory: str) -> list[str]:
    """An `initial` block with one assignment a word."""
    words = hex_words(op)
    lines = [f"    {memory}[{i}] = {op.width}'h{word};" for i, word in enumerate(words)]
    return ["  initial begin", *lines, "  end"]


def initialise_from_file(memory: str, file_name: str) -> list[str]:
    """An `initial` statement that reads a hex file."""
    return [f'  initial $readmemh("{file_name}", {memory});']
