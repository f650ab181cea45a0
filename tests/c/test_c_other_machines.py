"""Generated C is right where bytes lie the other way round, and where int has 16 bits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from emulated_programs import needs_tool, run_big_endian, write_programs
from packed_networks import Case, cases, trained

from irc.backends.c.compiler import run_compiler
from irc.dialects import packed
from irc.passes.software.choose_placement import ChoosePlacement

CROSS = Path(packed.__file__).parents[1] / "backends" / "c" / "cross"
FREESTANDING = ["-std=c99", "-O2", "-ffreestanding", "-isystem", str(CROSS / "include")]
BIG_ENDIAN = {
    "armeb": ("-target", "armeb-freestanding-eabi", "-mcpu=arm926ej_s"),
    "powerpc": ("-target", "powerpc-freestanding-none", "-mcpu=ppc"),
}


def one_of_each_kernel(every: int) -> list[Case]:
    """A trained network, every so many cases, and further ones until all kernels are among them."""
    chosen = [trained(), *cases()[::every]]
    seen = {type(op) for case in chosen for op in case.packed.walk()}
    for case in cases():
        own = {type(op) for op in case.packed.walk()}
        if not own <= seen:
            chosen.append(case)
            seen |= own
    assert {op for op in packed.Packed.operations if op.name.startswith("packed.")} <= seen
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize("processor", BIG_ENDIAN)
def test_big_endian_processors_compute_the_same(processor: str, tmp_path: Path) -> None:
    """All kernels, every value; PowerPC has a floating-point unit, ARM computes floats itself."""
    chosen = one_of_each_kernel(6 if processor == "armeb" else 9)
    names = write_programs(tmp_path, chosen)
    names += [str(CROSS / "support.c"), str(CROSS / "support_math.c")]
    link = [f"-Wl,-T,{CROSS / 'program.ld'}", "-Wl,--entry=main", "-Wl,--gc-sections"]
    zig = [sys.executable, "-m", "ziglang", "cc", *BIG_ENDIAN[processor]]
    run_compiler([*zig, *FREESTANDING, *names, *link, "-o", "all.elf"], tmp_path)
    failed = run_big_endian(tmp_path / "all.elf", processor, len(chosen))
    assert not [case.name for case, wrong in zip(chosen, failed, strict=True) if wrong]


LONG = ("INT32", "INT_LEAST32", "INT_FAST32")
SHORT_INT = [
    # GCC 12 fails in this optimisation where pointers are wider than int.
    *("-mshort", "-fno-ivopts"),
    # Its <stdint.h> overlooks that int has 16 bits.
    *(f"-D__{name}_TYPE__=long" for name in LONG),
    *(f"-D__U{name}_TYPE__=unsigned long" for name in LONG),
    "-w",
]

START = """
__asm__(".globl _start\\n_start:\\n    jsr main\\n    move.w %d0, %d1\\n    ext.l %d1\\n"
        "    moveq #1, %d0\\n    trap #0\\n");
"""


@pytest.mark.slow
def test_an_int_of_16_bits_computes_the_same(tmp_path: Path) -> None:
    """On a 68040 whose int has 16 bits, and whose bytes lie the other way round, too."""
    gcc, qemu = needs_tool("m68k-linux-gnu-gcc"), needs_tool("qemu-m68k")
    chosen = one_of_each_kernel(6)
    # No array may have more bytes than such an int counts.
    names = write_programs(tmp_path, chosen, frames=3)
    sizes = "typedef char sizes[sizeof(int) == 2 && sizeof(uint32_t) == 4 ? 1 : -1];"
    (tmp_path / "start.c").write_text(f"#include <stdint.h>\n{sizes}\n{START}")
    names += ["start.c", str(CROSS / "support.c"), str(CROSS / "support_math.c")]
    flags = ["-m68040", *SHORT_INT, *FREESTANDING, "-nostdlib", "-static"]
    run_compiler([gcc, *flags, *names, "-lgcc", "-o", "all.elf"], tmp_path)
    assert subprocess.run([qemu, tmp_path / "all.elf"], check=False).returncode == 0


AVR = "atmega1284p"
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]
AVR_MAIN = """
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
int $name_main(void);
int printf(const char *format, ...) { (void)format; return 0; }
static void put(const char *text) { while (*text) { UDR0 = (uint8_t)*text++; } }
int main(void)
{
    put($name_main() == 0 ? "RIGHT\\n" : "WRONG\\n");
    cli();
    sleep_enable();
    sleep_cpu();
}
"""
AVR_RAM, AVR_STACK = 16384, 1024


def initialised_bytes(path: Path) -> int:
    """Bytes of an object file that an AVR copies to RAM at the start."""
    with path.open("rb") as stream:
        # pyelftools states no types.
        elf: Any = ELFFile(stream)
        copied = (".data", ".rodata")
        return sum(s["sh_size"] for s in elf.iter_sections() if s.name.startswith(copied))


@pytest.mark.slow
@pytest.mark.parametrize("in_flash", [False, True], ids=["ram", "flash"])
def test_an_8_bit_processor_computes_the_same(in_flash: bool, tmp_path: Path) -> None:
    """Compiled for AVR without a warning; what fits into its RAM runs in a simulator.

    With constants in flash, those alone that the C reads through pointers into RAM are copied
    there at the start: pixels of borders.
    """
    gcc, simulator = needs_tool("avr-gcc"), needs_tool("simavr")
    chosen = one_of_each_kernel(9)
    write_programs(tmp_path, chosen, frames=2, placement=ChoosePlacement(program_memory=in_flash))
    avr = [gcc, f"-mmcu={AVR}", "-std=gnu99", "-O1"]
    ran: list[Case] = []
    for case in chosen:
        name, folder = case.name, tmp_path / case.name
        run_compiler([*avr, *STRICT, "-c", f"{name}.c", "-o", "net.o"], folder)
        if in_flash and "_border[" not in (folder / f"{name}.c").read_text(encoding="utf-8"):
            assert initialised_bytes(folder / "net.o") == 0, name
        (folder / "avr.c").write_text(AVR_MAIN.replace("$name", name))
        # A linker that takes everything: what fits is known afterwards.
        room = "-Wl,--defsym=__DATA_REGION_LENGTH__=0xffff"
        files = ["net.o", f"test/test_{name}.c", "avr.c", "-lm", "-o", "avr.elf"]
        run_compiler([*avr, room, *files], folder)
        with (folder / "avr.elf").open("rb") as stream:
            elf: Any = ELFFile(stream)
            ram = sum(elf.get_section_by_name(section)["sh_size"] for section in (".data", ".bss"))
        if ram > AVR_RAM - AVR_STACK:
            continue
        command = [simulator, "-m", AVR, "-f", "16000000", "avr.elf"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert "RIGHT" in done.stdout + done.stderr, (name, done.stdout + done.stderr)
        ran.append(case)
    assert len(ran) >= len(chosen) // 2
    assert trained() in ran or not in_flash
