"""Every test here works in a folder of its own, with a good model and good data in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from irc_runner import make_workplace


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `net.onnx`, 8-6-4 on `x` = uint8/255, and five inputs in `test.npz`."""
    monkeypatch.chdir(tmp_path)
    make_workplace(tmp_path)
    return tmp_path
