"""`make demo` takes the example network through every level, and leaves hardware and C behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_demo_agrees_at_every_level_and_leaves_both_targets(
    example_dir: Path, tmp_path: Path
) -> None:
    command = [sys.executable, str(example_dir / "demo.py")]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for level in ("onnx", "bnn", "dataflow", "packed", "c", "rtl"):
        row = next(line for line in run.stdout.splitlines() if f" {level} " in line)
        assert "100" in row, row
    assert list((tmp_path / "build" / "demo" / "verilog").glob("**/*.v"))
    assert (tmp_path / "build" / "demo" / "verilog" / "run.py").is_file()
    assert list((tmp_path / "build" / "demo" / "c").glob("*.c"))
