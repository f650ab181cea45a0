"""What a theorem is, and what comes of proving it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

PROVEN, BOUNDED, OPEN, REFUTED = "proven", "bounded", "open", "refuted"

OF_ANSWER: dict[bool | None, str] = {True: PROVEN, False: REFUTED, None: OPEN}
"""The status of a claim by a solver's answer whether it always holds, None if it gave none."""


@dataclass(frozen=True)
class Outcome:
    """What comes of an attempt.

    `proven` holds without a bound on time; `bounded` for so many cycles from reset only, as the
    detail says; `open` means that the time was not enough, or a tool is missing; `refuted` that
    there is a counterexample, or that the claim says nothing. `wrong` says how many wrong versions
    of the claim were refuted.
    """

    status: str
    detail: str = ""
    wrong: int = 0


@dataclass(frozen=True)
class Theorem:
    """A claim: of which family, what it says, for which shapes or values, and its proof."""

    family: str
    name: str
    claim: str
    bound: str
    prove: Callable[[float], Outcome]
    is_quick: bool = False
    """Whether it is one of those that the tests prove too."""

    @property
    def full_name(self) -> str:
        """The family and the name."""
        return f"{self.family}/{self.name}"


@dataclass(frozen=True)
class Result:
    """A theorem, and what came of it in how many seconds."""

    theorem: Theorem
    outcome: Outcome
    seconds: float


def attempt(theorem: Theorem, limit: float) -> Result:
    """Prove one theorem, in `limit` seconds if it can be."""
    begin = time.monotonic()
    outcome = theorem.prove(limit)
    return Result(theorem, outcome, time.monotonic() - begin)


def with_wrong_versions(found: Outcome, versions: Iterable[tuple[str, str]]) -> Outcome:
    """What was found, if every wrong version of the claim, named and with its status, is refuted.

    A wrong version that is proven shows that the claim says nothing. One that is not decided shows
    neither, and leaves the theorem open. Versions are asked for one by one, up to such a one.
    """
    wrong = 0
    for name, status in versions:
        if status == PROVEN:
            return Outcome(REFUTED, f"{name} is proven too, so that the claim says nothing", wrong)
        if status != REFUTED:
            before = f"the claim is {found.status}, but " if found.status != OPEN else ""
            return Outcome(OPEN, f"{before}{name} was not decided", wrong)
        wrong += 1
    return replace(found, wrong=wrong)


def combined(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of claims that are one theorem together."""
    found = list(outcomes)
    wrong = sum(outcome.wrong for outcome in found)
    for status in (REFUTED, OPEN, BOUNDED):
        for outcome in found:
            if outcome.status == status:
                return Outcome(status, outcome.detail, wrong)
    return Outcome(PROVEN, found[0].detail if found else "", wrong)
