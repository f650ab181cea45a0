"""Write the Verilog folder of a model, with vectors that its own test bench replays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.backends.verilog.project import (
    ProjectMetadata,
    StreamLayout,
    Vectors,
    write_verilog_project,
)
from irc.dialects.dataflow import StreamType
from irc.flow.ladder import Ladder
from irc.flow.layers import hardware_layers
from irc.flow.stream_edges import StreamEdges, split_at_streams
from irc.interp.beats import frames_to_beats
from irc.interp.run import run_module
from irc.passes.hardware.design import design_of

Array = npt.NDArray[Any]


def stream_beats(edges: StreamEdges, frames: Array) -> npt.NDArray[np.uint8]:
    """The beats that the host sends for frames [N, …], uint8 [N, beats, bytes]."""
    return frames_to_beats(run_module(edges.before, [frames])[0], edges.input)


def write_hardware(ladder: Ladder, folder: Path, frames: Array) -> Sequence[Path]:
    """Write the folder, whole or not at all; its bench replays `frames` and expects what the
    dataflow interpreter answers. Returns the files."""
    edges = split_at_streams(ladder.dataflow)
    expected = frames_to_beats(run_module(edges.through, [frames])[0], edges.output)
    return write_verilog_project(
        ladder.hw,
        folder,
        top=ladder.name,
        vectors=Vectors(stream_beats(edges, frames), expected),
        metadata=ProjectMetadata(
            model=Path(ladder.path).name,
            input=_layout(edges.input),
            output=_layout(edges.output),
            cycles=design_of(ladder.dataflow).cycles(),
            layers=[asdict(layer) for layer in hardware_layers(ladder.dataflow)],
        ),
    )


def _layout(stream: StreamType) -> StreamLayout:
    element = str(stream.element_type).removeprefix("!bnn.")
    return StreamLayout(stream.shape, element, stream.lanes, stream.element_width)
