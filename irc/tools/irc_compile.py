"""`irc compile`: a model into the folder of a target."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_fold, add_json, add_model, positive

DESCRIPTION = """\
Compile a model and write the folder of a target, whole or not at all:

  c        one .c and one .h of portable C99, a test program with vectors, Makefile, README
  verilog  Verilog-2005, a cocotb project that verifies it on its own, README
  host     the C as a shared library for this machine, with a small Python loader

  irc compile net.onnx --target verilog --input x=uint8/255 -o net_hw
  irc compile net.onnx --target c --data test.npz --cpu cortex-m0plus
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compile",
        help="write a model as C, as Verilog or as a library",
        description=DESCRIPTION,
    )
    add_model(parser)
    parser.add_argument(
        "--target", required=True, choices=("c", "verilog", "host"), help="what to write"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="the folder to write (default: MODEL-TARGET in the current one); one that irc wrote "
        "before is replaced, any other is left alone",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="prefix of C names, and the top module (default: MODEL)"
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="take the test vectors from these inputs (.npz with x, or .npy), not random ones",
    )
    parser.add_argument(
        "--vectors",
        type=positive,
        default=16,
        metavar="N",
        help="how many test vectors the folder gets (default: %(default)s)",
    )
    parser.add_argument(
        "--cpu",
        metavar="CORE",
        help="choose the kernels of C for a core that irc profile knows, such as cortex-m0plus or "
        "rv32imc-zbb; the C still runs everywhere",
    )
    parser.add_argument(
        "--popcount",
        choices=("auto", "tree", "builtin", "swar", "table"),
        help="how C counts bits: adders in straight code, the compiler's builtin for cores with an "
        "instruction for it, masks and shifts, or a table (default: what suits the core)",
    )
    parser.add_argument(
        "--unroll",
        type=positive,
        metavar="BYTES",
        help="straight code that one kernel of C may take (default: about 1 KB)",
    )
    add_fold(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.errors import UsageError
    from irc.flow.compile import compile_model
    from irc.flow.frames import load_data
    from irc.flow.ladder import Ladder
    from irc.flow.options import pass_options
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, compile_lines, show, write_json

    if options.fold is not None and options.target != "verilog":
        raise UsageError(f"--fold {options.fold}: target {options.target} is not folded")
    for name in ("cpu", "popcount", "unroll"):
        if getattr(options, name) is not None and options.target != "c":
            raise UsageError(f"--{name}: only target c chooses kernels")
    check_writable(options.json)
    data = None if options.data is None else load_data(options.data)
    with step_progress() as progress:
        ladder = Ladder(
            options.model,
            tuple(options.input),
            pass_options(options.fold, options.cpu, options.popcount, options.unroll),
            observer=progress,
            name=options.name,
        )
        result = compile_model(ladder, options.target, options.output, data, options.vectors)
    show(*compile_lines(result), json=options.json)
    write_json(options.json, result)
    return 0
