"""Write the Verilog folder of a model, with vectors that its own test bench replays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects.dataflow import StreamType
from irc.flow.ladder import Ladder
from irc.flow.layers import hardware_layers
from irc.flow.stream_edges import StreamEdges, split_at_streams
from irc.interp.beats import frames_to_beats
from irc.interp.run import run_module

Array = npt.NDArray[Any]


def stream_beats(edges: StreamEdges, frames: Array) -> npt.NDArray[np.uint8]:
    """The beats that the host sends for frames [N, …], uint8 [N, beats, bytes]."""
    return frames_to_beats(run_module(edges.before, [frames])[0], edges.input)
