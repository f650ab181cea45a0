"""The Makefile explains itself, and names what is missing before it installs anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def checkout(repo_root: Path, tmp_path: Path) -> Path:
    """A folder with the Makefile and no .venv."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(repo_root / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str, path: Path | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of make; with `path`, only what lies there is installed."""
    program = shutil.which("make")
    assert program
    # What a make that runs these tests tells its children is not for this one.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    if path is not None:
        environment["PATH"] = str(path)
    run = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_make_alone_lists_every_target(checkout: Path) -> None:
    code, output, _ = make(checkout)
    assert code == 0
    listed = [line.split()[1] for line in output.splitlines()]
    assert listed == [
        "help",
        "venv",
        "train-venv",
        "demo",
        "test",
        "test-fast",
        "prove",
        "mutate",
        "lint",
        "typecheck",
        "docs",
        "clean",
        "distclean",
    ]


def test_an_old_python_is_refused(checkout: Path) -> None:
    script(checkout / "old", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    code, _, error = make(checkout, "venv", "PYTHON=./old")
    assert code == 2
    assert error.startswith(
        "error: Python 3.9.2 is too old; irc needs Python 3.11 or newer. "
        "Name one: make PYTHON=python3.12 venv\n"
    )
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_not_there_is_named(checkout: Path) -> None:
    code, _, error = make(checkout, "demo", "PYTHON=python3.987")
    assert code == 2
    assert error.startswith(
        "error: python3.987 not found; install Python 3.11 or newer, or name one: "
        "make PYTHON=python3.12 demo\n"
    )


def test_every_missing_build_tool_is_named_at_once(checkout: Path) -> None:
    bare = checkout / "bin"
    bare.mkdir()
    for tool in ("make", "cc", "sh"):
        program = shutil.which(tool)
        assert program
        (bare / tool).symlink_to(program)
    code, _, error = make(checkout, "venv", f"PYTHON={sys.executable}", path=bare)
    assert code == 2
    assert error.startswith("error: not installed: perl g++. ")
    assert not (checkout / ".venv").exists()


def test_an_up_to_date_venv_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / ".installed").touch()
    code, _, error = make(checkout, "venv", "PYTHON=python3.987")
    assert (code, error) == (0, "")


def test_a_newer_pyproject_reinstalls(checkout: Path) -> None:
    stamp = checkout / ".venv" / ".installed"
    stamp.parent.mkdir()
    stamp.touch()
    os.utime(stamp, (0, 0))
    code, _, error = make(checkout, "venv", "PYTHON=python3.987")
    assert code == 2
    assert "python3.987 not found" in error
