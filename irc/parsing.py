"""IR text to IR, with a source location on every operation and errors that point at the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from difflib import get_close_matches
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import (
    FileLineColLoc,
    IntAttr,
    LocationAttr,
    ModuleOp,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import AttributeInvT
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span

from irc.errors import IrcError

_STRING = re.compile(
    r'//[^\n]*|"[^"\\\n\v\f]*(?:\\(?:["nt\\]|[0-9A-Fa-f]{2})[^"\\\n\v\f]*)*(?:"|(?P<open>))'
)
"""A comment, or a string; `open` where a string has no end on its line, or an unknown escape."""

MAX_WIDTH = 2**24 - 1
"""Bits of an integer type, as in MLIR."""

MAX_DIGITS = 20

_WIDE_INTEGER = re.compile(r"(?<![\w%@#!^\"$.-])[su]?i(\d{8,})(?![\w\"$.-])")


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
        self._first_use: dict[str, Span] = {}
        self._has_explicit_location = False

    def _check_strings(self) -> None:
        """Raise for a string that its line does not end, or with an escape that there is not: on
        one of thirty letters, xDSL's pattern for strings tries for hours."""
        for match in _STRING.finditer(self._text):
            if match["open"] is not None:
                message = "this string does not end, or holds an escape that there is not"
                self.raise_error(message, match.start(), match.start() + 1)

    def _check_integer_types(self) -> None:
        """Raise for an integer type wider than MLIR's own limit, whose range alone, 2 to the power
        of its width, would take all memory."""
        for match in _WIDE_INTEGER.finditer(self._text):
            if int(match[1][:MAX_DIGITS]) > MAX_WIDTH:
                message = f"integer type of {match[1][:MAX_DIGITS]} bits; at most {MAX_WIDTH:,} are"
                self.raise_error(f"{message} accepted", match.start(), match.end())

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """Parse the whole text; raises `ParseError` with a message for people."""
        try:
            self._check_strings()
            self._check_integer_types()
            return super().parse_module(allow_implicit_module)
        except ParseError as error:
            self._improve(error)
            raise

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
        if isinstance(op.location, UnknownLoc) and not self._has_explicit_location:
            op.location = self._locate(self._name_position(start))
        return op

    def parse_optional_location(self) -> LocationAttr | None:
        """Parse `loc(...)` if it is there; the last thing that is parsed of an operation."""
        location = super().parse_optional_location()
        self._has_explicit_location = location is not None
        return location

    def resolve_operand(
        self, operand: UnresolvedOperand, type: AttributeInvT
    ) -> SSAValue[AttributeInvT]:
        """Find the value of an operand, or note where it is first used before its definition."""
        if operand.operand_name not in self.ssa_values:
            self._first_use.setdefault(operand.operand_name, operand.span)
        return super().resolve_operand(operand, type)

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

    def _raise_at(self, start: int, message: str, cause: Exception) -> NoReturn:
        position = self._name_position(start)
        word = re.compile(r'[\w.$"-]*').match(self._text, position)
        span = Span(position, word.end() if word else position, self.lexer.input)
        raise ParseError(span, message) from cause

    def _improve(self, error: ParseError) -> None:
        """Say what a reader of the file can use, and point at it."""
        position = error.span.start
        if error.msg == "Could not parse entire input!":
            error.msg = "expected an operation"
        elif error.msg == " in block definition":
            error.msg = "expected an operation or '}'"
        elif match := re.fullmatch(r"Operation (\S+) is not registered", error.msg):
            error.msg = unknown_operation(self.ctx, match[1])
            error.span = self._span_before(position, match[1])
        elif match := re.fullmatch(r"'(\S+)' is not registered", error.msg):
            error.msg = unknown_attribute(self.ctx, match[1])
            error.span = self._span_before(position, match[1])
        elif error.msg.startswith("values used but not defined"):
            names = list(self.forward_ssa_references)
            error.msg = f"{', '.join(f'%{name}' for name in names)} used but not defined"
            error.span = self._first_use.get(names[0], error.span)
        end = len(self._text.rstrip())
        if error.span.start >= end:
            # The end of the text is the end of what is written, not of the blank lines after it.
            error.msg += " (the text ends here)"
            error.span = Span(end, end + 1, self.lexer.input)

    def _span_before(self, position: int, name: str) -> Span:
        start = max(self._text.rfind(name, 0, position + len(name)), 0)
        return Span(start, start + len(name), self.lexer.input)


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.split("\n", 1)[0] if text else type(error).__name__


def unknown_operation(ctx: Context, name: str) -> str:
    """Say that there is no such operation, and which one may be meant."""
    dialect_name, dot, _ = name.partition(".")
    if not dot:
        return f"unknown operation '{name}': expected DIALECT.OPERATION, as in func.func"
    dialect = ctx.get_optional_dialect(dialect_name)
    if dialect is None:
        return _unknown_dialect(ctx, "operation", name)
    known = [op.name for op in dialect.operations]
    return f"dialect '{dialect_name}' has no operation '{name}'{_meant(name, known)}"


def unknown_attribute(ctx: Context, name: str) -> str:
    """Say that there is no such attribute or type, and which one may be meant."""
    dialect_name, dot, _ = name.partition(".")
    dialect = ctx.get_optional_dialect(dialect_name) if dot else None
    if dialect is None:
        return _unknown_dialect(ctx, "attribute or type", name)
    known = [attribute.name for attribute in dialect.attributes]
    return f"dialect '{dialect_name}' has no attribute or type '{name}'{_meant(name, known)}"


def _unknown_dialect(ctx: Context, kind: str, name: str) -> str:
    dialect_name = name.partition(".")[0]
    return (
        f"{kind} '{name}': there is no dialect '{dialect_name}'"
        f"{_meant(dialect_name, list(ctx.registered_dialect_names), 0.6)} "
        "(--list-dialects names all, --allow-unregistered-dialect accepts any)"
    )


def _meant(name: str, known: list[str], nearness: float = 0.75) -> str:
    similar = get_close_matches(name, known, 2, nearness)
    return f"; did you mean {' or '.join(map(repr, similar))}?" if similar else ""


def parse_text(ctx: Context, text: str, name: str = "<text>") -> ModuleOp:
    """Parse IR text; a single `builtin.module` is returned as it is, other text is put in one.

    Raises xDSL's `ParseError`, with line and column, and `IrcError` where there is no text.
    """
    if not text.strip():
        raise IrcError(f"{name}: the file is empty; expected IR text, such as a func.func")
    return LocatingParser(ctx, text, name).parse_module()
