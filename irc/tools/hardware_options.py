"""Options of `irc compile` that say what hardware is to reach, and on which device."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from irc.devices import FIGURES
from irc.tools.arguments import positive

if TYPE_CHECKING:
    from irc.flow.hardware_goal import HardwareGoal


def add_hardware(parser: argparse.ArgumentParser) -> None:
    """The device and what is asked for on it."""
    group = parser.add_argument_group("folding of target verilog, for a device")
    names = ", ".join(f"{device.name} ({device.clock:g})" for device in FIGURES)
    group.add_argument(
        "--device",
        metavar="NAME",
        help=f"what the design is for, and the MHz that are assumed there: {names}; estimates are "
        "for it, and irc synth takes it by default",
    )
    group.add_argument(
        "--clock",
        type=megahertz,
        metavar="MHZ",
        help="another clock on the device; layers get as many pipeline stages as it takes",
    )
    goals = group.add_mutually_exclusive_group()
    goals.add_argument(
        "--fps",
        type=_rate,
        metavar="N",
        help="fold for at least so many frames a second, with the least area",
    )
    goals.add_argument(
        "--max-luts",
        type=positive,
        metavar="N",
        help="fold for the most frames a second with at most so many look-up tables",
    )
    goals.add_argument(
        "--fastest",
        action="store_const",
        const="fastest",
        dest="goal",
        help="fold for the most frames a second that the device has room for",
    )
    goals.add_argument(
        "--smallest",
        action="store_const",
        const="smallest",
        dest="goal",
        help="fold for the least area, however slow",
    )


def hardware_goal(options: argparse.Namespace) -> HardwareGoal:
    """What the command line asks for; raises `UsageError` where the target is not hardware."""
    from irc.errors import UsageError
    from irc.flow.hardware_goal import HardwareGoal

    goal = HardwareGoal(options.device, options.clock, options.fps, options.max_luts, options.goal)
    if goal != HardwareGoal() and options.target != "verilog":
        raise UsageError(f"--{_first_given(options)}: target {options.target} is not folded")
    return goal


def _first_given(options: argparse.Namespace) -> str:
    names = ("device", "clock", "fps", "max_luts")
    found = next((name for name in names if getattr(options, name) is not None), options.goal)
    return found.replace("_", "-")


def megahertz(text: str) -> float:
    """A clock from 0.1 to 1000 MHz, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"expected MHz from 0.1 to 1000, not '{text}'")
    return value


def _rate(text: str) -> float:
    """Frames a second, for argparse."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = 0.0
    if not 1e-6 <= value <= 1e9:
        raise argparse.ArgumentTypeError(f"expected frames a second, up to 1e9, not '{text}'")
    return value
