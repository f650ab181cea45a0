"""Fixtures for every test: where the repository, its example and the shared measuring data lie."""

from __future__ import annotations

import os
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
