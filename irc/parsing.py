"""IR text to IR, with a source location on every operation and errors that point at the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from difflib import get_close_matches
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr, UnknownLoc
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span

from irc.errors import IrcError

_UNREGISTERED = re.compile(r"Operation (?P<name>\S+) is not registered")

_REWORDED = {
    "Could not parse entire input!": "expected an operation",
}
"""What xDSL says, and what a reader of the file can use."""


class LocatingParser(Parser):
    """xDSL's parser, which also notes for every operation the line and column it came from.

    An explicit `loc(...)` in the text wins. Whatever goes wrong inside an operation is a
    `ParseError` at that operation.
    """

    def __init__(self, ctx: Context, text: str, name: str) -> None:
        super().__init__(ctx, text, name)
        self._text = text
        self._file = StringAttr(name)
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def parse_operation(self) -> Operation:
        """Parse one operation; its location is that of its name, after `%result =`."""
        start = self.pos
        try:
            op = super().parse_operation()
        except (ParseError, IrcError, RecursionError, MemoryError):
            raise
        except VerifyException as error:
            self._raise_at(start, _first_line(error), error)
        except Exception as error:
            # Operations parse themselves, and not all of them expect every wrong input.
            self._raise_at(start, f"invalid operation: {_first_line(error)}", error)
        if isinstance(op.location, UnknownLoc):
            op.location = self._locate(self._name_position(start))
        return op

    def _get_op_by_name(self, name: str) -> type[Operation]:
        position = self.pos
        try:
            return super()._get_op_by_name(name)
        except ParseError as error:
            if _UNREGISTERED.fullmatch(error.msg) is None:
                raise
            # The parser has gone past the name: find it again, for the caret.
            start = self._text.rfind(name, 0, position)
            span = Span(start, start + len(name), self.lexer.input)
            raise ParseError(span, unknown_operation(self.ctx, name)) from None

    def _raise_at(self, start: int, message: str, cause: Exception) -> NoReturn:
        position = self._name_position(start)
        end = re.compile(r'[\w.$"-]*').match(self._text, position)
        span = Span(position, end.end() if end else position, self.lexer.input)
        raise ParseError(span, message) from cause

    def _name_position(self, start: int) -> int:
        if self._text[start] != "%":
            return start
        position = self._text.find("=", start) + 1
        while self._text[position : position + 1].isspace():
            position += 1
        return position

    def _locate(self, position: int) -> FileLineColLoc:
        line = bisect_right(self._line_starts, position)
        column = position - self._line_starts[line - 1] + 1
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(column))


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.split("\n", 1)[0] if text else type(error).__name__


def unknown_operation(ctx: Context, name: str) -> str:
    """Say that there is no such operation, and which one was meant."""
    dialect_name, dot, _ = name.partition(".")
    if not dot:
        similar = get_close_matches(name, ("builtin.module", "func.func", "hw.module"), 1, 0.4)
        hint = f"; did you mean '{similar[0]}'?" if similar else ""
        return f"unknown operation '{name}': expected a dialect's name and a dot before it{hint}"
    dialect = ctx.get_optional_dialect(dialect_name)
    if dialect is None:
        similar = get_close_matches(dialect_name, list(ctx.registered_dialect_names), 1)
        hint = f"; did you mean '{similar[0]}'?" if similar else ""
        return (
            f"operation '{name}': there is no dialect '{dialect_name}'{hint} "
            "(--list-dialects names all, --allow-unregistered-dialect accepts any)"
        )
    names = [op.name for op in dialect.operations]
    similar = get_close_matches(name, names, 3, 0.75)
    hint = f"; did you mean {' or '.join(map(repr, similar))}?" if similar else ""
    return f"dialect '{dialect_name}' has no operation '{name}'{hint}"


def parse_text(ctx: Context, text: str, name: str = "<text>") -> ModuleOp:
    """Parse IR text; a single `builtin.module` is returned as it is, other text is put in one.

    Raises xDSL's `ParseError`, with line and column, and `IrcError` where there is no text.
    """
    if not text.strip():
        raise IrcError(f"{name}: the file is empty; expected IR text, such as a func.func")
    try:
        return LocatingParser(ctx, text, name).parse_module()
    except ParseError as error:
        error.msg = _REWORDED.get(error.msg, error.msg)
        raise
