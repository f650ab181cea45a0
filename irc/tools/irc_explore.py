"""`irc explore`: one page that shows a model at every level and after every pass."""

from __future__ import annotations

import argparse
from typing import Any

from irc.tools.arguments import add_fold, add_model, natural
from irc.tools.hardware_options import add_hardware, hardware_goal

DESCRIPTION = """\
Write one HTML page that shows a model at every level and after every pass: the IR and what each
pass changed, graphs with what each layer costs, every threshold with its distance from float32
rounding, and which lines of Verilog and C a node of the model became. The page holds all that it
needs: it opens in any browser, from a disk as well, and asks no network for anything.

  irc explore net.onnx --input x=uint8/255 -o net.html
  irc explore net.onnx --device up5k --fps 10000 --target verilog
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explore",
        help="write a page that shows every level, pass and threshold",
        description=DESCRIPTION,
    )
    add_model(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the page to write (default: MODEL.html)"
    )
    parser.add_argument(
        "--target",
        choices=("verilog", "c"),
        help="show the way to this target alone (default: to both)",
    )
    parser.add_argument("--name", metavar="NAME", help="what the design is called (default: MODEL)")
    parser.add_argument(
        "--open", action="store_true", help="show the page in a browser when it is written"
    )
    add_fold(parser)
    add_hardware(parser)
    parser.add_argument(
        "--reloadable",
        action="store_true",
        help="show the hardware that takes other weights by a stream",
    )
    group = parser.add_argument_group("kernels of target c")
    group.add_argument("--cpu", metavar="CORE", help="choose the kernels for this core")
    group.add_argument(
        "--popcount",
        choices=("auto", "tree", "builtin", "swar", "table"),
        help="how bits are counted (default: what suits the core)",
    )
    group.add_argument(
        "--unroll", type=natural, metavar="BYTES", help="straight code that one kernel may take"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.errors import UsageError
    from irc.flow.explore.page import write_page
    from irc.flow.explore.stages import RecordedLadder
    from irc.flow.options import pass_options
    from irc.flow.reloadable import reloadable_passes
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import show

    if options.target == "c":
        for name in ("fold", "reloadable"):
            if getattr(options, name):
                raise UsageError(f"--{name}: target c is not hardware")
    if options.target == "verilog":
        for name in ("cpu", "popcount", "unroll"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name}: only target c chooses kernels")
    # Without a target both are shown, hence hardware as well.
    goal = hardware_goal(
        argparse.Namespace(**{**vars(options), "target": options.target or "verilog"})
    )
    with step_progress() as progress:
        ladder = RecordedLadder(
            options.model,
            tuple(options.input),
            {
                **pass_options(options.fold, options.cpu, options.popcount, options.unroll),
                **goal.passes(),
                **(reloadable_passes() if options.reloadable else {}),
            },
            observer=progress,
            name=options.name,
        )
        targets = ("verilog", "c") if options.target is None else (options.target,)
        path = write_page(ladder, options.output, targets)
    show(f"wrote {path}")
    if options.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0
