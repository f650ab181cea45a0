"""Run a model, or the IR text of any level, on data, in the interpreter of its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import StringAttr

from irc.dialects import bnn
from irc.errors import IrcError, UnsupportedError
from irc.flow.frames import Data, as_element_type, shape_frames
from irc.flow.ladder import Ladder, classes_of
from irc.flow.levels import run_reference
from irc.flow.verify import LevelProgress
from irc.interp.run import Progress, entry_function, run_module

Array = npt.NDArray[Any]

RESULT_NAME = "bnn.name"
"""The attribute of a function result that keeps the model's name for it."""


@dataclass(frozen=True)
class RunResult:
    """All outputs [N, …] by name; classes of the first, and accuracy where labels are known."""

    source: str
    level: str
    outputs: dict[str, Array]
    classes: Array
    accuracy: float | None

    @property
    def results(self) -> Array:
        """The first output."""
        return next(iter(self.outputs.values()))

    def summary(self) -> dict[str, Any]:
        """What a machine wants to know of it."""
        return {
            "source": self.source,
            "level": self.level,
            "images": len(self.results),
            "accuracy": self.accuracy,
            "outputs": {name: list(values.shape[1:]) for name, values in self.outputs.items()},
            "classes": self.classes.tolist(),
        }


def run_file(
    path: str,
    data: Data,
    inputs: tuple[str, ...] = (),
    progress: LevelProgress | None = None,
    array: str | None = None,
) -> RunResult:
    """Run a file on data; raises `IrcError` for files and data that do not go together.

    `array` says where the results will be written, which several need an .npz file for: that is
    found out before anything runs.
    """
    ladder = Ladder(path, inputs)
    level = ladder.level
    names = output_names(ladder)
    if len(names) > 1 and array not in (None, "-") and not str(array).endswith(".npz"):
        raise IrcError(
            f"{path}: has {len(names)} outputs ({', '.join(names)}), which a file such as "
            f"results.npz can hold; {array} can hold one"
        )

    def observe(done: int, total: int) -> None:
        if progress is not None:
            progress(level, done, total)

    if level == "onnx":
        results = run_reference(ladder, data, data.x, observe)
    elif level == "hw":
        results = [run_hardware(ladder, data, observe)]
    else:
        results = _run_function(ladder, data, observe)
    classes = classes_of(results[0])
    accuracy = None if data.y is None else float(np.count_nonzero(classes == data.y) / len(classes))
    return RunResult(path, level, dict(zip(names, results, strict=True)), classes, accuracy)


def output_names(ladder: Ladder) -> list[str]:
    """The model's names for its outputs: `out`, or `out0`, `out1` … where it has none."""
    if ladder.level == "onnx":
        return list(ladder.reference.output_names)
    if ladder.level == "hw":
        return ["out"]
    function = entry_function(ladder.source)
    count = len(function.function_type.outputs)
    names = ["out"] if count == 1 else [f"out{index}" for index in range(count)]
    if function.res_attrs is not None:
        for index, attributes in enumerate(function.res_attrs):
            given = attributes.data.get(RESULT_NAME)
            if isinstance(given, StringAttr) and given.data not in names:
                names[index] = given.data
    return names


def _run_function(ladder: Ladder, data: Data, observe: Progress) -> list[Array]:
    function = entry_function(ladder.source)
    if len(function.body.block.args) != 1:
        raise UnsupportedError(
            f"{ladder.path}: takes {len(function.body.block.args)} inputs; test data feed one"
        )
    frame = bnn.frame_type(function.body.block.args[0])
    shaped = shape_frames(data, frame.get_shape(), f"the input of {ladder.path}")
    frames = as_element_type(shaped, frame.element_type, data.source)
    return run_module(ladder.source, [frames], observe)


def run_hardware(ladder: Ladder, data: Data, observe: Progress) -> Array:
    """What comes out of a hardware module's stream, simulated cycle by cycle.

    The module says what its streams carry (`rtl.input`, `rtl.output`); the data are what goes
    into the stream, and the results are exact values, before any float arithmetic of the host.
    """
    from irc.interp.beats import beats_to_frames, frames_to_beats
    from irc.interp.rtl import HwSimulator
    from irc.interp.rtl_axis import run_axis
    from irc.passes.hardware.convert_dataflow_to_hw import stream_attributes

    top, source, result = stream_attributes(ladder.source)
    shaped = shape_frames(data, source.shape, f"the input stream of {ladder.path}")
    frames = as_element_type(shaped, source.element_type, data.source)
    simulator = HwSimulator(ladder.source, top)
    beats: list[Array] = []
    for index in range(len(frames)):
        stimulus = frames_to_beats(frames[index : index + 1], source)
        beats.append(run_axis(simulator, stimulus, result.beats, result.tdata_width // 8).beats)
        observe(index + 1, len(frames))
    return beats_to_frames(np.concatenate(beats), result)
