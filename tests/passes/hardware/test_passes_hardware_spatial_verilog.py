"""Convolutional designs as Verilog: clean in every tool, and simulated there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hardware_nets import fold, network, random_values, threshold, to_dataflow
from hardware_projects import HardwareProject
from spatial_nets import conv, folded_cnn, max_pool, pad
from xdsl.dialects.builtin import TensorType

from irc.dialects import bnn
from irc.dialects.dataflow import Folding

FOLDINGS = {
    "groups-and-taps": [
        Folding(2, 9, products="multiply"),
        Folding(6, 4, products="multiply", mmv=2),
        Folding(2, 24, mmv=3),
    ],
    "pixels": [
        Folding(4, 9, products="planes", mmv=4),
        Folding(6, 4, products="planes", mmv=4),
        Folding(2, 6),
    ],
}


def folded_separable(name: str, folder: Path) -> HardwareProject:
    """Depthwise with 3-bit weights on 3-bit signed inputs, pointwise, pool, 2-bit weights; wide."""
    rng = np.random.default_rng(5)
    layers = [
        pad((1, 1), (1, 1), 0, bnn.sint(3)),
        conv(random_values(rng, bnn.sint(3), (4, 3, 3, 1)), bnn.sint(3), groups=4),
        threshold(np.sort(rng.integers(-20, 20, (4, 3)), axis=1), bnn.uint(2)),
        conv(random_values(rng, bnn.bipolar, (6, 1, 1, 4)), bnn.bipolar),
        threshold(rng.integers(-3, 6, (6, 1)), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
        conv(random_values(rng, bnn.sint(2), (2, 2, 2, 6)), bnn.sint(2)),
    ]
    module = network(TensorType(bnn.sint(3), (8, 8, 4)), layers)
    to_dataflow(module)
    fold(module, FOLDINGS[name])
    return HardwareProject(folder, module, random_values(rng, bnn.sint(3), (4, 8, 8, 4)))


def test_windows_pads_and_pools_are_clean_in_every_tool(tmp_path: Path) -> None:
    project = HardwareProject(tmp_path / "net", *folded_cnn())
    assert any("window" in file.name for file in project.files)
    project.check_clean()


@pytest.mark.parametrize("name", FOLDINGS)
def test_several_taps_groups_and_pixels_at_once_are_clean(name: str, tmp_path: Path) -> None:
    project = folded_separable(name, tmp_path / "net")
    assert any("bank0_1" in file.read_text(encoding="utf-8") for file in project.files)
    project.check_clean()


@pytest.mark.slow
def test_verilator_gives_what_the_interpreter_gives_in_the_cycles_promised(tmp_path: Path) -> None:
    HardwareProject(tmp_path / "net", *folded_cnn()).check_frames("verilator")


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize("name", FOLDINGS)
def test_simulators_agree_on_several_taps_groups_and_pixels_at_once(
    name: str, simulator: str, tmp_path: Path
) -> None:
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed")
    folded_separable(name, tmp_path / "net").check_frames(simulator)
