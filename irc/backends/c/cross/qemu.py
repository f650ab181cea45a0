"""Count with QEMU what a program executes: a second opinion, where QEMU is installed.

QEMU's user-mode emulators run the program as a Linux process; a plugin, compiled when it is needed
with the host's C compiler, counts the instructions of each call of the model's function.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.cross.cores import Core
from irc.backends.c.cross.program import function_range
from irc.errors import IrcError

_HERE = Path(__file__).parent
_PLUGIN_VERSIONS = range(1, 7)
"""Versions of the plugin interface in which what the plugin uses is the same."""
_TIMEOUT = 300.0


def find_qemu(core: Core) -> str | None:
    """The emulator for a core; `None` where it, or a compiler for its plugin, is not installed.

    `None` also for a core that it does not emulate.
    """
    name = f"qemu-{'arm' if core.is_arm else 'riscv32'}"
    if core.qemu_cpu is None:
        return None
    try:
        find_compiler(None)
    except IrcError:
        return None
    return shutil.which(name)


def count_with_qemu(
    qemu: str, core: Core, program: Path, function: str, frames: int, work: Path
) -> list[int]:
    """Instructions of each of the first calls of `function`, callees included.

    `program` begins as a process, and calls the function from `main`. Raises `IrcError` where QEMU
    takes no plugins, does not know the core or stops early.
    """
    address = function_range(program, function)[0]
    first, last = function_range(program, "main")
    said = ""
    for version in _PLUGIN_VERSIONS:
        plugin = _plugin(version, work)
        arguments = f"function={address:#x},caller={first:#x},end={last:#x}"
        options = ["-cpu", str(core.qemu_cpu), "-plugin", f"{plugin},{arguments}"]
        try:
            done = subprocess.run(
                [qemu, *options, str(program)],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise IrcError(f"{Path(qemu).name}: no result in {_TIMEOUT:.0f} s") from None
        counts = [int(count) for count in re.findall(r"^irc-count (\d+)$", done.stderr, re.M)]
        if counts:
            return counts[:frames]
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        if "API version" not in done.stderr:
            break
    raise IrcError(f"{Path(qemu).name} cannot count on {core.name}: {said}")


def _plugin(version: int, work: Path) -> Path:
    """The plugin for one version of QEMU's interface."""
    plugin = work / f"qemu_count_{version}.so"
    source = str(_HERE / "qemu_count.c")
    defined = f"-DIRC_PLUGIN_VERSION={version}"
    flags = ["-shared", "-fPIC", "-O2", defined, source, "-o", str(plugin)]
    run_compiler([*find_compiler(None), *flags], work)
    return plugin
