"""Write the Verilog folder of a model, with vectors that its own test bench replays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt

from irc.backends.verilog.project import (
    Configuration,
    ProjectMetadata,
    StreamLayout,
    Vectors,
    write_verilog_project,
)
from irc.dialects.dataflow import StreamType
from irc.flow.board_project import BoardChoice, board_files
from irc.flow.fifos import hardware_fifos
from irc.flow.hardware_estimate import estimate_of, first_latency
from irc.flow.ladder import Ladder
from irc.flow.layers import hardware_layers
from irc.flow.reloadable import reloading_of
from irc.interp.beats import frames_to_beats
from irc.interp.dataflow_host import hardware_inputs, hardware_outputs
from irc.passes.hardware.convert_dataflow_to_hw import layer_modules
from irc.passes.hardware.design import design_of
from irc.passes.hardware.folding_file import format_folding

Array = npt.NDArray[Any]


def write_hardware(
    ladder: Ladder,
    folder: Path,
    frames: Array,
    board: BoardChoice | None = None,
    made: Mapping[str, Any] | None = None,
) -> Sequence[Path]:
    """Write the folder, whole or not at all; its bench replays `frames` and expects what the
    dataflow interpreter answers. A board gets a folder of its own there. `made` says what it is
    made from, for the manifest. Returns the files."""
    module = ladder.dataflow
    design = design_of(module)
    modules = layer_modules(ladder.hw)
    estimate = estimate_of(ladder)
    reloading = reloading_of(ladder, frames)
    configuration = None
    if reloading is not None:
        configuration = Configuration(
            reloading.own, reloading.other, reloading.expected, reloading.manifest
        )
    stimulus = frames_to_beats(hardware_inputs(module, [frames]), design.source)
    expected = frames_to_beats(hardware_outputs(module, [frames]), design.result)
    return write_verilog_project(
        ladder.hw,
        folder,
        top=ladder.name,
        vectors=Vectors(stimulus, expected),
        metadata=ProjectMetadata(
            model=Path(ladder.path).name,
            input=_layout(design.source),
            output=_layout(design.result),
            cycles=design.cycles(),
            latency=first_latency(design),
            layers=[
                {**asdict(layer), "module": modules.get(layer.name)}
                for layer in hardware_layers(module)
            ],
            fifos=[asdict(fifo) for fifo in hardware_fifos(module)],
            estimate=None if estimate is None else asdict(estimate),
            configuration=configuration,
        ),
        extra={"folding.txt": format_folding(module)},
        derived=None if board is None else lambda manifest: board_files(manifest, board),
        made=made,
    )


def _layout(stream: StreamType) -> StreamLayout:
    element = str(stream.element_type).removeprefix("!bnn.")
    return StreamLayout(stream.shape, element, stream.lanes, stream.element_width)
