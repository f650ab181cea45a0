"""Test data: giving it the shape and type that a model's input has.

Reading files is `irc.interp.data_files`, whose names are given on from here.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from irc.dialects import bnn
from irc.flow.ladder import Ladder
from irc.interp.data_files import (
    EXPECTED,
    Data,
    as_element_type,
    load_data,
    shape_frames,
)
from irc.passes.streamline.declare_inputs import argument_name

Array = npt.NDArray[Any]

__all__ = ["EXPECTED", "Data", "as_element_type", "frames_for", "load_data", "shape_frames"]


def frames_for(ladder: Ladder, data: Data) -> Array:
    """The data as frames [N, …] for a network, in the type that its input has at level bnn."""
    name = argument_name(ladder.function, ladder.input)
    frame = bnn.frame_type(ladder.input)
    shaped = shape_frames(data, frame.get_shape(), f"input '{name}' of {ladder.path}")
    return as_element_type(shaped, frame.element_type, data.source)
