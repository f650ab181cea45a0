"""Reading a table of TOML key by key, with errors that name the file and the key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from irc.errors import IrcError

_PIN = re.compile(r"[A-Za-z]{0,2}[0-9]{1,3}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Table:
    """A table of the file `source`; every method raises `IrcError` for a value of the wrong kind,
    and for a missing one unless its name or a default says otherwise."""

    def __init__(self, source: str, prefix: str, values: dict[str, Any]) -> None:
        self.source = source
        self.prefix = prefix
        self.values = values
        self._left = set(values)

    def wrong(self, key: str, what: str) -> IrcError:
        """An error about a key."""
        return IrcError(f"{self.source}: key '{self.prefix}{key}': {what}")

    def _get(self, key: str, expected: str) -> Any:
        self._left.discard(key)
        if key not in self.values:
            raise self.wrong(key, f"missing; expected {expected}")
        return self.values[key]

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._get(key, "a text")
        if not isinstance(value, str) or not value.strip() or "\n" in value:
            raise self.wrong(key, f"expected a text of one line, not {value!r}")
        return value

    def text_or_none(self, key: str) -> str | None:
        """The same, or `None` where the key is missing."""
        return self.text(key) if key in self.values else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._get(key, "a list of texts")
        items = cast("list[object]", value) if isinstance(value, list) else []
        texts = tuple(item for item in items if isinstance(item, str))
        if not texts or len(texts) != len(items):
            raise self.wrong(key, f"expected a list of texts, not {value!r}")
        return texts

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of several texts."""
        if key not in self.values and default is not None:
            return default
        value = self._get(key, ", ".join(choices))
        if value not in choices:
            raise self.wrong(key, f"expected {', '.join(choices)}, not {value!r}")
        return cast("str", value)

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within bounds."""
        if key not in self.values and default is not None:
            return default
        expected = f"a number from {low:,g} to {high:,g}"
        value = self._get(key, expected)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"expected {expected}, not {value!r}")
        if not low <= value <= high:
            raise self.wrong(key, f"expected {expected}, not {value:,g}")
        return float(value)

    def flag(self, key: str) -> bool:
        """true or false."""
        value = self._get(key, "true or false")
        if not isinstance(value, bool):
            raise self.wrong(key, f"expected true or false, not {value!r}")
        return value

    def pin(self, key: str) -> str:
        """The name of a pin, as the constraint file has it."""
        value = self._get(key, 'a pin such as "35" or "G2"')
        if not isinstance(value, str) or _PIN.fullmatch(value) is None:
            raise self.wrong(key, f'expected a pin such as "35" or "G2", not {value!r}')
        return value

    def pin_or_none(self, key: str) -> str | None:
        """The same, or `None` where the key is missing."""
        return self.pin(key) if key in self.values else None

    def table(self, key: str) -> Table | None:
        """A table within this one, or `None` where the key is missing."""
        if key not in self.values:
            return None
        value = self._get(key, "a table")
        if not isinstance(value, dict):
            raise self.wrong(key, f"expected a table, not {value!r}")
        return Table(self.source, f"{self.prefix}{key}.", cast("dict[str, Any]", value))

    def required(self, key: str) -> Table:
        """The same, where the table must be there."""
        found = self.table(key)
        if found is None:
            raise self.wrong(key, f"missing; expected a table [{self.prefix}{key}]")
        return found

    def names(self) -> list[str]:
        """All keys, which must be names in lower case."""
        for key in self.values:
            if _NAME.fullmatch(key) is None:
                raise self.wrong(key, "expected a name of letters in lower case, digits and _")
        return list(self.values)

    def finish(self) -> None:
        """Refuse keys that nothing has asked for: they are misspelt."""
        if self._left:
            raise self.wrong(min(self._left), "there is no such key")
