"""`irc synth`: from a Verilog folder to netlist, timing and bitstream, with open tools."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_json, positive

DESCRIPTION = """\
Synthesise a folder that `irc compile --target verilog` wrote with Yosys, place and route it with
nextpnr, and write the bitstream: look-up tables, flip-flops and block RAMs per layer and in
total, the clock that is reached, frames a second. All tools come with pip install
'irc-bnn[synth]'.

  irc compile net.onnx --target verilog
  irc synth net-verilog --device up5k
  irc synth net-verilog --device ecp5-25k --clock 120 --seed 3 --json net.json

The core is framed by shift registers, as its streams have more wires than a package has pins;
they are not counted. Exits with 1 if the clock is not met.
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
    parser.add_argument("--device", required=True, metavar="NAME", help="from the list above")
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
    add_json(parser)
    parser.set_defaults(run=run)


def megahertz(text: str) -> float:
    """A clock from 0.1 to 1000 MHz, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"expected MHz from 0.1 to 1000, not '{text}'")
    return value


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from pathlib import Path

    from irc.backends.synth.devices import device_named
    from irc.flow.synth import synthesise_folder
    from irc.tools.step_progress import step_progress
    from irc.tools.synth_tables import synth_lines
    from irc.tools.tables import check_writable, show, write_json

    check_writable(options.json)
    device = device_named(options.device)
    output = None if options.output is None else Path(options.output)
    with step_progress() as progress:
        report = synthesise_folder(
            Path(options.model), device, output, options.clock, options.seed, progress
        )
    show(*synth_lines(report), json=options.json)
    write_json(options.json, report)
    return 0 if report.meets_clock else 1
