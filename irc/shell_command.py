"""Commands of the user that the shell runs on a file: of `irc-opt --bisect` and `irc-reduce`."""

from __future__ import annotations

import shlex
from pathlib import Path

PLACE = "{}"
"""Stands for the file in a command."""

NOT_RUN = (126, 127)
"""What the shell exits with where a command is not executable, or not found."""


def on_file(command: str, file: Path) -> str:
    """The line for the shell: the file in the place of `{}`, or as the last argument."""
    quoted = shlex.quote(str(file))
    return command.replace(PLACE, quoted) if PLACE in command else f"{command} {quoted}"
