"""The figures of arena and stack are exact, and generated C allocates nothing and calls nobody.

The arena is filled with a pattern between guards; on an emulated core the stack is, too.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import capstone  # pyright: ignore[reportMissingTypeStubs]
import pytest
from arena_checks import check_arena
from capstone import CS_MODE_MCLASS  # pyright: ignore[reportMissingTypeStubs]
from elftools.elf.elffile import ELFFile
from emulated_programs import needs_tool
from packed_networks import Case, cases

import irc
from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.cross.build import build_program, find_cross_compiler
from irc.backends.c.cross.cores import core_named
from irc.backends.c.cross.machine import Machine
from irc.backends.c.cross.program import read_program
from irc.backends.c.project import core_files, write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.vectors import Vectors

SANITIZE = ["-fsanitize=undefined,address", "-fno-sanitize-recover=all"]
GUARD = 64


def write(case: Case, folder: Path) -> CSource:
    """The C of a network; its test program is not used."""
    source = emit_c(case.packed, case.name)
    vectors = Vectors([case.frames], case.expected)
    write_files(folder, core_files(source, vectors))
    return source


_CANARY = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "$name.h"
#include "test/test_vectors.h"

/* Runs all frames twice, over two patterns, in an arena of exactly so many bytes. A byte that keeps
   both patterns was never written. */
int $name_main(void);
int $name_main(void)
{
    static unsigned char touched[sizeof($name_arena)];
    static unsigned char results[2][TEST_FRAMES][$result_bytes];
    for (int round = 0; round < 2; ++round) {
        const unsigned char pattern = round == 0 ? 0xA5 : 0x5A;
        for (long frame = 0; frame < TEST_FRAMES; ++frame) {
            unsigned char *const block = malloc(sizeof($name_arena) + 2 * $guard);
            $name_arena *arena = ($name_arena *)(void *)(block + $guard);
            memset(block, pattern, sizeof($name_arena) + 2 * $guard);
            unsigned char *to = results[round][frame];
            if ($name_run_arena(arena, $arguments) != 0) {
                return 1;
            }
            for (size_t i = 0; i < $guard; ++i) {
                if (block[i] != pattern || block[$guard + sizeof($name_arena) + i] != pattern) {
                    printf("$name: byte %d beside the arena is overwritten\\n", (int)i);
                    return 1;
                }
            }
            for (size_t i = 0; i < sizeof($name_arena); ++i) {
                touched[i] |= block[$guard + i] != pattern;
            }
            free(block);
        }
    }
    /* What is read before it is written would differ. */
    if (memcmp(results[0], results[1], sizeof results[0]) != 0) {
        printf("$name: results depend on what the arena held\\n");
        return 1;
    }
    size_t last = 0;
    for (size_t i = 0; i < sizeof($name_arena); ++i) {
        last = touched[i] ? i + 1 : last;
    }
    printf("$name %d %d\\n", (int)sizeof($name_arena), (int)last);
    return 0;
}
"""


def canary_text(source: CSource) -> str:
    """A program that looks which bytes of the arena are written, and beside it."""
    arguments = [f"&test_{port.name}[frame * {port.size}]" for port in source.inputs]
    at = 0
    for port in source.outputs:
        width = port.dtype.itemsize
        at = -(-at // width) * width
        arguments.append(f"({port.c_type} *)(void *)(to + {at})")
        at += port.size * width
    text = _CANARY.replace("$name", source.name).replace("$guard", str(GUARD))
    text = text.replace("$arguments", ", ".join(arguments))
    # Every row of results begins where any element may.
    return text.replace("$result_bytes", str(-(-at // 16) * 16))


@pytest.mark.slow
def test_the_arena_is_as_large_as_it_says_and_fully_used(tmp_path: Path) -> None:
    """Nothing beside it is written, every result is the same whatever it held, and its last byte is
    written: with one byte less that write would hit the guard."""
    chosen = cases()[1::3]
    names = ["driver.c"]
    sources: dict[str, CSource] = {}
    for case in chosen:
        source = sources[case.name] = write(case, tmp_path / case.name)
        text = canary_text(source)
        (tmp_path / case.name / "canary.c").write_text(text, encoding="utf-8")
        names += [f"{case.name}/{case.name}.c", f"{case.name}/canary.c"]
    calls = "".join(f"int {name}_main(void);\n" for name in sources)
    total = " + ".join(f"{name}_main()" for name in sources)
    (tmp_path / "driver.c").write_text(f"{calls}int main(void) {{ return {total}; }}\n")
    command = [*find_compiler(), "-std=c99", "-O1", *SANITIZE, *names, "-o", "all", "-lm"]
    run_compiler(command, tmp_path)
    done = subprocess.run([tmp_path / "all"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name, size, last in (line.split() for line in done.stdout.splitlines()):
        source = sources[name]
        assert source.arena_bytes == int(size), name
        used = used_bytes(source)
        # The widest element pads the end; an empty arena has a byte all the same.
        widest = max((int(region[1:]) // 8 for region in source.regions), default=1)
        assert source.arena_bytes - used < widest or used == 0, name
        assert int(last) == used, name


def used_bytes(source: CSource) -> int:
    """Bytes of all regions."""
    return sum(int(region[1:]) // 8 * count for region, count in source.regions.items())


def test_every_element_of_the_arena_is_needed() -> None:
    """Regions are as long as what the ops in them take, and no longer."""
    for case in cases():
        check_arena(case.packed)


class Objects:
    """What gcc says of the functions of one C file, and which of them call which."""

    def __init__(self, folder: Path, name: str, flags: list[str]) -> None:
        gcc = needs_tool("arm-none-eabi-gcc")
        options = ["-std=c99", "-O2", "-ffreestanding", "-ffunction-sections", "-fstack-usage"]
        run_compiler([gcc, *flags, *options, "-c", f"{name}.c", "-o", "net.o"], folder)
        lines = (folder / "net.su").read_text(encoding="utf-8").splitlines()
        found = [re.fullmatch(r".*:(\S+)\t(\d+)\t(\S+)", line) for line in lines]
        self.stack: dict[str, int] = {}
        for match in filter(None, found):
            name = without_number(match[1])
            self.stack[name] = max(self.stack.get(name, 0), int(match[2]))
        # Nothing of a size that is known only when the program runs.
        assert all(match and match[3] == "static" for match in found), lines
        with (folder / "net.o").open("rb") as stream:
            elf: Any = ELFFile(stream)
            symbols = elf.get_section_by_name(".symtab")
            self.calls = {function: set[str]() for function in self.stack}
            self.code: list[bytes] = []
            for section in elf.iter_sections():
                if section.name.startswith(".text.") and section["sh_type"] == "SHT_PROGBITS":
                    self.code.append(section.data())
                if not section.name.startswith(".rel.text."):
                    continue
                caller = without_number(section.name.removeprefix(".rel.text."))
                for relocation in section.iter_relocations():
                    symbol = symbols.get_symbol(relocation["r_info_sym"])
                    target = symbol.name
                    if symbol["st_info"]["type"] == "STT_SECTION":
                        target = elf.get_section(symbol["st_shndx"]).name.removeprefix(".text.")
                    if relocation["r_info_type"] in THUMB_CALLS:
                        self.calls[caller].add(without_number(target))
        self.foreign = set[str]().union(*self.calls.values()) - self.stack.keys()

    def deepest(self, function: str, above: tuple[str, ...] = ()) -> int:
        """Bytes of stack below the caller of `function`; it fails where a function calls itself."""
        assert function not in above, f"{function} is called by {' -> '.join(above)}"
        below = [
            self.deepest(callee, (*above, function))
            for callee in self.calls.get(function, set[str]())
        ]
        return self.stack.get(function, 0) + max(below, default=0)


def without_number(function: str) -> str:
    """The name without the number that gcc gives to copies of a function."""
    return re.sub(r"\.\d+$", "", function)


THUMB_CALLS = (10, 30, 102)
"""R_ARM_THM_CALL, R_ARM_THM_JUMP24 and R_ARM_THM_JUMP11 (ELF for the Arm Architecture)."""
FOREIGN = {"memcpy", "memset", "memmove", "memcmp"}
"""What C of integers may call: compilers call these of their own accord."""
WIDE = re.compile(
    r"__popcount[sd]i2|__aeabi_(lmul|ldivmod|uldivmod|llsl|llsr|lasr|lcmp|ulcmp|u?idiv(mod)?)"
)
"""Integer arithmetic that the core lacks."""


MOVES = re.compile(r"v(ldr|str|ldm|stm|push|pop|mov(?!\.f))")
"""Compilers use registers of floats as room for 64 bits."""


def has_floats(case: Case) -> bool:
    """Whether anything in a network is a float."""
    return "f32" in irc.print_ir(case.packed, elide=True)


@pytest.mark.slow
def test_nothing_recurs_and_integers_need_no_floats(tmp_path: Path) -> None:
    """With a floating-point unit at hand: neither its instructions nor calls that do without."""
    decoder: Any = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | CS_MODE_MCLASS)
    flags = ["-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
    kinds = {True: 0, False: 0}
    for case in cases()[::6]:
        source = write(case, tmp_path / case.name)
        objects = Objects(tmp_path / case.name, case.name, flags)
        assert objects.deepest(f"{case.name}_run") >= 0
        floats = has_floats(case)
        kinds[floats] += 1
        if floats:
            continue
        assert not re.search(
            r"\b(float|double)\b", re.sub(r"/\*.*?\*/", "", source.body, flags=re.S)
        )
        assert all(f in FOREIGN or WIDE.fullmatch(f) for f in objects.foreign), objects.foreign
        for code in objects.code:
            names = [name for _, _, name, _ in decoder.disasm_lite(code, 0)]
            arithmetic = [n for n in names if n.startswith("v") and not MOVES.match(n)]
            assert not arithmetic, (case.name, arithmetic)
    assert min(kinds.values()) > 2


@pytest.mark.slow
def test_no_path_takes_more_stack_than_the_profile_reports(tmp_path: Path) -> None:
    """The deepest path of calls, by what gcc says of each function, is what the canary found."""
    core = core_named("cortex-m3")
    compared = 0
    for case in cases()[::7]:
        folder = tmp_path / case.name
        write(case, folder)
        objects = Objects(folder, case.name, list(core.gcc_flags))
        if objects.foreign:
            continue
        compiler = find_cross_compiler(core, "gcc")
        program = build_program(compiler, folder, case.name, folder, marked=False)
        run = Machine(core, read_program(program), f"{case.name}_run", 8).execute()
        assert run.stack == objects.deepest(f"{case.name}_run"), case.name
        compared += 1
    assert compared > 5


@pytest.mark.slow
def test_cppcheck_finds_nothing(tmp_path: Path) -> None:
    """With everything but style. Its check for overlapping copies takes elements for bytes where a
    pointer is `arena->i16 + 8`; the sanitizers look for real ones."""
    cppcheck = needs_tool("cppcheck")
    for case in cases()[::24]:
        write(case, tmp_path / case.name)
    checks = ["--enable=warning,performance,portability", "--suppress=overlappingWriteFunction"]
    files = [f"{case.name}/{case.name}.c" for case in cases()[::24]]
    run_compiler([cppcheck, "--std=c99", "-q", "--error-exitcode=1", *checks, *files], tmp_path)
