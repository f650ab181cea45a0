"""Generated C is clean under strict compilers and sanitizers, and computes what bnn says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from packed_networks import Case, cases, near, same

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text
from irc.backends.c.project import project_files, write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.vectors import Vectors
from irc.dialects import packed

STRICT = [
    *("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion"),
    *("-Wshadow", "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef"),
    "-Werror",
]
SANITIZE = ["-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g"]


def sources() -> list[tuple[Case, CSource]]:
    return [(case, emit_c(case.packed, case.name)) for case in cases()]


def optimised() -> list[tuple[Case, CSource]]:
    """The networks that do not run under sanitizers: every one runs in one way or the other."""
    return [pair for number, pair in enumerate(sources()) if number % 3]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """These networks in one shared library, compiled with every warning an error.

    -O2 in gcc's default dialect, where it contracts floating-point operations if it may.
    """
    folder = tmp_path_factory.mktemp("generated")
    names: list[str] = []
    for case, source in optimised():
        write_files(
            folder,
            {
                f"{case.name}.h": header_text(source),
                f"{case.name}.c": source.body,
                f"{case.name}_batch.c": batch_text(source),
            },
        )
        names += [f"{case.name}.c", f"{case.name}_batch.c"]
    command = [*find_compiler(), *STRICT, "-ffp-contract=fast", "-march=native", "-O2"]
    run_compiler([*command, "-fPIC", "-shared", *names, "-o", "nets.so", "-lm"], folder)
    return folder / "nets.so"


def test_nothing_is_allocated_and_nothing_but_c99_included() -> None:
    allowed = {"<stdint.h>", "<string.h>", "<math.h>"}
    for case, source in sources():
        text = source.body + header_text(source)
        included = set(re.findall(r"#include\s+(\S+)", text)) - {f'"{case.name}.h"'}
        assert included <= allowed, case.name
        forbidden = r"\b(\w*alloc\w*|free|setjmp|longjmp|printf|FILE)\s*\("
        assert not re.search(forbidden, text), case.name
        # Automatic arrays of a length that is known only when the program runs are memory, too.
        code = re.sub(r"/\*.*?\*/", "", source.body, flags=re.DOTALL)
        for length in re.findall(r"^ +\w+ \w+\[(.*?)\](?: = .*)?;", code, re.MULTILINE):
            assert length.isdigit(), f"{case.name}: {length}"


@pytest.mark.slow
def test_generated_c_equals_bnn(library: Path) -> None:
    for case, source in optimised():
        got = HostModel(source, library).run(case.frames)
        assert len(got) == len(case.expected)
        for mine, theirs in zip(got, case.expected, strict=True):
            exact = source.is_reproducible or mine.dtype.kind != "f"
            assert same(mine, theirs) if exact else near(mine, theirs), case.name


def test_the_networks_use_every_kernel() -> None:
    seen = {type(op) for case in cases() for op in case.packed.walk()}
    kernels = {op for op in packed.Packed.operations if op.name.startswith("packed.")}
    assert kernels <= seen


@pytest.mark.slow
def test_test_programs_pass_under_sanitizers(tmp_path: Path) -> None:
    """Test programs of every third network, in one executable that runs them all."""
    names: list[str] = []
    for case, source in sources()[::3]:
        folder = tmp_path / case.name
        folder.mkdir()
        write_files(folder, project_files(source, Vectors([case.frames], case.expected)))
        program = folder / "test" / f"test_{case.name}.c"
        text = program.read_text(encoding="utf-8")
        assert "int main(void)" in text
        program.write_text(
            text.replace(
                "int main(void)", f"int {case.name}_main(void);\nint {case.name}_main(void)"
            ),
            encoding="utf-8",
        )
        names += [f"{case.name}/{case.name}.c", f"{case.name}/test/test_{case.name}.c"]
    driver = [f"int {case.name}_main(void);" for case in cases()[::3]]
    calls = " + ".join(f"{case.name}_main()" for case in cases()[::3])
    driver.append(f"int main(void)\n{{\n    return {calls};\n}}\n")
    (tmp_path / "driver.c").write_text("\n".join(driver), encoding="utf-8")
    command = [*find_compiler(), *STRICT, *SANITIZE, "-O1", "driver.c", *names]
    run_compiler([*command, "-o", "all", "-lm"], tmp_path)
    done = subprocess.run([tmp_path / "all"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("8 of 8 frames agree") == len(cases()[::3])
