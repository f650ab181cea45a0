"""Names of layers: what folding files, reports and Verilog modules call a unit by."""

from __future__ import annotations

import re

from xdsl.ir import Operation

from irc.dialects.locations import location_label, location_name
from irc.plain_text import one_line

MAX_IDENTIFIER = 80
"""Characters: two of these and an extension make a file's name, of which most systems take 255."""


def describe(op: Operation) -> str:
    """`node 'conv2' (bnn.linear)` for messages; only the operation where there is no name."""
    name = location_label(op.location)
    return f"node '{name}' ({op.name})" if name else f"'{op.name}'"


class UniqueNames:
    """Hands out names, each once: the second `fc` becomes `fc_2`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        # Where to go on counting, so that a thousand equal names take no million tries.
        self._next: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """`wanted`, or `wanted_2`, `wanted_3`… where that is taken."""
        name = wanted
        number = self._next.get(wanted, 2)
        while name in self._taken:
            name = f"{wanted}_{number}"
            number += 1
        self._next[wanted] = number
        self._taken.add(name)
        return name


def layer_name(op: Operation, otherwise: str) -> str:
    """What a layer is called: by its ONNX node, without what could not stand between quotes or
    in a comment; of very long names the beginning."""
    return one_line(location_name(op.location).replace('"', " ")) or otherwise


def verilog_identifier(name: str) -> str:
    """A name made of letters, digits and single underscores, not starting with a digit; short
    enough for the name of a file."""
    cleaned = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:MAX_IDENTIFIER].rstrip("_")
    return cleaned if cleaned and not cleaned[0].isdigit() else f"n{cleaned}"
