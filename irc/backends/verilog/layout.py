"""Lines of Verilog, broken where they are too long."""

from __future__ import annotations

import textwrap

LINE_LENGTH = 100


class Lines:
    """Collects the lines of a module."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Append a line; a long one is broken after commas, or else at spaces."""
        if len(line) <= LINE_LENGTH:
            self._lines.append(line)
        else:
            self._lines += _broken(line)

    def section(self) -> None:
        """Leave a blank line, unless there is one."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        """Everything, without blank lines at the end."""
        return "\n".join(self._lines).rstrip("\n")


def _broken(line: str) -> list[str]:
    stripped = line.lstrip()
    indent = " " * (len(line) - len(stripped))
    continued = indent + "    "
    lines: list[str] = []
    current = indent
    for part in stripped.replace(", ", ",\0").split("\0"):
        if len(current) + len(part) >= LINE_LENGTH and current.strip():
            lines.append(current.rstrip())
            current = continued
        current += part + " "
    lines.append(current.rstrip())
    return [piece for broken in lines for piece in _wrapped(broken, continued)]


def _wrapped(line: str, continued: str) -> list[str]:
    """Break at spaces what has no commas to break after."""
    if len(line) <= LINE_LENGTH:
        return [line]
    stripped = line.lstrip()
    return textwrap.wrap(
        stripped,
        LINE_LENGTH,
        initial_indent=" " * (len(line) - len(stripped)),
        subsequent_indent=continued,
        break_long_words=False,
        break_on_hyphens=False,
    )
