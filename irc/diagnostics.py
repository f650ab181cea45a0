"""What the person at the keyboard sees when something goes wrong.

`report` turns any exception into one message: where (file, line and column with the source line
and a caret, or the ONNX node), what is wrong, and no Python traceback. `IRC_DEBUG=1` adds it.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from irc.error_origin import culprit, innermost, is_ours, place_of, underlying
from irc.errors import IrcError, UsageError
from irc.plain_text import visible

if TYPE_CHECKING:
    from xdsl.dialects.builtin import LocationAttr
    from xdsl.ir import Operation

    from irc.notices import Notice

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

DEBUG_VARIABLE = "IRC_DEBUG"

EXCERPT_WIDTH = 100
"""Characters of a source line that are shown; lines with weights are millions long."""


class TerminatedError(KeyboardInterrupt):
    """SIGTERM, which cleans up like Ctrl-C."""


@dataclass
class Diagnostic:
    """One message: its place, as precise as is known, and what there is to say."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int = 1
    length: int = 1
    node: str | None = None
    source_line: str | None = None
    notes: list[str] = field(default_factory=list[str])
    severity: str = "error"
    """`error`, `warning` or `remark`."""

    def render(self, *, colour: bool = False) -> str:
        """The text for the terminal, without a final newline."""
        kind = (
            f"{_COLOURS[self.severity]}{self.severity}:\033[0m" if colour else f"{self.severity}:"
        )
        if self.line is not None:
            place = f"{visible(str(self.file))}:{self.line}:{self.column}"
            lines = [f"{place}: {kind} {visible(self.message)}"]
        else:
            lines = [f"{kind} {visible(message)}" for message in self.messages()]
        if self.source_line is not None:
            lines += excerpt(self.source_line, self.column, self.length)
        lines += [f"note: {visible(note)}" for note in self.notes]
        return "\n".join(lines)

    def print(self, stream: TextIO | None = None) -> None:
        """Print to `stream`, or to stderr, in colours where it shows them."""
        out: TextIO = stream or sys.stderr or StringIO()
        print(self.render(colour=use_colour(out)), file=out)

    def messages(self) -> list[str]:
        """What there is to say, with the file and the node where no line is known.

        A pass that finds several obstacles lists them all, each with its node.
        """
        messages = self.message.split("\n")
        if not all(message.startswith("node '") for message in messages):
            messages = [self.message]
        if self.node and f"node '{self.node}'" not in self.message:
            messages[0] = f"node '{self.node}': {messages[0]}"
        if self.file is None or self.file in self.message:
            return messages
        return [f"{self.file}: {message}" for message in messages]


_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;35m", "remark": "\033[1;34m"}


def excerpt(line: str, column: int, length: int = 1) -> list[str]:
    """A source line and carets under it, cut to a readable width around the column."""
    start = column - 1
    first = 0 if start < EXCERPT_WIDTH * 3 // 4 else start - EXCERPT_WIDTH // 2
    window = line[first : first + EXCERPT_WIDTH].replace("\t", " ")
    window = "".join(letter if letter.isprintable() else "?" for letter in window)
    before = "…" if first else ""
    after = "…" if first + EXCERPT_WIDTH < len(line) else ""
    offset = start - first + len(before)
    carets = "^" * max(1, min(length, len(window) + len(before) - offset))
    return [f"  {before}{window}{after}", f"  {' ' * offset}{carets}"]


def diagnose(
    error: BaseException, source_name: str | None = None, source_text: str | None = None
) -> Diagnostic:
    """The message for an exception that arose while working on `source_name`."""
    if isinstance(error, UsageError):
        # At once: a misspelt option must not wait for xDSL.
        return Diagnostic(str(error), notes=_notes(error))
    from xdsl.utils.exceptions import DiagnosticException, ParseError, VerifyException

    error = underlying(error)
    found = Diagnostic(str(error), source_name, notes=_notes(error))
    match error:
        case IrcError():
            _locate(found, error.location, source_text)
        case ParseError():
            _locate_span(found, error)
        case VerifyException():
            found.message = _brief(str(error)) or "the IR is not valid"
            _locate_operation(found, error, source_text)
        case DiagnosticException():
            found.message = _brief(str(error))
            _locate_operation(found, error, source_text)
        case OSError():
            name = error.filename or source_name
            reason = error.strerror or str(error)
            found.message = f"{os.fsdecode(name)}: {reason}" if name else reason
        case UnicodeDecodeError():
            found.message = f"not UTF-8 text: {error}"
        case RecursionError():
            found.message = "nested too deeply for this compiler"
        case MemoryError():
            found.message = "not enough memory"
        case _:
            _describe_internal(found, error, source_text)
    return found


def describe_notice(
    notice: Notice, source_name: str | None = None, source_text: str | None = None
) -> Diagnostic:
    """The message for a warning or remark of a pass that works on `source_name`."""
    found = Diagnostic(notice.message, source_name, severity=notice.severity)
    _locate(found, notice.location, source_text)
    return found


def _notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", []) if "\n" not in note]


def _brief(text: str) -> str:
    """The first paragraph: what follows in xDSL's messages is the whole module.

    Long constants in it are cut short.
    """
    brief = text.strip().split("\n\n", 1)[0]
    return _LONG_WORD.sub(lambda match: f"{match[0][:32]}…{match[0][-1]}", brief)


_LONG_WORD = re.compile(r"[^\s/]{257,}")
"""Longer than any name; a path holds slashes."""


def _locate_operation(found: Diagnostic, error: BaseException, source_text: str | None) -> None:
    op = culprit(error)
    if op is None:
        return
    if op.name not in found.message:
        found.message = f"'{op.name}': {found.message}"
    _locate(found, op.location, source_text)
    if found.source_line is None:
        found.notes.insert(0, f"the operation is {abbreviate(op)}")


def _locate(found: Diagnostic, location: LocationAttr | None, source_text: str | None) -> None:
    """Put the place that a location stands for into the message."""
    from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc

    match location:
        case FileLineColLoc():
            text = source_text
            if location.filename.data != found.file or text is None:
                text = _read_source(location.filename.data)
            found.file = location.filename.data
            found.line, found.column = location.line.data, location.column.data
            lines = text.split("\n", found.line) if text is not None else []
            if 0 < found.line <= len(lines):
                found.source_line = lines[found.line - 1].rstrip("\r")
                found.length = _word_length(found.source_line, found.column - 1)
        case NameLoc():
            found.node = location.desc.data
        case FusedLoc():
            names: list[str] = []
            for part in getattr(location.locations, "data", ()):
                if isinstance(part, NameLoc):
                    names.append(part.desc.data)
                elif found.line is None:
                    _locate(found, part, source_text)
            found.node = "+".join(dict.fromkeys(filter(None, names))) or found.node
        case CallSiteLoc():
            _locate(found, location.callee, source_text)  # pyright: ignore[reportArgumentType]
        case _:
            pass


def _word_length(line: str, start: int) -> int:
    end = start
    while end < len(line) and (line[end].isalnum() or line[end] in '._$"-'):
        end += 1
    return max(1, end - start)


def _read_source(name: str) -> str | None:
    try:
        with open(name, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def _locate_span(found: Diagnostic, error: Any) -> None:
    """The place of a parser's error: its span of the text."""
    span = error.span
    place = span.get_location()
    content: str = span.input.content
    position = min(span.start, len(content))
    start = content.rfind("\n", 0, position) + 1
    end = content.find("\n", start)
    found.message = error.msg[:1].lower() + error.msg[1:]
    found.file, found.line, found.column = place.file, place.line, place.col
    found.length = max(1, span.end - span.start)
    found.source_line = content[start : end if end >= 0 else None].rstrip("\r")
    for reference, note in getattr(error, "refs", []):
        at = reference.get_location()
        found.notes.append(f"{at.file}:{at.line}:{at.col}: {note or error.ref_text or ''}".strip())


def _describe_internal(found: Diagnostic, error: BaseException, source_text: str | None) -> None:
    text = _brief(str(error))
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frame = innermost(error)
    found.message = f"{'internal error: ' if is_ours(frame) else ''}{what} ({place_of(frame)})"
    _locate_operation(found, error, source_text)
    if is_ours(frame):
        found.notes.append("this is a bug in irc: please report it with the input and the command")
    found.notes.append(f"{DEBUG_VARIABLE}=1 shows the traceback")


def abbreviate(op: Operation, limit: int = 240) -> str:
    """An operation on one line: without its regions, long constants cut short."""
    from irc.printing import brief_operation

    try:
        text = brief_operation(op)
    except Exception:
        # Invalid IR need not be printable.
        text = f'"{op.name}"'
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def use_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that wants colours (`NO_COLOR` says no)."""
    return (
        not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
        and bool(getattr(stream, "isatty", lambda: False)())
    )


def report(
    error: BaseException,
    source_name: str | None = None,
    source_text: str | None = None,
    stream: TextIO | None = None,
) -> int:
    """Print the message for an exception to `stream` (stderr); returns the exit code.

    `source_name` is the file that was being worked on, and `source_text` its text where it
    cannot be read again, as with standard input.
    """
    out: TextIO = stream or sys.stderr or StringIO()
    print_debug_traceback(error, out)
    if isinstance(error, KeyboardInterrupt):
        terminated = isinstance(error, TerminatedError)
        print("terminated" if terminated else "interrupted", file=out)
        return EXIT_TERMINATED if terminated else EXIT_INTERRUPTED
    try:
        text = diagnose(error, source_name, source_text).render(colour=use_colour(out))
    except Exception as failure:
        text = f"error: {error} (and {type(failure).__name__} while describing it: {failure})"
    print(text, file=out)
    return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE


def print_debug_traceback(error: BaseException, stream: TextIO | None = None) -> None:
    """Print the traceback of an exception where `IRC_DEBUG` asks for it."""
    if os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0"):
        traceback.print_exception(error, file=stream or sys.stderr)
