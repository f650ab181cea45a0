"""Networks of every kernel compile and run wherever their parts are put."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packed_networks import Case, cases
from xdsl.context import Context

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.project import core_files, write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.vectors import Vectors
from irc.passes.software.choose_placement import ChoosePlacement

STRICT = [
    *("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion"),
    *("-Wshadow", "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef"),
    "-Werror",
]


def write(case: Case, folder: Path, placement: ChoosePlacement) -> CSource:
    """The C of a network, with a program that tests it."""
    module = case.packed.clone()
    placement.apply(Context(), module)
    source = emit_c(module, case.name)
    write_files(folder, core_files(source, Vectors([case.frames], case.expected)))
    return source


@pytest.mark.slow
@pytest.mark.parametrize(
    "placement",
    [
        ChoosePlacement(files="layers", arena="caller", program_memory=True),
        ChoosePlacement(files="layers", arena="static", section=".weights"),
    ],
    ids=["caller", "static"],
)
def test_layers_in_files_of_their_own_pass_their_tests(
    tmp_path: Path, placement: ChoosePlacement
) -> None:
    """Strictly compiled, every twelfth network each; those with the same kernels come in turns."""
    first = 0 if placement.arena == "caller" else 5
    for case in cases()[first::12]:
        folder = tmp_path / case.name
        source = write(case, folder, placement)
        program = [*source.c_files, f"test/test_{case.name}.c", "-o", "all", "-lm"]
        run_compiler([*find_compiler(), *STRICT, "-O1", *program], folder)
        done = subprocess.run([folder / "all"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-1000:]
        assert "8 of 8 frames agree" in done.stdout
