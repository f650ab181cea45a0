"""`irc synth`: from a Verilog folder to netlist, timing and bitstream, with open tools."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_json, positive
from irc.tools.hardware_options import megahertz

DESCRIPTION = """\
Synthesise a folder that `irc compile --target verilog` wrote with Yosys, place and route it with
nextpnr, and write the bitstream: look-up tables, flip-flops and block RAMs per layer and in
total, the clock that is reached, frames a second. All tools come with pip install
'irc-bnn[synth]'.

  irc compile net.onnx --target verilog
  irc synth net-verilog --device up5k
  irc synth net-verilog --device ecp5-25k --clock 120 --seed 3 --json net.json
  irc synth net-verilog --board icebreaker

For a device the core is framed by shift registers, as its streams have more wires than a package
has pins; they are not counted. For a board it gets the board's clock, pins and bridge, and the
bitstream can be loaded. Exits with 1 if the clock is not met.
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    from irc.backends.synth.devices import DEVICES

    devices = "\n".join(f"  {device.name:10} {device.description}" for device in DEVICES)
    parser: argparse.ArgumentParser = commands.add_parser(
        "synth",
        help="synthesise a Verilog folder down to the bitstream",
        description=f"{DESCRIPTION}\ndevices:\n{devices}",
    )
    # Named as in the other commands: messages about it name the file.
    parser.add_argument("model", metavar="DIR", help="the folder, with its manifest.json")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--device", metavar="NAME", help="from the list above")
    where.add_argument(
        "--board",
        metavar="BOARD",
        help="a board that `irc compile --board` knows, or a .toml file: pins, PLL and a bridge "
        "around the core (default: the board that the folder was compiled for)",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", help="where to write (default: synth-DEVICE in the folder)"
    )
    parser.add_argument(
        "--clock",
        type=megahertz,
        metavar="MHZ",
        help="the clock to aim at (default: one that suits the device)",
    )
    parser.add_argument(
        "--seed",
        type=positive,
        default=1,
        metavar="N",
        help="of the placer: another one gives another result (default: %(default)s)",
    )
    parser.add_argument(
        "--check-netlist",
        action="store_true",
        help="play the folder's test vectors through the netlist, of cells as Yosys models them, "
        "and exit with 1 where it answers otherwise than the Verilog",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from pathlib import Path

    from irc.backends.synth.devices import device_named
    from irc.errors import UsageError
    from irc.flow.board_build import board_build, has_board, load_choice
    from irc.flow.manifest import read_manifest
    from irc.flow.netlist_check import check_netlist
    from irc.flow.synth import synthesise_folder
    from irc.tools.step_progress import step_progress
    from irc.tools.synth_tables import netlist_line, synth_lines
    from irc.tools.tables import check_writable, show, write_json

    check_writable(options.json)
    folder = Path(options.model)
    board = None
    if options.device is not None:
        device = device_named(options.device)
    else:
        choice = load_choice(options.board, None, None, options.clock)
        manifest = read_manifest(folder, "verilog", ("top", "sources", "hex", "input", "output"))
        if choice is None and options.clock is not None and has_board(folder):
            raise UsageError("--clock: the board in the folder has its own; give --board as well")
        board = board_build(folder, manifest, choice)
        estimate = manifest.get("estimate")
        if board is not None:
            device = board.device
        elif estimate is not None:
            device = device_named(estimate["device"])
            options.clock = options.clock or estimate["clock"]
        else:
            raise UsageError(
                f"{folder} was not compiled for a device or a board; give --device or --board"
            )
    output = None if options.output is None else Path(options.output)
    with step_progress() as progress:
        report = synthesise_folder(
            folder, device, output, options.clock, options.seed, progress, board
        )
        checked = None
        if options.check_netlist:
            checked = check_netlist(folder, Path(report.folder), device, observer=progress)
    show(*synth_lines(report), json=options.json)
    if checked is not None:
        show(netlist_line(checked), json=options.json)
    write_json(options.json, report)
    return 0 if report.meets_clock and (checked is None or checked.agrees) else 1
