"""What is said of a pass that changed an answer."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import LocationAttr

from irc.errors import IrcError
from irc.flow.each_pass.ports import Port

Array = npt.NDArray[Any]

SHOWN = 12
"""How many elements of a frame are printed."""

CHANGES_RESULTS = "changes_results"
"""Class attribute of a pass that gives other results on purpose: the reason, in words."""


class DifferenceError(IrcError):
    """A pass changed what the module answers.

    `pass_name` is the pass, `operation` the first operation that went wrong (its ONNX node and its
    name; empty where none could be matched), `inputs` the frame that shows it, one array [1, …] for
    each input.
    """

    def __init__(
        self,
        message: str,
        pass_name: str,
        operation: str,
        inputs: list[Array],
        location: LocationAttr | None = None,
    ) -> None:
        super().__init__(message, location)
        self.pass_name = pass_name
        self.operation = operation
        self.inputs = inputs


def other_ports(before: list[Port], after: list[Port]) -> str | None:
    """What a pass did to the inputs that makes answers incomparable."""
    if [prod(port.shape) for port in before] == [prod(port.shape) for port in after]:
        return None
    old, new = (" and ".join(map(str, ports)) or "no inputs" for ports in (before, after))
    return (
        f"changed what the module takes, from {old} to {new}; a pass that means to sets the "
        f"class attribute '{CHANGES_RESULTS}' to the reason"
    )


def frame_words(frame: Array, rest: float) -> str:
    """A frame as its elements that are not at rest."""
    at = np.argwhere(frame != rest)
    total = frame.size
    what = "0" if rest == 0 else f"{rest:.9g}"
    if not len(at):
        return f"all of {total} elements {what}"
    shown = [f"[{', '.join(map(str, place))}] = {frame[tuple(place)]:.9g}" for place in at[:SHOWN]]
    more = f" and {len(at) - SHOWN} more" if len(at) > SHOWN else ""
    return f"{', '.join(shown)}{more}; the other {total - len(at)} of {total} elements {what}"
