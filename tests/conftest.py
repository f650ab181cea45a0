"""Fixtures for every test: where the repository, its example and the shared measuring data lie."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from irc.tools import step_progress

REPO_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def quiet_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress on stderr, however slow the machine: tests compare what else is printed."""
    monkeypatch.setattr(step_progress, "PATIENCE", 3600.0)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The root of the checkout."""
    return REPO_ROOT


@pytest.fixture(scope="session")
def example_dir() -> Path:
    """The MNIST example: a trained network and 1,000 test images, committed with the project."""
    return REPO_ROOT / "examples" / "mnist"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Real models and data beside the checkout: skips without them, but fails where CI is set."""
    folder = REPO_ROOT.parent / "shared"
    if not folder.is_dir():
        missing = f"{folder}: the models and data to measure on are not there"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return folder


@pytest.fixture(scope="session")
def train_python(repo_root: Path) -> str:
    """A Python that has torch and Brevitas: skips where there is none, but fails in CI."""
    named = os.environ.get("IRC_TRAIN_PYTHON")
    if named:
        return named
    venv = repo_root / ".venv-train" / "bin" / "python"
    if venv.is_file():
        return str(venv)
    if all(importlib.util.find_spec(name) for name in ("torch", "brevitas")):
        return sys.executable
    missing = "torch and brevitas are missing: run `make train-venv`"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)
