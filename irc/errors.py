"""Errors meant for the person at the keyboard.

The message is complete by itself: where (file, ONNX node, or line and column), what is wrong,
and what would be right. The command-line tools print it after `error: ` and exit; they never
show a Python traceback for one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import LocationAttr


class IrcError(Exception):
    """Something the user can mend: a bad file, option, model or pipeline.

    `location`, where known, is the xDSL location of the operation concerned; the tools resolve
    it to a source line and caret, or to the name of an ONNX node.
    """

    def __init__(self, message: str, location: LocationAttr | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location

    def __str__(self) -> str:
        return self.message


class UsageError(IrcError):
    """A wrong option or argument; the tools exit with 2."""


class UnsupportedError(IrcError):
    """A valid model uses something that a pass or target does not support."""
