"""`irc-opt --verify-diagnostics`: errors, warnings and remarks against comments that expect them.

    bnn.scale %x // expected-error {{expects a constant}}
    // expected-error@+1 {{on the next line}}      @-1: the one before; any number goes
    // expected-error@below {{on the next line that is no such comment}}     @above: the last one
    // expected-warning@unknown {{of an operation that has a name, or nothing, for its place}}
    // expected-remark-re {{of {{[0-9]+}} channels}}

The text in braces is part of the message; with `-re`, inner braces hold regular expressions.
Each expectation stands for one message, and each message needs its expectation; notes may be
expected (`expected-note`, at the place of the message that they belong to) and need not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from irc.diagnostics import Diagnostic
from irc.near_misses import did_you_mean

KINDS = ("error", "warning", "remark", "note")

_EXPECTED = re.compile(
    rf"//.*?expected-({'|'.join(KINDS)})(-re)?\s*(?:@([+-]\d+|above|below|unknown))?\s*"
    r"\{\{(.*)\}\}\s*$"
)

_NEARLY = re.compile(r"//\s*(expect(?:ed)?-[a-z-]+)|//.*?\b(expected-[a-z-]+)\s*(?:@\S*)?\s*\{")
"""What looks like an expectation, whether or not it can be read."""


@dataclass
class _Expectation:
    kind: str
    text: str
    pattern: re.Pattern[str]
    line: int | None
    """Of the message; `None` for one whose place is not in this file."""
    written_at: int
    is_met: bool = False


@dataclass
class _Message:
    """One message that was given, and the diagnostic that it is part of."""

    kind: str
    text: str
    line: int | None
    diagnostic: Diagnostic


class Expectations:
    """What the comments of a text expect, and what came of it."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = text.split("\n")
        self._unread: list[Diagnostic] = []
        self._expected = [
            expectation
            for number in range(1, len(self._lines) + 1)
            if (expectation := self._read(number)) is not None
        ]
        self._unexpected: list[_Message] = []

    def take(self, diagnostic: Diagnostic) -> None:
        """Count one diagnostic against the expectations."""
        line = diagnostic.line if diagnostic.file == self._name else None
        messages = [diagnostic.message] if diagnostic.line is not None else diagnostic.messages()
        given = [_Message(diagnostic.severity, text, line, diagnostic) for text in messages]
        for message in given:
            if not self._meets(message):
                self._unexpected.append(message)
        for note in diagnostic.notes:
            self._meets(_Message("note", note, line, diagnostic))

    def _meets(self, message: _Message) -> bool:
        for expectation in self._expected:
            if (
                not expectation.is_met
                and (expectation.kind, expectation.line) == (message.kind, message.line)
                and expectation.pattern.search(message.text)
            ):
                expectation.is_met = True
                return True
        return False

    def mismatches(self) -> list[Diagnostic]:
        """What was given and not expected, then what was expected and not given."""
        return [
            *self._unread,
            *(_unexpected(message) for message in self._unexpected),
            *(
                self._at(
                    expectation.written_at,
                    f"expected {expectation.kind} was not given: {expectation.text}",
                )
                for expectation in self._expected
                if not expectation.is_met
            ),
        ]

    def _read(self, number: int) -> _Expectation | None:
        line = self._lines[number - 1].rstrip("\r")
        found = _EXPECTED.search(line)
        if found is None:
            if nearly := _NEARLY.search(line):
                self._unread.append(self._at(number, _cannot_be_read(nearly[1] or nearly[2])))
            return None
        kind, is_regex, designator, text = found.groups()
        try:
            pattern = re.compile(_regex(text) if is_regex else re.escape(text))
        except re.error as error:
            self._unread.append(self._at(number, f"not a regular expression: {error}"))
            return None
        return _Expectation(kind, text, pattern, self._place(number, designator), number)

    def _place(self, number: int, designator: str | None) -> int | None:
        match designator:
            case None:
                return number
            case "unknown":
                return None
            case "above" | "below":
                step = -1 if designator == "above" else 1
                number += step
                while 0 < number <= len(self._lines) and _EXPECTED.search(self._lines[number - 1]):
                    number += step
                return number
            case _:
                return number + int(designator)

    def _at(self, number: int, message: str) -> Diagnostic:
        line = self._lines[number - 1].rstrip("\r")
        start = max(line.find("expect"), 0)
        length = len(line.rstrip()) - start
        return Diagnostic(message, self._name, number, start + 1, length=length, source_line=line)


def _unexpected(message: _Message) -> Diagnostic:
    found = message.diagnostic
    text = f"unexpected {message.kind}: {message.text}"
    if found.line is None:
        return Diagnostic(text, notes=found.notes)
    return Diagnostic(
        text,
        found.file,
        found.line,
        found.column,
        found.length,
        source_line=found.source_line,
        notes=found.notes,
    )


def _regex(text: str) -> str:
    """Text with regular expressions in double braces."""
    parts = re.split(r"\{\{(.*?)\}\}", text)
    return "".join(part if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _cannot_be_read(word: str) -> str:
    known = [f"expected-{kind}{end}" for kind in KINDS for end in ("", "-re")]
    hint = "" if word in known else did_you_mean(word, known)
    return (
        f"this expectation cannot be read{hint or ';'} expected something like "
        "// expected-error@+1 {{text}}"
    )
