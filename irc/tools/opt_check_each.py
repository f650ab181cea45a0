"""`irc-opt --check-each[=DATA]`: every pass is held to the answers before it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from irc.errors import UsageError
from irc.tools.arguments import natural, positive

if TYPE_CHECKING:
    from irc.running import Observer

OPTION = "--check-each"


def add_check_each(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the options."""
    group.add_argument(
        OPTION,
        metavar="DATA",
        help="run the module in its interpreter after every pass, on the inputs of a file (.npz "
        "or .npy; written --check-each=DATA) or, without DATA, on random ones; a pass after which "
        "it answers otherwise fails, with the first operation that differs and a small input",
    )
    group.add_argument(
        "--check-frames",
        type=positive,
        metavar="N",
        help="how many inputs --check-each runs: by default all of DATA, or 32 random ones; on "
        "simulated hardware at most 2",
    )
    group.add_argument(
        "--check-seed",
        type=natural,
        metavar="SEED",
        help="which random inputs --check-each draws, 0 by default",
    )


def with_empty_value(arguments: Sequence[str]) -> list[str]:
    """`--check-each` alone as `--check-each=`: what follows is not its value, but the input."""
    return [f"{OPTION}=" if argument == OPTION else argument for argument in arguments]


def check_each_observer(arguments: argparse.Namespace) -> Observer | None:
    """What the options ask for.

    Raises `UsageError` for options that go with --check-each alone, and `IrcError` for data that
    cannot be read.
    """
    path: str | None = arguments.check_each
    if path is None:
        for option in ("frames", "seed"):
            if getattr(arguments, f"check_{option}") is not None:
                raise UsageError(f"--check-{option} says what {OPTION} runs; add {OPTION}")
        return None
    # Here: NumPy's and ONNX Runtime's share of a second is for those who ask for it.
    from irc.flow.each_pass.checker import EachPassChecker
    from irc.interp.data_files import load_data

    data = load_data(path) if path else None
    return EachPassChecker(
        data,
        frames=arguments.check_frames,
        seed=arguments.check_seed or 0,
        note=lambda text: print(f"{OPTION[2:]}: {text}", file=sys.stderr),
    )
