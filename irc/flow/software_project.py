"""Write the C folder of a model, or its library for this machine, with test vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy.typing as npt

from irc.backends.c.host import write_host_project
from irc.backends.c.project import write_c_project
from irc.backends.c.vectors import expected_vectors
from irc.flow.ladder import Ladder

Array = npt.NDArray[Any]


def write_software(ladder: Ladder, folder: Path, frames: Array) -> None:
    """Write portable C whose test program replays `frames`; whole or not at all."""
    _write(write_c_project, ladder, folder, frames)


def write_host(ladder: Ladder, folder: Path, frames: Array) -> None:
    """Write the same as a shared library with a loader for Python; whole or not at all."""
    _write(write_host_project, ladder, folder, frames)


def _write(write: Callable[..., object], ladder: Ladder, folder: Path, frames: Array) -> None:
    write(
        ladder.packed,
        folder,
        name=ladder.name,
        # The bnn level says what is right; the packed one is what is being tested.
        vectors=expected_vectors(ladder.bnn, frames),
        metadata=provenance(ladder),
    )


def provenance(ladder: Ladder) -> dict[str, str]:
    """What a folder was made from: file, its hash, the options and the compiler's version."""
    made_from = {"model": Path(ladder.path).name}
    # A pipe cannot be read twice.
    with suppress(OSError):
        made_from["sha256"] = hashlib.sha256(Path(ladder.path).read_bytes()).hexdigest()
    if ladder.inputs:
        made_from["inputs"] = " ".join(ladder.inputs)
    if kernels := ladder.options.get("choose-kernels"):
        made_from["kernels"] = ", ".join(f"{name} {given[0]}" for name, given in kernels.items())
    made_from["irc"] = version("irc-bnn")
    return made_from
