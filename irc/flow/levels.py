"""Run the same frames at one level of the ladder, whichever machine that level runs on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.errors import UsageError
from irc.flow.frames import Data, frames_for, shape_frames
from irc.flow.ladder import Ladder
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import FRAMES_AT_ONCE, Progress, run_module
from irc.passes.hardware.design import design_of
from irc.passes.streamline.declare_inputs import parse_declarations

Array = npt.NDArray[Any]

LEVELS = ("onnx", "bnn", "dataflow", "packed", "c", "rtl")
"""Every level that frames can run at, the reference first."""


class FrameRunner:
    """Runs the frames of one data set through one model, at any level."""

    def __init__(self, ladder: Ladder, data: Data) -> None:
        """Raises `UnsupportedError` for models with several inputs, `IrcError` for data that do
        not fit."""
        self.ladder = ladder
        self.data = data
        self.frames = frames_for(ladder, data)

    def prepare(self, level: str) -> None:
        """Do what may fail without a frame: lower the model, look for compilers and simulators.

        Raises `UsageError` for an unknown level, `IrcError` for one that cannot be reached.
        """
        match level:
            case "onnx":
                _ = self.ladder.reference
            case "bnn":
                _ = self.ladder.bnn
            case "dataflow":
                _ = self.ladder.dataflow
            case "packed":
                _ = self.ladder.packed
            case "c":
                from irc.backends.c.compiler import find_compiler

                _ = self.ladder.packed
                find_compiler(None)
            case "rtl":
                from irc.backends.toolchain import check_build_tools, verilator

                _ = self.ladder.hw
                verilator()
                check_build_tools()
            case _:
                raise UsageError(f"unknown level '{level}'; expected {', '.join(LEVELS)}")

    def run(self, level: str, count: int, progress: Progress | None = None) -> list[Array]:
        """Every output [N, …] for the first `count` frames; raises as `prepare` does."""
        self.prepare(level)
        frames = self.frames[:count]
        match level:
            case "onnx":
                return run_reference(self.ladder, self.data, frames, progress)
            case "c":
                return self._run_c(frames)
            case "rtl":
                return self._run_rtl(frames, progress)
            case _:
                return run_module(getattr(self.ladder, level), [frames], progress)

    def _run_c(self, frames: Array) -> list[Array]:
        from irc.backends.c.host import compile_host

        return compile_host(self.ladder.packed, name=self.ladder.name).run(frames)

    def _run_rtl(self, frames: Array, progress: Progress | None) -> list[Array]:
        from irc.backends.verilog.simulate import simulate_frames
        from irc.flow.hardware_project import write_hardware

        module = self.ladder.dataflow
        design = design_of(module)
        beats = frames_to_beats(hardware_inputs(module, [frames]), design.source)
        with tempfile.TemporaryDirectory(prefix="irc-rtl-") as folder:
            project = Path(folder) / self.ladder.name
            write_hardware(self.ladder, project, frames[:4])
            result = simulate_frames(project, beats, progress=progress)
        answers = beats_to_frames(result.beats, design.result)
        return host_outputs(module, [frames], answers)


def run_reference(
    ladder: Ladder, data: Data, frames: Array, progress: Progress | None = None
) -> list[Array]:
    """The ONNX model's outputs [N, …] for frames as the device sees them.

    Where the input is declared, the model gets the declared function of the frames in float32.
    """
    reference = ladder.reference
    port = reference.inputs[0]
    declarations = parse_declarations(ladder.inputs)
    declaration = declarations.get(port.name) or declarations.get("")
    if port.shape is not None:
        given = Data(data.source, frames, None)
        # A plain vector has no batch.
        frame = port.shape[1:] if len(port.shape) > 1 else port.shape
        frames = shape_frames(given, frame, f"input '{port.name}' of {ladder.path}")
    if declaration is not None and port.dtype == np.float32:
        frames = declaration.to_float(frames)
    frames = frames.astype(port.dtype or np.float32)
    parts: list[list[Array]] = []
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        parts.append(list(reference.run_frames(frames[start : start + FRAMES_AT_ONCE]).values()))
        if progress is not None:
            progress(min(start + FRAMES_AT_ONCE, len(frames)), len(frames))
    return [np.concatenate(results) for results in zip(*parts, strict=True)]
