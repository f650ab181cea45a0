"""Profile the C folder of a model on an emulated core: instructions, memory, agreement."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irc.backends.c.cross.cores import Core
from irc.errors import IrcError
from irc.flow.manifest import read_manifest

if TYPE_CHECKING:
    from irc.backends.c.cross.build import CrossCompiler
    from irc.backends.c.cross.machine import Counts

_NEEDED = ("name", "layers", "macs", "arena_bytes")
"""What the manifest must say."""


@dataclass(frozen=True)
class LayerProfile:
    """What one layer executed, in the mean over the frames.

    Layers that are computed row by row in the loops of another, such as a convolution in those of
    the pool behind it, are one with it: `conv1 + maxpool`.
    """

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
    instructions_per_mac: float | None
    layers: list[LayerProfile]
    """As measured with a call behind each layer, which costs it a few instructions."""
    code_bytes: int
    constant_bytes: int
    arena_bytes: int
    stack_bytes: int
    """Deepest use below the caller of the model's function, found by a pattern in memory."""
    wrong_values: int
    """Values that differ from the test vectors, which are what level bnn gives."""
    qemu_instructions: int | None
    """Instructions a frame as QEMU counts them; `None` where it is not installed or cannot."""
    qemu_problem: str | None
    """Why QEMU, though installed, could not count."""
    math_library: str | None
    """Where the functions of math.h come from that the network calls: the compiler, or irc."""

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
    manifest = read_manifest(folder, "c", _NEEDED)
    name = manifest["name"]
    function = manifest.get("entry", f"{name}_run")
    try:
        from irc.backends.c.cross.board import run_on_board
        from irc.backends.c.cross.build import (
            MATH_FUNCTIONS,
            build_program,
            find_cross_compiler,
            model_sources,
        )
        from irc.backends.c.cross.machine import Machine
        from irc.backends.c.cross.program import object_sizes, read_program
    except ImportError as error:
        raise IrcError(
            f"profiling takes the Python package '{error.name}': pip install 'irc-bnn[profile]'"
        ) from None
    found = find_cross_compiler(core, compiler)
    with tempfile.TemporaryDirectory(prefix="irc-profile-") as work:
        observer(f"compile for {core.name}")
        if core.board:
            plain = Path(work) / "board.elf"
            run, layered = (
                run_on_board(
                    found,
                    core,
                    folder,
                    name,
                    Path(work),
                    frames,
                    marked=marked,
                    function=function,
                )
                for marked in (False, True)
            )
            checked = problem = None
        else:
            plain = build_program(found, folder, name, Path(work), marked=False)
            marked = build_program(found, folder, name, Path(work), marked=True)
            observer(f"run on {core.name}")
            run = Machine(core, read_program(plain), function, frames).execute()
            observer("run layer by layer")
            layered = Machine(core, read_program(marked), function, frames).execute()
            observer("count again with QEMU")
            checked, problem = _count_again(
                found, core, folder, name, function, len(run.frames), Path(work)
            )
        uses_math = MATH_FUNCTIONS & read_program(plain).symbols.keys()
        objects = [Path(work) / f"{part}.o" for part in model_sources(folder, name)]
        sizes = [object_sizes(path) for path in objects]
    if not run.frames:
        raise IrcError(f"{folder}: the test program never called {function}")
    per_frame = _mean([count.instructions for count in run.frames])
    return ProfileReport(
        folder=str(folder),
        core=core.name,
        compiler=found.name,
        frames=len(run.frames),
        instructions=per_frame,
        loads=_mean([count.loads for count in run.frames]),
        macs=manifest["macs"],
        instructions_per_mac=per_frame / manifest["macs"] if manifest["macs"] else None,
        layers=_layers(manifest["layers"], layered.layers),
        code_bytes=sum(size.code for size in sizes),
        constant_bytes=sum(size.constants for size in sizes),
        arena_bytes=manifest["arena_bytes"],
        stack_bytes=run.stack,
        wrong_values=run.complaints,
        qemu_instructions=checked,
        qemu_problem=problem,
        math_library=("compiler" if found.has_math_library else "irc") if uses_math else None,
    )


def _layers(
    described: list[dict[str, Any]], frames: Sequence[Sequence[Counts]]
) -> list[LayerProfile]:
    """The layers of a manifest with what they executed in each frame."""
    groups: dict[str, list[int]] = {}
    for index, layer in enumerate(described):
        # Layers of others' loops come before these.
        own = groups.pop(layer["label"], [])
        groups.setdefault(layer.get("within") or layer["label"], []).extend([*own, index])
    found: list[LayerProfile] = []
    for indices in groups.values():
        parts = [described[index] for index in indices]
        # Gathering patches is a part of the convolution that reads them.
        named = [part for part in parts if part["kernel"] != "patches"] or parts
        counted = [[marks[i] for i in indices if i < len(marks)] for marks in frames]
        instructions = _mean([sum(count.instructions for count in frame) for frame in counted])
        macs = sum(part["macs"] for part in parts)
        found.append(
            LayerProfile(
                " + ".join(part["label"] for part in named),
                " + ".join(part["kernel"] for part in named),
                macs,
                instructions,
                _mean([sum(count.loads for count in frame) for frame in counted]),
                instructions / macs if macs else None,
            )
        )
    return found


def _count_again(
    compiler: CrossCompiler,
    core: Core,
    folder: Path,
    name: str,
    function: str,
    frames: int,
    work: Path,
) -> tuple[int | None, str | None]:
    """What QEMU counts a frame, in the mean, or why it could not; neither where it is not there."""
    from irc.backends.c.cross.build import START, build_program
    from irc.backends.c.cross.qemu import count_with_qemu, find_qemu

    qemu = find_qemu(core)
    if qemu is None or not frames:
        return None, None
    try:
        program = build_program(compiler, folder, name, work, marked=False, entry=START, reuse=True)
        counts = count_with_qemu(qemu, core, program, function, frames, work)
    except IrcError as error:
        return None, error.message
    return _mean(counts), None


def _mean(values: list[int]) -> int:
    return round(sum(values) / len(values)) if values else 0
