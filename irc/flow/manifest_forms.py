"""What a value of a manifest must be like: a form says of any value what is wrong with it.

A manifest may come from anywhere, and names in it become parts of scripts and paths: whatever a
command takes from one has been held against a form before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast


class Form(Protocol):
    """What values must be like."""

    def wrong(self, value: object, where: str) -> str | None:
        """What is wrong with the value at `where`; None where nothing is."""
        ...


@dataclass(frozen=True)
class Text:
    """Text that matches a pattern from end to end; `said` describes it."""

    pattern: str
    said: str

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        fits = isinstance(value, str) and re.fullmatch(self.pattern, value, re.ASCII | re.DOTALL)
        return None if fits else f"{where} is {_shown(value)}, not {self.said}"


@dataclass(frozen=True)
class Number:
    """A number from `least` to `most`, whole unless `fraction`."""

    least: float = 0
    most: float = 2**53
    fraction: bool = False

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        is_fraction = self.fraction and isinstance(value, float)
        if is_fraction or (isinstance(value, int) and not isinstance(value, bool)):
            number = cast("float", value)
            # Not so for what JSON calls NaN.
            if self.least <= number <= self.most:
                return None
        kind = "a number" if self.fraction else "a whole number"
        return f"{where} is {_shown(value)}, not {kind} from {self.least:,} to {self.most:,}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        return None if isinstance(value, bool) else f"{where} is {_shown(value)}, not true or false"


@dataclass(frozen=True)
class Maybe:
    """Null, or what another form says."""

    form: Form

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        return None if value is None else self.form.wrong(value, where)


@dataclass(frozen=True)
class Rows:
    """A list whose entries have one form."""

    form: Form

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        if not isinstance(value, list):
            return f"{where} is {_shown(value)}, not a list"
        entries = enumerate(cast("list[object]", value))
        found = (self.form.wrong(entry, f"{where}[{index}]") for index, entry in entries)
        return next(filter(None, found), None)


@dataclass(frozen=True)
class Named:
    """An object with any number of keys of the form `key`, whose values have the form `form`."""

    key: Form
    form: Form

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        if not isinstance(value, dict):
            return f"{where} is {_shown(value)}, not an object"
        for name, entry in cast("dict[str, object]", value).items():
            wrong = self.key.wrong(name, f"a key of {where}")
            wrong = wrong or self.form.wrong(entry, f"{where}.{name}")
            if wrong is not None:
                return wrong
        return None


@dataclass(frozen=True)
class Fields:
    """An object with at least these keys, unless `partial`, and values of their forms."""

    forms: Mapping[str, Form]
    partial: bool = False

    def wrong(self, value: object, where: str) -> str | None:
        """See `Form`."""
        if not isinstance(value, dict):
            return f"{where} is {_shown(value)}, not an object"
        entries = cast("dict[str, object]", value)
        for name, form in self.forms.items():
            if name not in entries:
                if self.partial:
                    continue
                return f"{where} lacks {name}" if where else f"lacks {name}"
            wrong = form.wrong(entries[name], f"{where}.{name}" if where else name)
            if wrong is not None:
                return wrong
        return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 60

IDENTIFIER = Text(r"[A-Za-z_]\w*", "an identifier")
"""The name of a module or function."""

FILE = Text(r"(?!(?:.*/)?\.\.(?:/|$))[\w.][\w.-]*(?:/[\w.][\w.-]*)*", "a file of this folder")
"""A path below the folder, of characters that mean nothing to any tool, and no option of one."""

PLAIN_NAME = Text(r"(?![-.])[^/\\\x00-\x1f\x7f]+", "a plain name")
"""The name of a file without folders, which may hold blanks: scripts don't see it."""

ANY_TEXT = Text(r".*", "text")

COUNT = Number()

CLOCK = Number(least=0.001, fraction=True)
"""MHz."""
