"""Profile the C folder of a model on an emulated core: instructions, memory, agreement."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.c.cross.cores import Core
from irc.errors import IrcError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class LayerProfile:
    """What one kernel call executed, in the mean over the frames."""

    label: str
    kernel: str
    macs: int
    instructions: int
    loads: int
    instructions_per_mac: float | None
    """`None` for a layer without multiplications."""


@dataclass(frozen=True)
class ProfileReport:
    """A model on a core. Sizes are in bytes, instructions and loads a frame, in the mean."""

    folder: str
    core: str
    compiler: str
    frames: int
    instructions: int
    loads: int
    macs: int
    layers: list[LayerProfile]
    """As measured with a call behind each layer, which costs it a few instructions."""
    code_bytes: int
    constant_bytes: int
    arena_bytes: int
    stack_bytes: int
    """Deepest use below the caller of the model's function, found by a pattern in memory."""
    wrong_values: int
    """Values that differ from the test vectors, which are what level bnn gives."""

    @property
    def agrees(self) -> bool:
        """Whether every value of every frame is the expected one."""
        return self.wrong_values == 0


def profile_folder(
    folder: Path,
    core: Core,
    compiler: str = "auto",
    frames: int = 1,
    observer: Callable[[str], None] = lambda step: None,
) -> ProfileReport:
    """Cross-compile what `irc compile --target c` wrote to `folder`, and run its test vectors.

    Raises `IrcError` for another folder, a missing compiler or emulator, or a program that
    faults.
    """
    manifest = read_manifest(folder)
    name = manifest["name"]
    try:
        from irc.backends.c.cross.build import build_program, find_cross_compiler
        from irc.backends.c.cross.machine import Machine
        from irc.backends.c.cross.program import object_sizes, read_program
    except ImportError as error:
        raise IrcError(
            f"profiling takes the Python package '{error.name}': pip install 'irc-bnn[profile]'"
        ) from None
    found = find_cross_compiler(core, compiler)
    with tempfile.TemporaryDirectory(prefix="irc-profile-") as work:
        observer(f"compile for {core.name}")
        plain = build_program(found, folder, name, Path(work), marked=False)
        marked = build_program(found, folder, name, Path(work), marked=True)
        sizes = object_sizes(Path(work) / "model.o")
        observer(f"run on {core.name}")
        run = Machine(core, read_program(plain), f"{name}_run", frames).execute()
        observer("run layer by layer")
        layered = Machine(core, read_program(marked), f"{name}_run", frames).execute()
    if not run.frames:
        raise IrcError(f"{folder}: the test program never called {name}_run")
    layers: list[LayerProfile] = []
    for index, layer in enumerate(manifest["layers"]):
        counted = [marks[index] for marks in layered.layers if index < len(marks)]
        instructions = _mean([count.instructions for count in counted])
        macs: int = layer["macs"]
        layers.append(
            LayerProfile(
                layer["label"],
                layer["kernel"],
                macs,
                instructions,
                _mean([count.loads for count in counted]),
                instructions / macs if macs else None,
            )
        )
    return ProfileReport(
        folder=str(folder),
        core=core.name,
        compiler=found.name,
        frames=len(run.frames),
        instructions=_mean([count.instructions for count in run.frames]),
        loads=_mean([count.loads for count in run.frames]),
        macs=manifest["macs"],
        layers=layers,
        code_bytes=sizes.code,
        constant_bytes=sizes.constants,
        arena_bytes=manifest["arena_bytes"],
        stack_bytes=run.stack,
        wrong_values=run.complaints,
    )


def _mean(values: list[int]) -> int:
    return round(sum(values) / len(values)) if values else 0


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a C folder; raises `IrcError` where there is none."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrcError(
            f"{path}: {error.strerror}; expected a folder that `irc compile --target c` wrote"
        ) from None
    except ValueError as error:
        raise IrcError(f"{path}: not JSON: {error}") from None
    if "target" not in manifest or manifest["target"] != "c":
        raise IrcError(f"{path}: not of a C folder; write one with `irc compile --target c`")
    needed = {"name", "layers", "macs", "arena_bytes"}
    if missing := needed - set(manifest):
        raise IrcError(f"{path}: lacks {', '.join(sorted(missing))}; written by another version?")
    return manifest
