"""Delays of a device that explain the clocks of designs best.

A design is as slow as its longest path, and which path that is depends on the delays: so paths are
chosen with the delays so far, delays are fitted to these paths, and so on until nothing changes.
Delays are not negative, and minimise the squared relative errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from calibration.fitting import non_negative

from irc.passes.hardware.delays import Delays
from irc.passes.hardware.logic_depth import Depth

ROUNDS = 50


@dataclass(frozen=True)
class Clocked:
    """What a design took, ns a cycle, and the paths that may have been its longest."""

    name: str
    nanoseconds: float
    paths: Sequence[Depth]


def estimate(delays: Delays, design: Clocked) -> float:
    """ns of the path that these delays make the longest."""
    return max(map(delays.of, design.paths))


def fit(designs: Sequence[Clocked], start: Delays) -> Delays:
    """The delays that explain the designs best, from first ones on, which are kept as far as the
    designs tell nothing of them."""
    delays = start
    for _ in range(ROUNDS):
        longest = [max(design.paths, key=delays.of) for design in designs]
        terms = np.array([[1, *path] for path in longest], float)
        told = terms.any(axis=0)
        took = np.array([design.nanoseconds for design in designs])
        found = non_negative(terms[:, told] / took[:, None], np.ones(len(took)))
        values = np.array(astuple(delays))
        values[told] = found
        following = Delays(*(float(f"{value:.2g}") for value in values))
        if following == delays:
            break
        delays = following
    return delays


def print_fit(device: str, designs: Sequence[Clocked], known: Delays) -> None:
    """Print what designs took beside the estimates of known and of fitted delays."""
    fitted = fit(designs, known)
    print(f"{device}: ns, estimated with known delays, with fitted ones")
    for design in designs:
        both = "".join(f"{estimate(delays, design):>8.1f}" for delays in (known, fitted))
        print(f"{design.nanoseconds:>8.1f}{both}  {design.name}")
    for name, delays in (("known", known), ("fitted", fitted)):
        errors = [estimate(delays, each) / each.nanoseconds - 1 for each in designs]
        print(
            f"{name:6} {delays}: {np.median(np.abs(errors)):.0%} in the median, from "
            f"{min(errors):+.0%} to {max(errors):+.0%}"
        )
