"""The measured networks keep to the limits of flash and RAM that the benchmark states."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_weights_and_arena_keep_to_the_limits(
    repo_root: Path, shared_dir: Path, tmp_path: Path
) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "benchmarks/c_flash.py", "--models", str(shared_dir / "models")]
    done = subprocess.run(
        [*command, "--json", str(figures)], cwd=repo_root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {figure["name"]: figure for figure in json.loads(figures.read_text())}
    assert len(found) == 4
    for figure in found.values():
        assert 1 <= figure["per_bit"] <= 1.03
        assert figure["weights"] * 8 == pytest.approx(figure["per_bit"] * figure["weight_bits"])
    assert found["tfc_1w1a_mnist"]["arena"] < 300
    assert found["cnv_1w1a_cifar10"]["arena"] < 20_000
