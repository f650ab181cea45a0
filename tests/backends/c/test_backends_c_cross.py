"""Emulated cores count what they execute, and compute what the host does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irc.backends.c.compiler import find_compiler
from irc.backends.c.cross.board import run_on_board
from irc.backends.c.cross.build import build_program, find_cross_compiler
from irc.backends.c.cross.cores import CORES, Core, core_named
from irc.backends.c.cross.decode import Decoder
from irc.backends.c.cross.machine import Machine, Run
from irc.backends.c.cross.program import object_sizes, read_program
from irc.backends.c.cross.zbb import zbb_result
from irc.errors import IrcError

MODEL = """
#include <stdint.h>
#ifndef NET_LAYER_DONE
#define NET_LAYER_DONE(layer) ((void)0)
#endif
int net_run(const uint32_t *in, uint32_t *out);
int net_run(const uint32_t *in, uint32_t *out)
{
    volatile uint32_t scratch[DEPTH];
    for (unsigned i = 0; i < DEPTH; ++i) {
        scratch[i] = in[0] + i;
    }
    NET_LAYER_DONE(0u);
    uint32_t sum = 0;
    for (unsigned i = 0; i < DEPTH; ++i) {
        sum += scratch[i] * 3u ^ in[1];
    }
    NET_LAYER_DONE(1u);
    *out = sum;
    return 0;
}
"""

TEST = """
#include <stdint.h>
#include <stdio.h>
int net_run(const uint32_t *in, uint32_t *out);
static const uint32_t in[6] = {1, 2, 3, 4, 5, 6};
static const uint32_t expected[3] = {EXPECTED};
int main(void)
{
    int wrong = 0;
    for (int frame = 0; frame < 3; ++frame) {
        uint32_t out;
        net_run(&in[2 * frame], &out);
        if (out != expected[frame]) {
            printf("frame %d: wrong\\n", frame);
            ++wrong;
        }
    }
    return wrong;
}
"""


def expected(depth: int) -> list[int]:
    frames = [(1, 2), (3, 4), (5, 6)]
    return [sum(((a + i) * 3) ^ b for i in range(depth)) % 2**32 for a, b in frames]


def write_test(folder: Path, text: str) -> None:
    (folder / "test").mkdir(exist_ok=True)
    (folder / "test" / "test_net.c").write_text(text)


def need_board_emulator() -> None:
    """Skip where QEMU's boards are not installed, but fail in CI, where they must be."""
    if shutil.which("qemu-system-arm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but qemu-system-arm is not installed")
        pytest.skip("qemu-system-arm is not installed")


def run_on(
    core: Core,
    work: Path,
    depth: int = 40,
    *,
    wrong: bool = False,
    marked: bool = False,
    frames: int = 4,
) -> Run:
    values = expected(depth)
    values[1] += wrong
    (work / "net.c").write_text(MODEL.replace("DEPTH", str(depth)))
    write_test(work, TEST.replace("EXPECTED", ", ".join(f"{v}u" for v in values)))
    compiler = find_cross_compiler(core, "zig")
    if core.board:
        need_board_emulator()
        return run_on_board(
            compiler, core, work, "net", work, frames, marked=marked, function="net_run"
        )
    program = build_program(compiler, work, "net", work, marked=marked)
    return Machine(core, read_program(program), "net_run", frames).execute()


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_every_core_runs_the_program_to_its_verdict(core: Core, tmp_path: Path):
    run = run_on(core, tmp_path)
    assert (len(run.frames), run.ended, run.verdict, run.complaints) == (3, True, 0, 0)


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m55", "rv32imc"])
def test_a_wrong_value_is_noticed(name: str, tmp_path: Path):
    run = run_on(core_named(name), tmp_path, wrong=True)
    assert (run.verdict, run.complaints) == (1, 1)


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4", "cortex-m55", "rv32imc"])
def test_instructions_and_stack_grow_with_the_work(name: str, tmp_path: Path):
    """The volatile scratch takes a store and a load an element, whatever the compiler saves."""
    small, large = (run_on(core_named(name), tmp_path, depth) for depth in (40, 240))
    per_element = (large.frames[0].instructions - small.frames[0].instructions) / 200
    assert 2 <= per_element <= 20
    assert large.frames[0].loads - small.frames[0].loads >= 200
    # The loops may keep a different number of registers.
    assert 800 <= large.stack - small.stack < 840


@pytest.mark.parametrize("name", ["cortex-m4", "cortex-m55"])
def test_layers_add_up_to_the_frame(name: str, tmp_path: Path):
    run = run_on(core_named(name), tmp_path, marked=True)
    assert [len(layers) for layers in run.layers] == [2, 2, 2]
    for frame, layers in zip(run.frames, run.layers, strict=True):
        parts = sum(layer.instructions for layer in layers)
        assert 0 < frame.instructions - parts < 20
        assert min(layer.instructions for layer in layers) > 80


@pytest.mark.parametrize("name", ["cortex-m3", "cortex-m55"])
def test_it_stops_after_as_many_frames_as_asked(name: str, tmp_path: Path):
    run = run_on(core_named(name), tmp_path, frames=2)
    assert (len(run.frames), run.ended) == (2, False)


def test_straight_code_is_counted_exactly():
    """nop; ldr r0, [r1]; a 32-bit ldr.w; pop {r4, pc}."""
    thumb = bytes.fromhex("00bf 0868 d1f80400 10bd".replace(" ", ""))
    assert Decoder(is_arm=True).count(thumb, 0x1000) == (4, 3)
    # vldrw.u32 q0, [r0]; vldrb.u16 q1, [r0, #8]; vldrw.u32 q2, [r0, q1]; vld20.32 {q0, q1}, [r0];
    # vstrw.32 q0, [r0]; veor q0, q0, q1; vldr s0, [r0]
    loads = ["90ed001f", "90fd882e", "90fc424f", "90fc001f"]
    helium = bytes.fromhex("".join([*loads, "80ed001f", "00ff5201", "90ed000a"]))
    assert Decoder(is_arm=True).count(helium, 0x1000) == (7, 5)
    # c.lw a0, 0(a1); lw a0, 0(a1); addi a0, a0, 1
    riscv = bytes.fromhex("8841 03a50500 13051500".replace(" ", ""))
    assert Decoder(is_arm=False).count(riscv, 0x1000) == (3, 2)


def test_sizes_are_told_apart(tmp_path: Path):
    (tmp_path / "net.c").write_text(
        "const int table[100] = {1}; int state[30]; int f(int i); int f(int i) { return table[i]; }"
    )
    compiler = find_cross_compiler(core_named("cortex-m0plus"), "zig")
    compiler.compile("net.c", tmp_path / "net.o", tmp_path, ())
    sizes = object_sizes(tmp_path / "net.o")
    assert (sizes.constants, sizes.variables) == (400, 120)
    assert 4 <= sizes.code <= 24


def test_a_program_that_faults_is_told_where(tmp_path: Path):
    (tmp_path / "net.c").write_text(
        "int net_run(void); int net_run(void) { return *(volatile int *)0x70000000; }"
    )
    write_test(tmp_path, "int net_run(void); int main(void) { return net_run(); }")
    core = core_named("cortex-m0plus")
    program = build_program(
        find_cross_compiler(core, "zig"), tmp_path, "net", tmp_path, marked=False
    )
    with pytest.raises(IrcError, match=r"faults on cortex-m0plus .* in net_run"):
        Machine(core, read_program(program), "net_run", 1).execute()


WORDS = st.integers(0, 2**32 - 1)


def _op(funct7: int, funct3: int) -> int:
    return funct7 << 25 | funct3 << 12 | 0x33


def _op_imm(immediate: int, funct3: int) -> int:
    return immediate << 20 | funct3 << 12 | 0x13


@given(WORDS, WORDS)
def test_zbb_is_what_its_definition_says(x: int, y: int):
    signed = [int(np.int32(np.uint32(v))) for v in (x, y)]
    assert zbb_result(_op_imm(0x602, 1), x, y) == bin(x).count("1")
    assert zbb_result(_op_imm(0x600, 1), x, y) == f"{x:032b}".find("1") % 33 if x else 32
    assert zbb_result(_op(0x20, 4), x, y) == ~(x ^ y) & 0xFFFFFFFF
    assert zbb_result(_op(0x20, 7), x, y) == x & ~y & 0xFFFFFFFF
    assert zbb_result(_op(0x05, 4), x, y) == min(signed) & 0xFFFFFFFF
    assert zbb_result(_op(0x05, 7), x, y) == max(x, y)
    text = f"{x:032b}"
    amount = y & 31
    rotated = text[-amount:] + text[:-amount] if amount else text
    assert zbb_result(_op(0x30, 5), x, y) == int(rotated, 2)
    assert zbb_result(_op(0x00, 0), x, y) is None


def test_the_extension_gives_what_the_host_does(tmp_path: Path):
    """Counting ones of a thousand words by the extension's instruction and on the host."""
    source = """
    #include <stdint.h>
    #include <stdio.h>
    int net_run(uint32_t *out);
    int net_run(uint32_t *out)
    {
        uint32_t v = 12345u, sum = 0;
        for (int i = 0; i < 1000; ++i) {
            v = v * 1664525u + 1013904223u;
            sum += (uint32_t)__builtin_popcount(v) + (uint32_t)__builtin_ctz(v | 256u)
                + (v << 7 | v >> 25);
        }
        *out = sum;
        return 0;
    }
    """
    (tmp_path / "net.c").write_text(source)
    main = "#include <stdio.h>\n#include <stdint.h>\nint net_run(uint32_t *out);\nint main(void) {"
    (tmp_path / "host.c").write_text(
        f'{main} uint32_t out; net_run(&out); printf("%u", (unsigned)out); return 0; }}'
    )
    subprocess.run([*find_compiler(), "net.c", "host.c", "-o", "host"], cwd=tmp_path, check=True)
    value = subprocess.run([tmp_path / "host"], capture_output=True, text=True, check=True).stdout
    write_test(tmp_path, f"{main} uint32_t out; net_run(&out); return out != {value}u; }}")
    core = core_named("rv32imc-zbb")
    program = build_program(
        find_cross_compiler(core, "zig"), tmp_path, "net", tmp_path, marked=False
    )
    run = Machine(core, read_program(program), "net_run", 2).execute()
    assert (run.ended, run.verdict) == (True, 0)
    assert run.frames[0].instructions < 20_000
