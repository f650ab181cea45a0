"""What the person at the keyboard sees when something goes wrong.

`report` turns any exception into one message: where (file, line and column with the source line
and a caret, or the ONNX node), what is wrong, and no Python traceback. `main_guard` runs a
command-line tool so that nothing else ever reaches the terminal. `IRC_DEBUG=1` adds the
traceback.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from irc.error_origin import culprit, innermost, is_ours, place_of, underlying
from irc.errors import IrcError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from xdsl.dialects.builtin import LocationAttr
    from xdsl.ir import Operation

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

    def render(self, *, colour: bool = False) -> str:
        """The text for the terminal, without a final newline."""
        error = "\033[1;31merror:\033[0m" if colour else "error:"
        if self.line is not None:
            lines = [f"{self.file}:{self.line}:{self.column}: {error} {self.message}"]
        else:
            lines = [f"{error} {message}" for message in self._named_messages()]
        if self.source_line is not None:
            lines += excerpt(self.source_line, self.column, self.length)
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _named_messages(self) -> list[str]:
        # A pass that finds several obstacles lists them all, each with its node.
        messages = self.message.split("\n")
        if not all(message.startswith("node '") for message in messages):
            messages = [self.message]
        if self.node and f"node '{self.node}'" not in self.message:
            messages[0] = f"node '{self.node}': {messages[0]}"
        if self.file is None or self.file in self.message:
            return messages
        return [f"{self.file}: {message}" for message in messages]


def excerpt(line: str, column: int, length: int = 1) -> list[str]:
    """A source line and carets under it, cut to a readable width around the column."""
    start = column - 1
    first = 0 if start < EXCERPT_WIDTH * 3 // 4 else start - EXCERPT_WIDTH // 2
    window = line[first : first + EXCERPT_WIDTH].replace("\t", " ")
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


def _notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", []) if "\n" not in note]


def _brief(text: str) -> str:
    """The first paragraph: what follows in xDSL's messages is the whole module."""
    return text.strip().split("\n\n", 1)[0]


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
            for part in getattr(location.locations, "data", ()):
                if found.line is None and found.node is None:
                    _locate(found, part, source_text)
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
    if os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0"):
        traceback.print_exception(error, file=out)
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


def main_guard(run: Callable[[], int]) -> int:
    """Run a tool: returns its exit code, and reports whatever it raises.

    A reader that closes our output early (`irc-opt … | head`) ends the run quietly.
    """
    # IR lives as long as the tool runs; at Python's own 700, looking through all of it for
    # garbage again and again takes a third of the time of a large network.
    gc.set_threshold(100_000, 20, 100)
    try:
        with _terminable():
            code = run()
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
            sys.stdout.flush()
        return code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BrokenPipeError:
        discard_output()
        return EXIT_FAILURE
    except OSError as error:
        code = report(error)
        discard_output()
        return code
    except (Exception, KeyboardInterrupt) as error:
        return report(error)


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM raises `TerminatedError`, unless somebody else has a handler for it."""
    is_free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def discard_output() -> None:
    """Drop what is still buffered for standard output, which Python would write at exit."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
