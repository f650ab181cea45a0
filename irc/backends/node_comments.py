"""Which ONNX nodes a piece of Verilog or C comes from, as lines for a comment."""

from __future__ import annotations

import re

from xdsl.ir import Attribute

from irc.dialects.locations import location_names
from irc.plain_text import comment_line, one_line

LONGEST_NAME = 76
"""Characters of one name, so that it fits a line of code with what stands around it."""

LINE = 92
"""Characters of a line of the comment."""


def node_comment(location: Attribute) -> list[str]:
    """`ONNX nodes: conv1+norm1+sign1`, on as many lines as it takes; none where no node is known.

    Names come from the model, and hold nothing here that could end the comment or the line.
    """
    names = [_shown(name) for name in location_names(location)]
    if not names:
        return []
    lines = [f"ONNX node{'s' if len(names) > 1 else ''}: {names[0]}"]
    for name in names[1:]:
        if len(lines[-1]) + len(name) >= LINE:
            # Tools take comments that begin with certain words for orders to them.
            lines.append("  ")
        lines[-1] += f"+{name}"
    return lines


def without_node_comments(verilog: str) -> str:
    """A Verilog text without the lines that hold such comments: what the hardware is."""
    return _IN_VERILOG.sub("", verilog)


_IN_VERILOG = re.compile(r"^ *// (?:ONNX nodes?: |  \+).*\n", re.MULTILINE)


def _shown(name: str) -> str:
    # A backslash at the end of a line would take the next one into the comment.
    return comment_line(one_line(name, LONGEST_NAME)).replace("\\", "/")
