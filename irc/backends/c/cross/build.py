"""Cross-compile the test program of a C folder into one file that an emulator loads."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from irc.backends.c.compiler import run_compiler
from irc.backends.c.cross.cores import Core
from irc.errors import IrcError, UsageError

COMPILERS = ("auto", "gcc", "zig")
"""GCC where it is installed, else zig from PyPI; or one of them by name."""

_HERE = Path(__file__).parent
_ENTRY = "main"
ZIG_MODULE = "ziglang"


@dataclass(frozen=True)
class CrossCompiler:
    """A compiler for one core: its command so far, and its name for reports."""

    name: str
    command: tuple[str, ...]
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]

    def compile(self, source: str, output: Path, folder: Path, defines: tuple[str, ...]) -> None:
        """Compile one file of `folder` into an object file; raises `IrcError`."""
        run_compiler(
            [
                *self.command,
                *self.flags,
                "-std=c99",
                "-O2",
                "-ffreestanding",
                # The user's firmware is built without it too; the names keep their code together.
                "-ffunction-sections",
                "-fno-asynchronous-unwind-tables",
                "-isystem",
                str(_HERE / "include"),
                "-include",
                str(_HERE / "include" / "irc_profile.h"),
                *(f"-D{define}" for define in defines),
                "-c",
                source,
                "-o",
                str(output),
            ],
            folder,
        )

    def link(self, objects: list[Path], output: Path, folder: Path) -> None:
        """Link objects into a program without a C library; raises `IrcError`."""
        # zig always brings what the compiler calls; with GCC that is a library of its own.
        start, library = (["-nostdlib"], ["-lgcc"]) if self.name == "gcc" else ([], [])
        run_compiler(
            [
                *self.command,
                *self.link_flags,
                *start,
                *map(str, objects),
                f"-Wl,-T,{_HERE / 'program.ld'}",
                f"-Wl,--entry={_ENTRY}",
                "-Wl,--gc-sections",
                *library,
                "-o",
                str(output),
            ],
            folder,
        )


def find_cross_compiler(core: Core, wanted: str = "auto") -> CrossCompiler:
    """The compiler for a core; raises `IrcError` that says what to install."""
    if wanted not in COMPILERS:
        raise UsageError(f"unknown compiler '{wanted}'; expected {', '.join(COMPILERS)}")
    gcc = next((name for name in core.gcc if shutil.which(name)), None)
    if wanted in ("auto", "gcc") and gcc is not None and _knows_core(gcc, core):
        return CrossCompiler("gcc", (gcc,), core.gcc_flags, core.gcc_link_flags)
    if wanted in ("auto", "zig") and importlib.util.find_spec(ZIG_MODULE) is not None:
        command = (sys.executable, "-m", ZIG_MODULE, "cc")
        return CrossCompiler("zig", command, core.zig, core.zig)
    needed = {"gcc": core.gcc[0], "zig": "zig", "auto": f"{core.gcc[0]} or zig"}[wanted]
    raise IrcError(
        f"compiling for {core.name} takes {needed}, which was not found: "
        "pip install 'irc-bnn[profile]' brings zig"
    )


def _knows_core(gcc: str, core: Core) -> bool:
    """Whether this GCC, which may be older than the core, accepts its flags."""
    try:
        run_compiler([gcc, *core.gcc_flags, "-E", "-x", "c", "/dev/null"], Path.cwd())
    except IrcError:
        return False
    return True


def build_program(
    compiler: CrossCompiler, folder: Path, name: str, work: Path, *, marked: bool
) -> Path:
    """The test program of model `name` in `folder`, compiled into `work`.

    With `marked` each layer reports its end to the emulator by a call. Raises `IrcError` for a
    folder that lacks a file or does not compile.
    """
    defines = (f"{name.upper()}_LAYER_DONE=irc_layer_done",) if marked else ()
    sources = {
        "model": folder / f"{name}.c",
        "test": folder / f"test_{name}.c",
        "support": _HERE / "support.c",
    }
    objects: list[Path] = []
    for part, source in sources.items():
        if not source.is_file():
            raise IrcError(f"{source}: no such file; is {folder} what `irc compile` wrote?")
        target = work / f"{part}{'_marked' if marked else ''}.o"
        compiler.compile(str(source.resolve()), target, folder, defines)
        objects.append(target)
    program = work / f"program{'_marked' if marked else ''}.elf"
    compiler.link(objects, program, work)
    return program
