"""Run a program on a board that QEMU emulates, for cores that the emulator in the process lacks.

QEMU is not on PyPI; a plugin, compiled when it is needed with the host's C compiler, writes down
which blocks of code ran how often, and the instructions and loads in them are read from the
program.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.cross.build import CrossCompiler, model_sources
from irc.backends.c.cross.cores import Core
from irc.backends.c.cross.decode import Decoder
from irc.backends.c.cross.machine import Counts, Run
from irc.backends.c.cross.program import Program, read_program
from irc.errors import IrcError

_HERE = Path(__file__).parent
_PLUGIN_VERSIONS = range(1, 7)
"""Versions of the plugin interface in which what the plugin uses is the same."""
_TIMEOUT = 600.0
_ENTRY = "irc_reset"


def find_board_emulator(core: Core) -> str:
    """The emulator's command; raises `IrcError` that says what to install."""
    name = "qemu-system-arm"
    found = shutil.which(name)
    if found is None:
        raise IrcError(
            f"running on {core.name} takes {name}, which was not found; "
            "Debian's package qemu-system-arm brings it"
        )
    find_compiler(None)
    return found


def run_on_board(
    compiler: CrossCompiler,
    core: Core,
    folder: Path,
    name: str,
    work: Path,
    frames: int,
    *,
    marked: bool,
    function: str,
) -> Run:
    """Compile the test program of model `name` into `work`, and run it; it calls `function`.

    With `marked` each layer reports its end. Raises `IrcError` where something is missing, does not
    compile or faults.
    """
    emulator = find_board_emulator(core)
    suffix = "_marked" if marked else ""
    program = work / f"board{suffix}.elf"
    marks = (f"{name.upper()}_LAYER_DONE=irc_layer_done",) if marked else ()
    parts = {part: (source, marks) for part, source in model_sources(folder, name).items()}
    parts |= {
        "board_test": (
            folder / "test" / f"test_{name}.c",
            (f"{function}=irc_called", "printf=irc_printf"),
        ),
        "support": (_HERE / "support.c", ()),
        "start": (_HERE / "board_start.c", (f"IRC_FUNCTION={function}", f"IRC_FRAMES={frames}")),
    }
    if not compiler.has_math_library:
        parts["math"] = (_HERE / "support_math.c", ())
    objects: list[Path] = []
    for part, (source, defines) in parts.items():
        if not source.is_file():
            raise IrcError(f"{source}: no such file; is {folder} what `irc compile` wrote?")
        target = work / f"{part}{suffix}.o"
        compiler.compile(str(source.resolve()), target, folder, defines)
        objects.append(target)
    compiler.link(objects, program, work, _ENTRY, "board.ld")
    return _Reading(core, read_program(program)).run(emulator, program, function, work)


class _Reading:
    """What one run reports, as it is read."""

    def __init__(self, core: Core, program: Program) -> None:
        self._core = core
        self._program = program
        self._decoder = Decoder(core.is_arm)
        self._costs: dict[tuple[int, int], Counts] = {}

    def run(self, emulator: str, program: Path, function: str, work: Path) -> Run:
        """Start the emulator, and read what the plugin wrote and the program said."""
        blocks = work / "blocks.txt"
        symbols = self._program.symbols
        mark = symbols.get("irc_layer_done", 0)
        said = ""
        for version in _PLUGIN_VERSIONS:
            plugin = _plugin(version, work)
            said = _execute(
                [
                    *(emulator, "-M", self._core.board, "-nographic"),
                    *("-monitor", "none", "-serial", "none"),
                    *("-semihosting-config", "enable=on,target=native"),
                    *("-kernel", str(program)),
                    "-plugin",
                    f"{plugin},output={blocks},function={symbols[function]:#x},mark={mark:#x}",
                ]
            )
            if "API version" not in said:
                break
        found = dict(re.findall(r"^irc-(\w+) (\d+)$", said, re.M))
        if "stack" not in found:
            shown = said.strip().splitlines() or ["no output"]
            raise IrcError(f"the program faults on {self._core.name}: {shown[-1]}")
        run = Run(stack=int(found["stack"]), complaints=int(found["complaints"]))
        self._read(run, blocks.read_text(encoding="utf-8"))
        if "verdict" in found:
            run.ended, run.verdict = True, int(found["verdict"])
        return run

    def _read(self, run: Run, text: str) -> None:
        total, marks = Counts(), list[Counts]()
        for line in text.splitlines():
            kind, *numbers = line.split()
            if kind == "block":
                address, size, times = map(int, numbers)
                cost = self._cost(address, size)
                total = Counts(
                    total.instructions + times * cost.instructions, total.loads + times * cost.loads
                )
                continue
            marks.append(total)
            if kind == "frame":
                run.frames.append(marks.pop())
                starts = [Counts(), *marks]
                run.layers.append([end - start for start, end in zip(starts, marks, strict=False)])
                marks = []
            total = Counts()

    def _cost(self, address: int, size: int) -> Counts:
        cost = self._costs.get((address, size))
        if cost is None:
            code = self._bytes(address, size)
            cost = self._costs[address, size] = Counts(*self._decoder.count(code, address))
        return cost

    def _bytes(self, address: int, size: int) -> bytes:
        for segment in self._program.segments:
            at = address - segment.address
            if 0 <= at < len(segment.data):
                return segment.data[at : at + size]
        raise IrcError(f"{self._core.name} executed what is no code, at {address:#x}")


def _execute(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise IrcError(f"{command[0]}: no result in {_TIMEOUT:.0f} s") from None
    return done.stdout + done.stderr


def _plugin(version: int, work: Path) -> Path:
    """The plugin for one version of QEMU's interface."""
    plugin = work / f"board_count_{version}.so"
    if not plugin.exists():
        source, defined = str(_HERE / "board_count.c"), f"-DIRC_PLUGIN_VERSION={version}"
        flags = ["-shared", "-fPIC", "-O2", defined, source, "-o", str(plugin)]
        run_compiler([*find_compiler(None), *flags], work)
    return plugin


__all__ = ["find_board_emulator", "run_on_board"]
