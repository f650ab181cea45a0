"""`irc-opt --check-each[=DATA]`: every pass is held to the answers before it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
        type=_positive,
        metavar="N",
        help="how many inputs --check-each runs, 32 by default; on simulated hardware at most 2",
    )
    group.add_argument(
        "--check-seed",
        type=int,
        default=0,
        metavar="SEED",
        help="which random inputs --check-each draws",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not '{text}'")
    return int(text)


def with_empty_value(arguments: Sequence[str]) -> list[str]:
    """`--check-each` alone as `--check-each=`: what follows is not its value, but the input."""
    return [f"{OPTION}=" if argument == OPTION else argument for argument in arguments]


def check_each_observer(arguments: argparse.Namespace) -> Observer | None:
    """What the options ask for; raises `IrcError` for data that cannot be read."""
    path: str | None = arguments.check_each
    if path is None:
        return None
    # Here: NumPy's and ONNX Runtime's share of a second is for those who ask for it.
    from irc.flow.each_pass.checker import FRAMES, EachPassChecker
    from irc.interp.data_files import load_data

    data = load_data(path) if path else None
    return EachPassChecker(
        data,
        frames=arguments.check_frames or FRAMES,
        seed=arguments.check_seed,
        note=lambda text: print(f"{OPTION[2:]}: {text}", file=sys.stderr),
    )
