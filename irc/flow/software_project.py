"""Write the C folder of a model, or its library for this machine, with test vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.func import FuncOp

from irc.backends.c.host import write_host_project
from irc.backends.c.project import write_c_project
from irc.backends.c.vectors import Vectors, expected_vectors
from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.dialects.packed_interface import THRESHOLD, ZERO_POINT, integer_attribute
from irc.flow.ladder import Ladder
from irc.interp.run import entry_function

Array = npt.NDArray[Any]


Made = Mapping[str, Any]
"""What a folder is made from, for its manifest."""


def write_software(ladder: Ladder, folder: Path, frames: Array, made: Made | None = None) -> None:
    """Write portable C whose test program replays `frames`; whole or not at all."""
    _write(write_c_project, ladder, folder, frames, made)


def write_host(ladder: Ladder, folder: Path, frames: Array, made: Made | None = None) -> None:
    """Write the same as a shared library with a loader for Python; whole or not at all."""
    _write(write_host_project, ladder, folder, frames, made)


def _write(
    write: Callable[..., object], ladder: Ladder, folder: Path, frames: Array, made: Made | None
) -> None:
    write(
        ladder.packed,
        folder,
        name=ladder.name,
        vectors=firmware_vectors(ladder, frames),
        metadata=provenance(ladder),
        made=made,
    )


def firmware_vectors(ladder: Ladder, frames: Array) -> Vectors:
    """Test vectors in the forms in which the C takes and gives them.

    The bnn level says what is right; the packed one is what is being tested.
    """
    expected = expected_vectors(ladder.bnn, frames)
    function = entry_function(ladder.packed)
    inputs = [as_taken(function, index, array) for index, array in enumerate(expected.inputs)]
    outputs = [
        np.argmax(array, axis=-1) if gives_class(ladder, index) else array
        for index, array in enumerate(expected.outputs)
    ]
    return Vectors(inputs, outputs)


def as_taken(function: FuncOp, index: int, frames: Array) -> Array:
    """Frames of the model's input as the C takes them."""
    threshold = integer_attribute(function, index, THRESHOLD)
    zero_point = integer_attribute(function, index, ZERO_POINT)
    if threshold is not None:
        low = element_range(bnn.frame_type(function.body.block.args[index]).element_type)[0]
        return np.where(frames >= threshold, 1, low).astype(np.int8)
    return frames if zero_point is None else frames.astype(np.int64) + zero_point


def gives_class(ladder: Ladder, index: int) -> bool:
    """Whether the C gives an index where the model gives a value for each class."""
    of_model, of_c = (
        entry_function(module).function_type.outputs.data[index]
        for module in (ladder.bnn, ladder.packed)
    )
    return of_model != of_c


def provenance(ladder: Ladder) -> dict[str, str]:
    """What a folder was made from: file, its hash, the options and the compiler's version."""
    made_from = {"model": Path(ladder.path).name}
    # A pipe cannot be read twice.
    with suppress(OSError):
        made_from["sha256"] = hashlib.sha256(Path(ladder.path).read_bytes()).hexdigest()
    if ladder.inputs:
        made_from["inputs"] = " ".join(ladder.inputs)
    for what, name in _STEPS.items():
        if given := ladder.options.get(name):
            chosen = (_option(option, value[0]) for option, value in given.items())
            made_from[what] = ", ".join(filter(None, chosen))
    made_from["irc"] = version("irc-bnn")
    return made_from


_STEPS = {
    "interface": "choose-interface",
    "layout": "convert-bnn-to-packed",
    "kernels": "choose-kernels",
    "placement": "choose-placement",
}
"""What a folder says about the options of which pass."""


def _option(name: str, value: object) -> str:
    """`unroll 64`; of a switch its name, if it is on."""
    return (name if value else "") if isinstance(value, bool) else f"{name} {value}"
