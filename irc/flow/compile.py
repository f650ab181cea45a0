"""Compile a model into the folder of a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.errors import UsageError
from irc.flow.board_project import BoardChoice
from irc.flow.check import TARGETS, AmbiguousLayer, ambiguous_layers
from irc.flow.frames import Data, frames_for
from irc.flow.hardware_estimate import DeviceEstimate, estimate_of
from irc.flow.hardware_project import write_hardware
from irc.flow.ladder import Ladder
from irc.flow.layers import Layer, hardware_layers, software_layers
from irc.flow.made_from import made_from
from irc.flow.software_project import write_host, write_software
from irc.passes.streamline.remove_redundant_channels import removed_channels

Array = npt.NDArray[Any]

VECTOR_SEED = 1
"""Random test vectors are the same in every run."""


@dataclass(frozen=True)
class CompileReport:
    """What was written where, and the layers in it."""

    model: str
    target: str
    folder: str
    layers: list[Layer]
    ambiguous: list[AmbiguousLayer]
    estimate: DeviceEstimate | None = None
    """Of hardware for a device."""
    removed: dict[str, str] = field(default_factory=dict[str, str])
    """Channels that the network does not miss, in words, by layer."""


def compile_model(
    ladder: Ladder,
    target: str,
    folder: str | None = None,
    data: Data | None = None,
    vectors: int = 16,
    board: BoardChoice | None = None,
) -> CompileReport:
    """Write the folder of a target, whole or not at all, with test vectors from `data`.

    The folder is NAME-TARGET in the current one unless given; without data the vectors are
    random. A `board` puts its files into the folder of target verilog. Raises `IrcError` for what
    cannot be compiled or written.
    """
    if target not in TARGETS:
        raise UsageError(f"unknown target '{target}'; expected {', '.join(TARGETS)}")
    if folder is not None and (not folder or "\0" in folder):
        raise UsageError(f"output folder {folder!r}: expected the name of a folder")
    path = Path(folder if folder is not None else f"{ladder.name}-{target}")
    frames = vector_frames(ladder, data, vectors)
    if ladder.observer is not None:
        ladder.observer(f"write {target}")
    options = {"target": target, "vectors": vectors}
    made = made_from(ladder, options, data, board)
    if target == "verilog":
        write_hardware(ladder, path, frames, board, made)
        layers = hardware_layers(ladder.dataflow)
    else:
        write = write_software if target == "c" else write_host
        write(ladder, path, frames, made)
        layers = software_layers(ladder.bnn)
    return CompileReport(
        ladder.path,
        target,
        str(path),
        layers,
        ambiguous_layers(ladder.function),
        estimate_of(ladder) if target == "verilog" else None,
        removed_channels(ladder.bnn),
    )


def vector_frames(ladder: Ladder, data: Data | None, count: int) -> Array:
    """Frames for the test vectors [N, …], from data or at random over the input's type."""
    if data is not None:
        return frames_for(ladder, data.limited(count))
    frame = bnn.frame_type(ladder.input)
    random = np.random.default_rng(VECTOR_SEED)
    shape = (count, *frame.get_shape())
    if not is_exact(frame.element_type):
        return random.standard_normal(shape).astype(np.float32)
    low, high = element_range(frame.element_type)
    if isinstance(frame.element_type, bnn.BipolarType):
        return random.choice(np.array([-1, 1], np.int8), shape)
    return random.integers(low, high, shape, np.int64, endpoint=True)
