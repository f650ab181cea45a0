"""Whether a command ended cleanly: with an answer, or with an error that says what is wrong."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from irc.fuzz.sandbox import Outcome

CLEAN_STATUS = (0, 1, 2)

MAX_DETAIL = 300
"""Characters of a verdict's one line."""

_INTERNAL = re.compile(r"internal error: (?P<what>.*?) \((?P<place>[^()\s]+:\d+)\)", re.DOTALL)
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_RAISED = re.compile(r"^(?P<what>\w[\w.]*(?:Error|Exception|Interrupt|Warning)\b.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Fall:
    """What was wrong with how a command ended; falls with one `signature` are one fault."""

    kind: str
    detail: str
    place: str = ""

    @property
    def signature(self) -> tuple[str, str]:
        """Kind and place; where no place is known, what was said without its numbers."""
        return self.kind, self.place or re.sub(r"[\d'\"].*", "", self.detail)

    def __str__(self) -> str:
        at = f" at {self.place}" if self.place else ""
        return f"{self.kind}{at}: {self.detail[:MAX_DETAIL]}"


def judge(outcome: Outcome, must_succeed: bool = False) -> Fall | None:
    """`None` for a clean answer, or for a clean error unless the command must succeed."""
    text = outcome.output
    if outcome.timed_out:
        return Fall("hang", f"no end after {outcome.seconds:.0f} s", _innermost(text, first=True))
    if outcome.status < 0:
        name = signal.Signals(-outcome.status).name
        return Fall("crash", f"ended by {name}", _innermost(text, first=True))
    if found := _INTERNAL.search(text):
        return Fall("internal error", _line(found["what"]), _inside(found["place"]))
    if "Traceback (most recent call last)" in text:
        raised = _RAISED.findall(text)
        return Fall("traceback", _line(raised[-1] if raised else text), _innermost(text))
    if "not enough memory" in text or "bad_alloc" in text:
        return Fall("memory", _line(text))
    if outcome.status not in CLEAN_STATUS:
        return Fall("status", f"exit status {outcome.status}: {_line(text)}")
    if outcome.status != 0 and not text.strip():
        return Fall("silence", f"exit status {outcome.status} without a word")
    if outcome.status != 0 and outcome.left:
        return Fall("leftovers", f"failed and left {', '.join(outcome.left)}")
    if outcome.status != 0 and must_succeed:
        return Fall("disagreement", _line(text))
    return None


def _line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[0][:MAX_DETAIL] if lines else ""


def _innermost(text: str, first: bool = False) -> str:
    """The innermost place in this package that a traceback names; `first` where it comes first."""
    places = [f"{file}:{line}" for file, line in _FRAME.findall(text)]
    own = [_inside(place) for place in places if "/irc/" in place and "site-packages" not in place]
    return (own[0] if first else own[-1]) if own else ""


def _inside(place: str) -> str:
    """The same without the folders above the package."""
    head, slash, tail = place.rpartition("/irc/")
    return f"irc/{tail}" if slash and head else place
