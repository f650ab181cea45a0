"""Warnings and remarks of passes: what a user should know of a pass that did not fail.

A pass, of this project or of somebody else's, says it in one line:

    from irc.notices import remark, warn

    warn("all weights of this layer are zero", op.location)

`irc-opt` prints notices with their place, as it does errors, and `--verify-diagnostics` compares
them with `expected-warning` and `expected-remark`. Other tools print warnings only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import LocationAttr


@dataclass(frozen=True)
class Notice:
    """A message with its place; `severity` is `warning` or `remark`."""

    severity: str
    message: str
    location: LocationAttr | None = None


def warn(message: str, location: LocationAttr | None = None) -> None:
    """Tell the user of something that is probably a mistake in the network or the options."""
    _tell(Notice("warning", message, location))


def remark(message: str, location: LocationAttr | None = None) -> None:
    """Tell the user of something worth knowing about what a pass did."""
    _tell(Notice("remark", message, location))


def _tell(notice: Notice) -> None:
    handler = _HANDLER.get()
    if handler is not None:
        handler(notice)
    elif notice.severity == "warning":
        from irc.diagnostics import describe_notice

        describe_notice(notice).print()


_HANDLER: ContextVar[Callable[[Notice], None] | None] = ContextVar("irc_notices", default=None)


@contextmanager
def handle_notices(handler: Callable[[Notice], None]) -> Generator[None]:
    """Give every notice inside the `with` to `handler`, as it comes."""
    token = _HANDLER.set(handler)
    try:
        yield
    finally:
        _HANDLER.reset(token)
