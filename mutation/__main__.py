"""`python -m mutation`: the score of the tests, by topic and module, and what they don't notice."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mutation.mutants import Mutant, mutants_of
from mutation.runner import SURVIVED, Tests, replace_function, source_of, with_tests
from mutation.targets import TARGETS, Target

EQUIVALENT = Path(__file__).with_name("equivalent.toml")

EPILOG = """\
A mutant is killed where a test fails, or where the tests take far longer than without the mistake.
Those that no test can kill, since they mean the same, are in equivalent.toml, each with a reason;
they are counted apart.

examples:
  python -m mutation                           all of it, which takes long
  python -m mutation --only '*pad*' --list     the mutants of some modules
"""

WANTED = 0.95

_STDERR = os.dup(2)

_LONGEST = 600.0
"""Seconds that the tests of a target may take without a mistake."""

_SLACK, _FACTOR = 20.0, 4.0
"""Tests may take so many seconds, and so many times, longer than without a mistake."""


@dataclass(frozen=True)
class Score:
    """What became of the mutants of a target."""

    target: Target
    killed: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    equivalent: int
    seconds: float

    @property
    def total(self) -> int:
        """Mutants that a test could kill."""
        return len(self.killed) + len(self.survivors)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where less than 95 % are killed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        "python -m mutation",
        description="Put small mistakes into what matters most, and see whether tests notice.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="PATTERN", default="*", help="modules, with *")
    parser.add_argument("--since", metavar="JSON", type=Path, help="not those killed in that run")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the scores for machines")
    parser.add_argument("--list", action="store_true", help="name the mutants and stop")
    options = parser.parse_args(arguments)
    targets = [target for target in TARGETS if fnmatch.fnmatch(target.module, options.only)]
    if not targets:
        parser.error(f"no module {options.only}; there are {', '.join(t.module for t in TARGETS)}")
    killed = set[str]() if options.since is None else _killed_in(options.since)
    if options.list:
        for target in targets:
            for mutant in _mutants(target):
                print(mutant.key)
        return 0
    scores = [_score(target, killed) for target in targets]
    _print(scores)
    if options.json is not None:
        options.json.write_text(json.dumps([_record(s) for s in scores], indent=1) + "\n", "utf-8")
    return 0 if _share(scores) >= WANTED else 1


def equivalent_mutants() -> dict[str, str]:
    """The keys of mutants that mean the same as what they were made of, and why."""
    with EQUIVALENT.open("rb") as file:
        entries = tomllib.load(file).get("mutant", [])
    return {entry["key"]: entry["reason"] for entry in entries}


def _mutants(target: Target) -> list[Mutant]:
    source = source_of(target.module).read_text("utf-8")
    return mutants_of(target.module, source, target.functions)


def _killed_in(path: Path) -> set[str]:
    """The keys of what was killed in an earlier run: tests that only grew would kill it again."""
    return {key for record in json.loads(path.read_text("utf-8")) for key in record["killed"]}


def _score(target: Target, killed_before: set[str]) -> Score:
    scores: list[Score] = []
    with_tests(target.tests, lambda tests: scores.append(_score_with(tests, target, killed_before)))
    return scores[0]


def _score_with(tests: Tests, target: Target, killed_before: set[str]) -> Score:
    known = equivalent_mutants()
    mutants = _mutants(target)
    begin = time.monotonic()
    if tests.run(_LONGEST) != SURVIVED:
        raise SystemExit(f"the tests of {target.module} fail without any mistake")
    seconds = time.monotonic() - begin
    _log(f"{target.module}: {len(mutants)} mutants, {seconds:.1f} s of tests each")
    equivalent, killed, survivors = 0, list[Mutant](), list[Mutant]()
    begin = time.monotonic()
    for number, mutant in enumerate(mutants, 1):
        if mutant.key in known:
            equivalent += 1
            continue
        if mutant.key in killed_before:
            killed.append(mutant)
            continue
        change = partial(replace_function, target.module, mutant.function, mutant.tree)
        if tests.run(_SLACK + _FACTOR * seconds, change) != SURVIVED:
            killed.append(mutant)
            continue
        survivors.append(mutant)
        _log(f"{number}/{len(mutants)} line {mutant.line} {mutant.key}")
    whole = time.monotonic() - begin
    return Score(target, tuple(killed), tuple(survivors), equivalent, whole)


def _log(text: str) -> None:
    """To where stderr was before pytest ran."""
    os.write(_STDERR, f"{text}\n".encode())


def _share(scores: Sequence[Score]) -> float:
    return sum(len(score.killed) for score in scores) / max(1, sum(score.total for score in scores))


def _print(scores: Sequence[Score]) -> None:
    table = Table("topic", "module", "mutants", "killed", "score", "equivalent", "seconds")
    for score in scores:
        share = f"{len(score.killed) / max(1, score.total):.1%}"
        row = [score.target.topic, score.target.module, str(score.total)]
        table.add_row(
            *row, str(len(score.killed)), share, str(score.equivalent), f"{score.seconds:.0f}"
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for score in scores:
        for mutant in score.survivors:
            console.print(f"survived: line {mutant.line} {mutant.key}", markup=False)
    total, killed = sum(s.total for s in scores), sum(len(s.killed) for s in scores)
    equivalent = sum(s.equivalent for s in scores)
    console.print(
        f"{killed} of {total} mutants killed: {_share(scores):.1%}; {equivalent} are equivalent"
    )


def _record(score: Score) -> dict[str, object]:
    return {
        "topic": score.target.topic,
        "module": score.target.module,
        "mutants": score.total,
        "killed": [mutant.key for mutant in score.killed],
        "equivalent": score.equivalent,
        "survivors": [mutant.key for mutant in score.survivors],
    }


if __name__ == "__main__":
    sys.exit(main())
