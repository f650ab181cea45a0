"""Convolutional designs as Verilog: clean in every tool, and simulated by Verilator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hardware_nets import Hardware
from spatial_nets import folded_cnn

from irc.backends.verilog.lint import lint_verilator, lint_yosys
from irc.backends.verilog.project import (
    ProjectMetadata,
    StreamLayout,
    Vectors,
    write_verilog_project,
)
from irc.backends.verilog.simulate import simulate_frames
from irc.dialects.dataflow import StreamType
from irc.interp.beats import frames_to_beats
from irc.interp.dataflow_host import hardware_outputs
from irc.passes.hardware.design import design_of


def layout(stream: StreamType) -> StreamLayout:
    element = str(stream.element_type).removeprefix("!bnn.")
    return StreamLayout(stream.shape, element, stream.lanes, stream.element_width)


def write_project(folder: Path) -> tuple[Vectors, int]:
    """The folder of a small network; its vectors, and the cycles a frame that are promised."""
    module, inputs = folded_cnn()
    design, hardware = design_of(module), Hardware(module)
    vectors = Vectors(
        frames_to_beats(inputs, design.source),
        frames_to_beats(hardware_outputs(module, [inputs]), design.result),
    )
    metadata = ProjectMetadata(
        "cnn", layout(design.source), layout(design.result), design.cycles(), None, []
    )
    write_verilog_project(hardware.module, folder, top="net", vectors=vectors, metadata=metadata)
    return vectors, design.cycles()


def test_windows_pads_and_pools_are_clean_in_every_tool(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    write_project(folder)
    files = sorted((folder / "rtl").glob("*.v"))
    assert any("window" in file.name for file in files)
    assert lint_verilator(files, "net") == ""
    assert lint_yosys(files, "net") == ""


@pytest.mark.slow
def test_verilator_gives_what_the_interpreter_gives_in_the_cycles_promised(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    vectors, cycles = write_project(folder)
    stimulus = np.concatenate([vectors.stimulus] * 2)
    expected = np.concatenate([vectors.expected] * 2)
    for stall in (0.0, 0.3):
        result = simulate_frames(folder, stimulus, stall=stall)
        assert np.array_equal(result.beats, expected)
        if stall == 0:
            assert result.cycles == cycles
