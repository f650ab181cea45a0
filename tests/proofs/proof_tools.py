"""What proofs need beside the compiler: solvers from PyPI, and ABC from the distribution."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest


def need_solvers(*packages: str) -> None:
    """Skip where a solver is not installed, but fail in CI, where all must be."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI is set, but not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; pip install 'irc-bnn[prove]'")


def need_abc() -> None:
    """The same for ABC, by any of its names."""
    if any(map(shutil.which, ("berkeley-abc", "yosys-abc", "abc"))):
        return
    if os.environ.get("CI"):
        pytest.fail("CI is set, but ABC is not installed")
    pytest.skip("ABC is not installed")
