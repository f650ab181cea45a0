"""Designs as folders of Verilog, and their simulation there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hardware_nets import Array, Hardware
from xdsl.dialects.builtin import ModuleOp

from irc.backends.verilog.lint import lint_icarus, lint_verilator, lint_yosys
from irc.backends.verilog.project import (
    ProjectMetadata,
    StreamLayout,
    Vectors,
    write_verilog_project,
)
from irc.backends.verilog.simulate import simulate_frames
from irc.dialects.dataflow import StreamType
from irc.interp.beats import frames_to_beats
from irc.interp.dataflow_host import hardware_inputs, hardware_outputs
from irc.passes.hardware.design import design_of


class HardwareProject:
    """The project of a dataflow module that is folded, with some frames and what they give."""

    def __init__(self, folder: Path, module: ModuleOp, inputs: Array) -> None:
        self.folder = folder
        design = design_of(module)
        self.cycles = design.cycles()
        self.vectors = Vectors(
            frames_to_beats(hardware_inputs(module, [inputs]), design.source),
            frames_to_beats(hardware_outputs(module, [inputs]), design.result),
        )
        metadata = ProjectMetadata(
            "cnn", _layout(design.source), _layout(design.result), self.cycles, None, []
        )
        hardware = Hardware(module)
        write_verilog_project(
            hardware.module, folder, top="net", vectors=self.vectors, metadata=metadata
        )
        self.files = sorted((folder / "rtl").glob("*.v"))

    def check_clean(self, *, icarus: bool = False) -> None:
        """Every tool reads the files without a complaint."""
        assert lint_verilator(self.files, "net") == ""
        assert lint_yosys(self.files, "net") == ""
        assert not icarus or lint_icarus(self.files, "net") == ""

    def check_frames(self, simulator: str) -> None:
        """A simulator gives what the interpreter gives, stalled or not; and in the cycles that
        are promised, where it is not."""
        # Enough frames for FIFOs to have filled: the second half runs at the steady rate.
        stimulus = np.concatenate([self.vectors.stimulus] * 4)
        expected = np.concatenate([self.vectors.expected] * 4)
        for stall in (0.0, 0.3):
            result = simulate_frames(self.folder, stimulus, simulator=simulator, stall=stall)
            assert np.array_equal(result.beats, expected)
            if stall == 0:
                assert result.cycles == self.cycles


def _layout(stream: StreamType) -> StreamLayout:
    element = str(stream.element_type).removeprefix("!bnn.")
    return StreamLayout(stream.shape, element, stream.lanes, stream.element_width)
