"""The template of a package with a pass: installs, is found, and its own tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TEMPLATE = Path(__file__).resolve().parents[2] / "examples" / "custom_pass"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template, its package installed into the folder `site` beside it."""
    folder = tmp_path_factory.mktemp("template")
    ignore = shutil.ignore_patterns("__pycache__", "build", "*.egg-info", "Output")
    copy = shutil.copytree(TEMPLATE, folder / "copy", ignore=ignore)
    # Without a network: setuptools and irc are there.
    options = ("--no-build-isolation", "--no-deps", "--target", str(folder / "site"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", *options, str(copy)]
    subprocess.run(command, check=True, timeout=120)
    return copy


def run(package: Path, command: str, *arguments: str) -> str:
    """What one of the environment's commands prints, with the package installed."""
    folder = os.path.dirname(sys.executable)
    env = {**os.environ, "PYTHONPATH": str(package.parent / "site"), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [os.path.join(folder, command), *arguments],
        cwd=package,
        env={**env, "PATH": os.pathsep.join([folder, os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_irc_opt_and_xdsl_opt_find_the_pass(package: Path) -> None:
    listed = run(package, "irc-opt", "--list-passes")
    assert "plugin 'dead_channels'\n  prune-dead-channels" in listed
    arguments = ("tests/prune_dead_channels.mlir", "-p", "prune-dead-channels")
    ours, theirs = (run(package, command, *arguments) for command in ("irc-opt", "xdsl-opt"))
    assert "tensor<2x2xsi2>" in ours
    assert ours.strip() == theirs.strip()


def test_its_tests_pass(package: Path) -> None:
    assert "8 passed" in run(package, "pytest", "-q", "-p", "no:cacheprovider")
    assert "Passed: 1" in run(package, "lit", "tests")
