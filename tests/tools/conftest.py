"""A folder to work in, for tests that ask for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from irc_runner import make_workplace


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `net.onnx`, 8-6-4 on `x` = uint8/255, and five inputs in `test.npz`."""
    monkeypatch.chdir(tmp_path)
    make_workplace(tmp_path)
    return tmp_path
