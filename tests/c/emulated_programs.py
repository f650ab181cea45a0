"""Programs that run the test vectors of many networks on emulated processors unlike the host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import unicorn as unicorn_module
from packed_networks import Case
from unicorn import arm_const, ppc_const
from xdsl.context import Context

from irc.backends.c.cross.program import read_program
from irc.backends.c.project import core_files, write_files
from irc.backends.c.source import emit_c
from irc.backends.c.vectors import Vectors
from irc.passes.software.choose_placement import ChoosePlacement

# Its package exports nothing in the sense of type checkers.
unicorn: Any = unicorn_module

PAGE = 0x1000
STACK, STACK_BYTES = 0x30000000, 0x100000
EXIT = 0x8000


def needs_tool(name: str) -> str:
    """The path of a tool; skips without it, but fails where CI is set."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, but {name} is not installed")
        pytest.skip(f"{name} is not installed")
    return path


def write_programs(
    folder: Path,
    cases: Sequence[Case],
    frames: int = 8,
    placement: ChoosePlacement | None = None,
) -> list[str]:
    """Write the C of `cases`, and a `driver.c` that runs all; returns the names of the files.

    Its `main` gives how many networks failed; `failed[i]` says whether the one with number i did.
    """
    names: list[str] = ["driver.c"]
    for case in cases:
        module = case.packed.clone()
        if placement is not None:
            placement.apply(Context(), module)
        source = emit_c(module, case.name)
        vectors = Vectors([case.frames[:frames]], [array[:frames] for array in case.expected])
        files = core_files(source, vectors)
        program = f"test/test_{case.name}.c"
        text = files[program]
        assert "int main(void)" in text
        renamed = f"int {case.name}_main(void);\nint {case.name}_main(void)"
        files[program] = text.replace("int main(void)", renamed)
        (folder / case.name).mkdir()
        write_files(folder / case.name, files)
        names += [f"{case.name}/{file}" for file in [*source.c_files, program]]
    lines = [f"int {case.name}_main(void);" for case in cases]
    lines += [f"volatile unsigned char failed[{len(cases)}];", "int main(void)", "{"]
    lines += ["    int count = 0;"]
    lines += [
        f"    failed[{i}] = {case.name}_main() != 0; count += failed[{i}];"
        for i, case in enumerate(cases)
    ]
    (folder / "driver.c").write_text("\n".join([*lines, "    return count;", "}", ""]))
    return names


def run_big_endian(program: Path, processor: str, count: int) -> list[int]:
    """Run `main` on a big-endian processor (armeb, powerpc); the contents of `failed`."""
    loaded = read_program(program)
    if processor == "armeb":
        mode = unicorn.UC_MODE_ARM | unicorn.UC_MODE_BIG_ENDIAN | unicorn.UC_MODE_ARM926
        machine = unicorn.Uc(unicorn.UC_ARCH_ARM, mode)
        stack, link, result = (getattr(arm_const, f"UC_ARM_REG_{n}") for n in ("SP", "LR", "R0"))
    else:
        mode = unicorn.UC_MODE_PPC32 | unicorn.UC_MODE_BIG_ENDIAN
        machine = unicorn.Uc(unicorn.UC_ARCH_PPC, mode)
        stack, link, result = (getattr(ppc_const, f"UC_PPC_REG_{n}") for n in ("1", "LR", "3"))
        # Bit FP of the machine state: there is a floating-point unit.
        state = ppc_const.UC_PPC_REG_MSR
        machine.reg_write(state, machine.reg_read(state) | 0x2000)
    pages: set[int] = set()
    for segment in loaded.segments:
        pages.update(range(segment.address // PAGE, -(-(segment.address + segment.size) // PAGE)))
    for page in pages:
        machine.mem_map(page * PAGE, PAGE)
    for segment in loaded.segments:
        machine.mem_write(segment.address, bytes(segment.data))
    machine.mem_map(STACK, STACK_BYTES)
    machine.mem_map(EXIT, PAGE)
    machine.reg_write(stack, STACK + STACK_BYTES - PAGE)
    machine.reg_write(link, EXIT)
    machine.emu_start(loaded.symbols["main"], EXIT)
    failed = list(machine.mem_read(loaded.symbols["failed"], count))
    assert machine.reg_read(result) == sum(failed)
    return failed
