"""Icarus Verilog, where a test needs it."""

from __future__ import annotations

import os
import shutil

import pytest


def require_icarus() -> None:
    """Skip where Icarus Verilog is not installed, but fail in CI, where it must be."""
    if shutil.which("iverilog") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but iverilog is not installed")
        pytest.skip("iverilog is not installed")
