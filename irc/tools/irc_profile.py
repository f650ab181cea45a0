"""`irc profile`: what generated C costs on a microcontroller's core."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_json, positive

DESCRIPTION = """\
Cross-compile a folder that `irc compile --target c` wrote, run its test vectors on an emulated
core and count: instructions and loads per layer, code and constants in flash, arena and deepest
stack in RAM, and whether every value agrees with the reference. No board is needed.

  irc compile net.onnx --target c
  irc profile net-c --cpu cortex-m0plus
  irc profile net-c --cpu rv32imc --compiler zig --frames 16 --json net.json

Compiled with -O2 by arm-none-eabi-gcc or riscv64-unknown-elf-gcc where they are installed, else
by zig, which pip brings: pip install 'irc-bnn[profile]'. Where QEMU's user-mode emulators
(Debian's qemu-user) and a C compiler are installed, they count the instructions once more.
Exits with 1 if a value disagrees.
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    from irc.backends.c.cross.cores import CORES

    cores = "\n".join(f"  {core.name:14} {core.description}" for core in CORES)
    parser: argparse.ArgumentParser = commands.add_parser(
        "profile",
        help="count what a C folder costs on a microcontroller's core",
        description=f"{DESCRIPTION}\ncores:\n{cores}",
    )
    # Named as in the other commands: messages about it name the file.
    parser.add_argument("model", metavar="DIR", help="the folder, with its manifest.json")
    parser.add_argument(
        "--cpu", required=True, metavar="CORE", help="the core, from the list above"
    )
    parser.add_argument(
        "--compiler",
        default="auto",
        metavar="NAME",
        help="gcc, zig, or auto: gcc where it is installed (default: %(default)s)",
    )
    parser.add_argument(
        "--frames",
        type=positive,
        default=1,
        metavar="N",
        help="how many of the folder's test vectors to run (default: %(default)s)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from pathlib import Path

    from irc.backends.c.cross.cores import core_named
    from irc.flow.profile import profile_folder
    from irc.tools.profile_tables import profile_lines
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, show, write_json

    check_writable(options.json)
    core = core_named(options.cpu)
    with step_progress() as progress:
        report = profile_folder(
            Path(options.model), core, options.compiler, options.frames, progress
        )
    show(*profile_lines(report), json=options.json)
    write_json(options.json, report)
    return 0 if report.agrees else 1
