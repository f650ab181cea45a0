"""Profiles agree with QEMU, and programs with functions of math.h link and are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated_programs import needs_tool
from packed_networks import Case, cases

from irc.backends.c.cross.build import MATH_FUNCTIONS
from irc.backends.c.cross.cores import core_named
from irc.backends.c.project import core_files, manifest_text, write_files
from irc.backends.c.source import emit_c
from irc.backends.c.vectors import Vectors
from irc.dialects import packed
from irc.errors import UsageError
from irc.flow.profile import profile_folder


def written(case: Case, folder: Path) -> Path:
    """The C folder of a network, as far as a profile needs it."""
    source = emit_c(case.packed, case.name)
    files = core_files(source, Vectors([case.frames], case.expected))
    write_files(folder, {**files, "manifest.json": manifest_text(source, "c", list(files))})
    return folder


def calls_math(case: Case) -> bool:
    """Whether a network calls what a core without a C library lacks."""
    body = emit_c(case.packed, case.name).body
    return any(f"{name}(" in body for name in MATH_FUNCTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cortex-m0plus", "rv32imc-zbb"])
def test_qemu_counts_the_same(name: str, tmp_path: Path) -> None:
    """An emulator of another make: it differs by a few instructions at most."""
    core = core_named(name)
    needs_tool("qemu-arm" if core.is_arm else "qemu-riscv32")
    case = next(case for case in cases() if case.name == "net6")
    report = profile_folder(written(case, tmp_path), core, "zig", frames=2)
    assert report.agrees
    assert report.qemu_problem is None
    assert report.qemu_instructions is not None
    assert abs(report.qemu_instructions - report.instructions) <= 4
    assert report.instructions > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "compiler"),
    [("cortex-m0plus", "gcc"), ("rv32imc", "gcc"), ("rv32imc-zbb", "zig")],
)
def test_functions_of_math_link_and_are_right(name: str, compiler: str, tmp_path: Path) -> None:
    """By newlib where GCC has it, else by ours; both give what the interpreter says."""
    if compiler == "gcc":
        arm = name.startswith("cortex")
        needs_tool("arm-none-eabi-gcc" if arm else "riscv64-unknown-elf-gcc")
    case = min(filter(calls_math, cases()), key=lambda case: emit_c(case.packed).macs)
    report = profile_folder(written(case, tmp_path), core_named(name), compiler, frames=8)
    assert report.agrees
    assert report.math_library == ("compiler" if name == "cortex-m0plus" else "irc")


def test_what_is_computed_in_the_loops_of_a_pool_is_one_layer_with_it(tmp_path: Path) -> None:
    """Nothing stands without what it executes: patches and rows on demand have no own turn."""
    lazy = (
        case
        for case in cases()
        if any(isinstance(op, packed.DenseOp) and op.is_lazy for op in case.packed.walk())
    )
    case = min(lazy, key=lambda case: emit_c(case.packed).macs)
    report = profile_folder(written(case, tmp_path), core_named("cortex-m4"), "zig")
    (pooled,) = [layer for layer in report.layers if layer.kernel.endswith(" + or_pool")]
    assert pooled.macs > 0
    assert " + " in pooled.label
    assert pooled.instructions > pooled.macs // 32
    assert not any("patches" in layer.kernel for layer in report.layers)
    assert sum(layer.macs for layer in report.layers) == report.macs
    # A call behind each layer is all that the layers have executed beyond the frame.
    parts = sum(layer.instructions for layer in report.layers)
    assert abs(parts - report.instructions) < 0.1 * report.instructions


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("cortex_m4", "cortex-m4"), ("m0plus", "cortex-m0plus"), ("RV32", "rv32imc")],
)
def test_a_core_that_is_nearly_right_is_recognised(wrong: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}\\? expected cortex-m0plus, "):
        core_named(wrong)
