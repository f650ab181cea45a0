"""The way from ONNX to firmware works as docs/microcontrollers.md describes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

UNAVAILABLE = ("west ",)
"""Tools of boards that are not installed with irc."""


@pytest.mark.slow
def test_every_command_of_the_tutorial_works(repo_root: Path, tmp_path: Path) -> None:
    text = (repo_root / "docs" / "microcontrollers.md").read_text(encoding="utf-8")
    (tmp_path / "examples").symlink_to(repo_root / "examples")
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    scripts = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    ran = [script for script in scripts if not script.startswith(UNAVAILABLE)]
    assert len(ran) >= 3
    for script in ran:
        # A machine's own C compiler does as well where only the command is to be seen to work.
        given = script.replace('CC=arm-none-eabi-gcc CFLAGS="-mcpu=cortex-m4 -mthumb -O2"', "")
        done = subprocess.run(
            ["sh", "-e", "-c", given],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{given}\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
    for program in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    made = (tmp_path / "digits_m4").glob("*.h")
    assert any("_run_arena(" in path.read_text() for path in made)
