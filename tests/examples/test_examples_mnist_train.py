"""`train.py` says what it needs before it trains for minutes. The tests do without PyTorch."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="what is asked for is installed"
)
def test_a_missing_package_is_named_with_the_way_to_get_it(example_dir: Path) -> None:
    command = [sys.executable, str(example_dir / "train.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert re.fullmatch(
        r"error: \w+ is not installed; install it with: pip install -e '\.\[train\]'\n", run.stderr
    )
