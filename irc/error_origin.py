"""Where an exception came from: which operation it is about, and whose code raised it."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdsl.ir import Operation

PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Frame:
    """A function that an exception passed through, and its variables at that time."""

    name: str
    file: str
    line: int
    variables: dict[str, Any]


def frames(error: BaseException) -> list[Frame]:
    """The traceback, outermost first."""
    return [
        Frame(frame.f_code.co_name, frame.f_code.co_filename, line, frame.f_locals)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


_OPERATION_VARIABLES = {
    "verify": "self",
    "verify_": "self",
    "emit_error": "self",
    "match_and_rewrite": "op",
}
"""In which functions, and by which name, the operation that an error is about can be found.

xDSL's exceptions do not carry it."""


def culprit(error: BaseException) -> Operation | None:
    """The operation being verified or rewritten when the error was raised."""
    from xdsl.ir import Block, Operation

    found = None
    for frame in frames(error):
        value = frame.variables.get(_OPERATION_VARIABLES.get(frame.name, ""))
        if isinstance(value, Block):
            value = value.parent_op()
        if isinstance(value, Operation):
            found = value
    return found


def underlying(error: BaseException) -> BaseException:
    """xDSL prints the module into a verifier's error; that printing can itself fail."""
    from xdsl.utils.exceptions import VerifyException

    while not isinstance(error, VerifyException):
        context = error.__context__
        inside_report = any(frame.name == "emit_error" for frame in frames(error))
        if not isinstance(context, VerifyException) or not inside_report:
            return error
        error = context
    return error


def innermost(error: BaseException) -> Frame:
    """The place that raised the error; in our code or a user's, rather than in a library's."""
    found = frames(error) or [Frame("", "?", 0, {})]
    own = [index for index, frame in enumerate(found) if not _is_library(frame.file)]
    if not own:
        return found[-1]
    calls_pass = found[own[-1]].name == "_run_pass" and own[-1] + 1 < len(found)
    # Below our pass runner stands the pass itself, of an installed package in this case.
    return found[own[-1] + 1] if calls_pass else found[own[-1]]


def place_of(frame: Frame) -> str:
    """`file:line`, from the folder above the package where it is ours."""
    file = frame.file
    if is_ours(frame):
        file = os.path.relpath(file, os.path.dirname(PACKAGE_FOLDER))
    return f"{file}:{frame.line}"


def is_ours(frame: Frame) -> bool:
    """Whether the code is this package's."""
    return frame.file.startswith(PACKAGE_FOLDER + os.sep)


def _is_library(file: str) -> bool:
    parts = os.path.normpath(file).split(os.sep)
    return file.startswith("<") or "site-packages" in parts or "importlib" in parts
