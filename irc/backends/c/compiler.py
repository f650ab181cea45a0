"""Finding and running the host's C compiler."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from irc.errors import IrcError

COMPILERS = ("cc", "gcc", "clang")

SHOWN_LINES = 12
"""How many lines of a compiler's complaints an error repeats."""


def find_compiler(requested: str | None = None) -> list[str]:
    """The command of a C compiler: the one requested, $CC, or the first of `COMPILERS` on PATH.

    Raises `IrcError` that says what to install.
    """
    wanted = requested or os.environ.get("CC")
    if wanted:
        command = shlex.split(wanted)
        if not command or shutil.which(command[0]) is None:
            source = "" if requested else " (from the environment variable CC)"
            raise IrcError(f"C compiler '{wanted}'{source} was not found on PATH")
        return command
    for name in COMPILERS:
        if shutil.which(name):
            return [name]
    raise IrcError(
        "no C compiler was found on PATH (looked for cc, gcc and clang); "
        "install one, such as Debian's package gcc, or name it in the environment variable CC"
    )


def run_compiler(command: Sequence[str], folder: Path) -> None:
    """Run a compiler in `folder`; raises `IrcError` with the first lines of what it says."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise IrcError(f"cannot run '{command[0]}': {error.strerror}") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        more = len(lines) - SHOWN_LINES
        shown = lines[:SHOWN_LINES] + ([f"… and {more} more lines"] if more > 0 else [])
        raise IrcError(
            f"'{shlex.join(command)}' failed with exit code {done.returncode}:\n" + "\n".join(shown)
        )


def build_library(
    compiler: Sequence[str], sources: Sequence[str], output: str, folder: Path, *, math: bool
) -> None:
    """Compile `sources` in `folder` into a shared library for this machine.

    Tuned for the processor at hand where the compiler knows how. Raises `IrcError`.
    """
    common = ["-std=c99", "-O3", "-fPIC", "-shared", *sources, "-o", output]
    libraries = ["-lm"] if math else []
    try:
        run_compiler([*compiler, "-march=native", *common, *libraries], folder)
    except IrcError:
        # Not every compiler has -march=native; a real error shows again.
        run_compiler([*compiler, *common, *libraries], folder)
