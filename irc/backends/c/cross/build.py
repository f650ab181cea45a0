"""Cross-compile the test program of a C folder into one file that an emulator loads."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from irc.backends.c.compiler import run_compiler
from irc.backends.c.cross.cores import Core
from irc.errors import IrcError, UsageError

COMPILERS = ("auto", "gcc", "zig")
"""GCC where it is installed, else zig from PyPI; or one of them by name."""

_HERE = Path(__file__).parent
ZIG_MODULE = "ziglang"

MATH_FUNCTIONS = frozenset(
    "expf logf log1pf sqrtf powf tanhf erff floorf ceilf rintf".split()  # noqa: SIM905
)
"""What C calls of math.h and no core here has an instruction for."""

MAIN = "main"
"""Where a program begins in our emulator, which calls it as a function."""
START = "_start"
"""Where it begins under an emulator of processes."""


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

    @property
    def has_math_library(self) -> bool:
        """Whether it comes with the functions of math.h for this core (newlib or picolibc)."""
        if self.name != "gcc":
            return False
        command = [*self.command, *self.link_flags, "-print-file-name=libm.a"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return os.path.isabs(done.stdout.strip())

    def link(
        self,
        objects: list[Path],
        output: Path,
        folder: Path,
        entry: str = MAIN,
        script: str = "program.ld",
    ) -> None:
        """Link objects into a program that needs no operating system; raises `IrcError`."""
        start: list[str] = []
        libraries: list[str] = []
        if self.name == "gcc":
            # zig always brings what the compiler calls; with GCC that is a library of its own.
            start, libraries = ["-nostdlib"], ["-lgcc"]
        if self.has_math_library:
            libraries = ["-Wl,--start-group", "-lm", "-lc", "-lgcc", "-Wl,--end-group"]
        run_compiler(
            [
                *self.command,
                *self.link_flags,
                *start,
                *map(str, objects),
                f"-Wl,-T,{_HERE / script}",
                f"-Wl,--entry={entry}",
                "-Wl,--gc-sections",
                *libraries,
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
    zig = "pip install 'irc-bnn[profile]' brings zig"
    package = f"Debian and Ubuntu have GCC as {core.gcc_package}"
    if wanted == "gcc" and gcc is not None:
        raise IrcError(f"{gcc} does not know {core.name}: a newer one does, or --compiler zig")
    needed, mend = {
        "gcc": (core.gcc[0], f"{package}; --compiler zig does without, and {zig}"),
        "zig": ("zig", zig),
        "auto": (f"{core.gcc[0]} or zig", f"{zig}; {package}"),
    }[wanted]
    raise IrcError(f"compiling for {core.name} takes {needed}, which was not found: {mend}")


def _knows_core(gcc: str, core: Core) -> bool:
    """Whether this GCC, which may be older than the core, accepts its flags."""
    try:
        run_compiler([gcc, *core.gcc_flags, "-E", "-x", "c", "/dev/null"], Path.cwd())
    except IrcError:
        return False
    return True


def model_sources(folder: Path, name: str) -> dict[str, Path]:
    """The C files of model `name` by the names of their objects: one, or more with its layers in
    files of their own."""
    rest = [folder / f"{name}_kernels.c", *sorted(folder.glob(f"{name}_layer_*.c"))]
    parts = {f"model_{path.stem}": path for path in rest if path.is_file()}
    return {"model": folder / f"{name}.c", **parts}


def build_program(
    compiler: CrossCompiler,
    folder: Path,
    name: str,
    work: Path,
    *,
    marked: bool,
    entry: str = MAIN,
    reuse: bool = False,
) -> Path:
    """The test program of model `name` in `folder`, compiled into `work`.

    With `marked` each layer reports its end to the emulator by a call; with `reuse`, objects that
    an earlier call left in `work` are taken as they are. Raises `IrcError` for a folder that lacks
    a file or does not compile.
    """
    suffix = "_marked" if marked else ""
    defines = (f"{name.upper()}_LAYER_DONE=irc_layer_done",) if marked else ()
    sources = {
        **model_sources(folder, name),
        "test": folder / "test" / f"test_{name}.c",
        "support": _HERE / "support.c",
    }
    if not compiler.has_math_library:
        sources["math"] = _HERE / "support_math.c"
    if entry == START:
        sources["start"] = _HERE / "qemu_start.c"
    objects: list[Path] = []
    for part, source in sources.items():
        if not source.is_file():
            raise IrcError(f"{source}: no such file; is {folder} what `irc compile` wrote?")
        target = work / f"{part}{suffix}.o"
        if not (reuse and target.exists()):
            compiler.compile(str(source.resolve()), target, folder, defines)
        objects.append(target)
    program = work / f"program{suffix}{'_process' if entry == START else ''}.elf"
    compiler.link(objects, program, work, entry)
    return program
