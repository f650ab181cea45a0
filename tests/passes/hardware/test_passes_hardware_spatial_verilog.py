"""Convolutional designs as Verilog: clean in every tool, and simulated by Verilator."""

from __future__ import annotations

from pathlib import Path

import pytest
from hardware_projects import HardwareProject
from spatial_nets import folded_cnn


def test_windows_pads_and_pools_are_clean_in_every_tool(tmp_path: Path) -> None:
    project = HardwareProject(tmp_path / "net", *folded_cnn())
    assert any("window" in file.name for file in project.files)
    project.check_clean()


@pytest.mark.slow
def test_verilator_gives_what_the_interpreter_gives_in_the_cycles_promised(tmp_path: Path) -> None:
    HardwareProject(tmp_path / "net", *folded_cnn()).check_frames("verilator")
