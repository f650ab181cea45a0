"""`irc compile`: a model into the folder of a target."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from irc.tools.arguments import (
    add_explain_rejections,
    add_fold,
    add_json,
    add_model,
    natural,
    positive,
)
from irc.tools.board_options import add_board, board_choice
from irc.tools.hardware_options import add_hardware, hardware_goal

if TYPE_CHECKING:
    from irc.flow.firmware import FirmwareOptions

DESCRIPTION = """\
Compile a model and write the folder of a target, whole or not at all:

  c        one .c and one .h of portable C99, a test program with vectors, Makefile, README;
           the folder is a CMake project, a library for Arduino and a Zephyr module as well
  verilog  Verilog-2005, a cocotb project that verifies it on its own, README
  host     the C as a shared library for this machine, with a small Python loader

  irc compile net.onnx --target verilog --input x=uint8/255 -o net_hw
  irc compile net.onnx --target verilog --device up5k --fps 10000
  irc compile net.onnx --target verilog --board icebreaker --fps 10000
  irc compile net.onnx --target verilog --reloadable
  irc compile net.onnx --target c --data test.npz --cpu cortex-m0plus
  irc compile net.onnx --target c --output-format class --arena caller
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
    add_fold(parser)
    add_json(parser)
    add_explain_rejections(parser)
    add_hardware(parser)
    add_board(parser)
    parser.add_argument(
        "--reloadable",
        action="store_true",
        help="let a second stream of target verilog load weights and thresholds at run time, which "
        "irc reload makes of retrained networks of the same shape",
    )
    _add_kernels(parser)
    _add_firmware(parser)
    parser.set_defaults(run=run)


def _add_kernels(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("kernels of target c")
    group.add_argument(
        "--cpu",
        metavar="CORE",
        help="choose the kernels for a core that irc profile knows, such as cortex-m0plus or "
        "rv32imc-zbb; the C still runs everywhere",
    )
    group.add_argument(
        "--popcount",
        choices=("auto", "tree", "builtin", "swar", "table"),
        help="how bits are counted: adders in straight code, the compiler's builtin for cores with "
        "an instruction for it, masks and shifts, or a table (default: what suits the core)",
    )
    group.add_argument(
        "--unroll",
        type=natural,
        metavar="BYTES",
        help="straight code that one kernel may take; 0 keeps loops (default: about 1 KB)",
    )
    group.add_argument(
        "--word",
        type=int,
        choices=(8, 16, 32, 64),
        help="bits of the words that hold bits (default: 32; 8 suits 8-bit cores)",
    )


def _add_firmware(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how the C of target c fits into firmware")
    group.add_argument(
        "--arena",
        choices=("both", "static", "caller"),
        help="who holds the working memory: a static variable behind NAME_run, the caller of "
        "NAME_run_arena, or either, as the program likes (default: both)",
    )
    places = group.add_mutually_exclusive_group()
    places.add_argument(
        "--weights-section",
        metavar="SECTION",
        help="put weights and all other constants into this linker section, such as .flash_weights",
    )
    places.add_argument(
        "--progmem",
        action="store_true",
        help="keep constants in the program memory of AVR cores, not in their RAM; elsewhere this "
        "changes nothing",
    )
    group.add_argument(
        "--file-per-layer",
        action="store_true",
        help="write a C file for each layer and one for the kernels they share, not one for all",
    )
    group.add_argument(
        "--input-format",
        choices=("uint8", "int8", "bits"),
        help="take bytes around the other zero point, or single bits in words where the network "
        "begins with them or with one threshold (default: what --input declares)",
    )
    group.add_argument(
        "--output-format",
        choices=("logits", "class"),
        help="give what the model gives, or the index of the largest value, the lowest of equals "
        "(default: logits)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.errors import UsageError
    from irc.flow.compile import compile_model
    from irc.flow.firmware import FirmwareOptions
    from irc.flow.frames import load_data
    from irc.flow.ladder import Ladder
    from irc.flow.options import pass_options
    from irc.flow.reloadable import reloadable_passes
    from irc.rejections import Recorder, recording
    from irc.tools.rejection_table import rejection_table
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, compile_lines, show, write_json

    if options.fold is not None and options.target != "verilog":
        raise UsageError(f"--fold {options.fold}: target {options.target} is not folded")
    for name in ("cpu", "popcount", "unroll", "word"):
        if getattr(options, name) is not None and options.target != "c":
            raise UsageError(f"--{name}: only target c chooses kernels")
    if options.weights_section == "":
        raise UsageError(
            "--weights-section: expected the name of a section, such as .flash_weights"
        )
    firmware = firmware_options(options)
    if firmware != FirmwareOptions() and options.target != "c":
        raise UsageError(f"{_first_given(options)}: only target c is made to fit into firmware")
    board = board_choice(options)
    goal = hardware_goal(options)
    if options.reloadable and options.target != "verilog":
        raise UsageError("--reloadable: only hardware of target verilog takes weights by a stream")
    check_writable(options.json)
    data = None if options.data is None else load_data(options.data)
    recorder = Recorder() if options.explain_rejections else None
    with step_progress() as progress, recording(recorder) if recorder else nullcontext():
        ladder = Ladder(
            options.model,
            tuple(options.input),
            {
                **pass_options(options.fold, options.cpu, options.popcount, options.unroll),
                **firmware.passes(),
                **goal.passes(),
                **(reloadable_passes() if options.reloadable else {}),
            },
            observer=progress,
            name=options.name,
        )
        result = compile_model(ladder, options.target, options.output, data, options.vectors, board)
    explained = () if recorder is None else (rejection_table(recorder),)
    show(*compile_lines(result), *explained, json=options.json)
    write_json(options.json, result)
    return 0


def firmware_options(options: argparse.Namespace) -> FirmwareOptions:
    """What the command line says about firmware; what it leaves out is the default."""
    from irc.flow.firmware import FirmwareOptions

    given: dict[str, Any] = {
        "arena": options.arena,
        "section": options.weights_section,
        "program_memory": options.progmem or None,
        "files": "layers" if options.file_per_layer else None,
        "input": options.input_format,
        "output": "class" if options.output_format == "class" else None,
        "word": options.word,
    }
    return FirmwareOptions(**{name: value for name, value in given.items() if value is not None})


def _first_given(options: argparse.Namespace) -> str:
    names = ("arena", "weights_section", "progmem", "file_per_layer", "input_format")
    found = next((name for name in names if getattr(options, name)), "output_format")
    return f"--{found.replace('_', '-')}"
