"""The lint helpers: clean text is clean, and each tool's complaints come through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from irc.backends.verilog.lint import lint_icarus, lint_verilator, lint_yosys

CLEAN = """
module m (input wire [3:0] x, output wire [3:0] y);
  assign y = x;
endmodule
"""


def write(folder: Path, text: str) -> list[Path]:
    path = folder / "m.v"
    path.write_text(text)
    return [path]


def require_icarus() -> None:
    if shutil.which("iverilog") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but iverilog is not installed")
        pytest.skip("iverilog is not installed")


def test_verilator(tmp_path: Path) -> None:
    assert lint_verilator(write(tmp_path, CLEAN), "m") == ""
    wide = CLEAN.replace("assign y = x", "assign y = {1'b0, x}")
    assert "WIDTHTRUNC" in lint_verilator(write(tmp_path, wide), "m")
    modern = CLEAN.replace("assign y = x", "always_comb y = x")
    assert lint_verilator(write(tmp_path, modern), "m") != "", "SystemVerilog is refused"


def test_icarus(tmp_path: Path) -> None:
    require_icarus()
    assert lint_icarus(write(tmp_path, CLEAN), "m") == ""
    undeclared = CLEAN.replace("assign y = x", "assign y = z")
    assert "z" in lint_icarus(write(tmp_path, undeclared), "m")


def test_yosys(tmp_path: Path) -> None:
    assert lint_yosys(write(tmp_path, CLEAN), "m") == ""
    twice = CLEAN.replace("assign y = x;", "assign y = x; assign y = ~x;")
    assert "multiple conflicting drivers" in lint_yosys(write(tmp_path, twice), "m")
    unknown = CLEAN.replace("assign y = x;", "other o (.x(x), .y(y));")
    assert "other" in lint_yosys(write(tmp_path, unknown), "m")
