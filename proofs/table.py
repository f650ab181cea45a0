"""The table of what is proven, of one run or several: for machines and for documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from irc.backends.output import write_files
from irc.errors import UsageError
from proofs.theorem import BOUNDED, OPEN, PROVEN, REFUTED, Outcome, Result, Theorem

STATUSES = (PROVEN, BOUNDED, OPEN, REFUTED)

NOT_RUN = "not run"


class Table:
    """Results by theorem, in the order of the catalogue; `totals` also counts what has none."""

    def __init__(self, theorems: Sequence[Theorem]) -> None:
        self.theorems = theorems
        self._results: dict[str, Result] = {}

    @property
    def results(self) -> list[Result]:
        """What there is, in the order of the catalogue."""
        names = [theorem.full_name for theorem in self.theorems]
        return [self._results[name] for name in names if name in self._results]

    def result_of(self, theorem: Theorem) -> Result | None:
        """What came of a theorem, if it was tried."""
        return self._results.get(theorem.full_name)

    def add(self, result: Result) -> None:
        """Take a result; one that was not decided does not replace a bound."""
        name = result.theorem.full_name
        old = self._results.get(name)
        if old is None or old.outcome.status != BOUNDED or result.outcome.status != OPEN:
            self._results[name] = result

    def read(self, path: Path) -> None:
        """Take the results of an earlier run from its JSON.

        A theorem that is no longer in the catalogue, or says something else or of other shapes, is
        left out. Raises `UsageError` for a file that is not such a table.
        """
        by_name = {theorem.full_name: theorem for theorem in self.theorems}
        try:
            for record in json.loads(path.read_text("utf-8")):
                theorem = by_name.get(record["theorem"])
                said = record["claim"], record["for"]
                outcome = Outcome(record["status"], record["detail"], int(record["wrong"]))
                if outcome.status not in STATUSES:
                    raise ValueError(outcome.status)
                if theorem is not None and said == (theorem.claim, theorem.bound):
                    self.add(Result(theorem, outcome, float(record["seconds"])))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: no table that --json wrote") from error

    def write(self, as_json: Path | None, as_markdown: Path | None) -> None:
        """Write what there is so far, each file whole or not at all."""
        contents: dict[Path, bytes] = {}
        if as_json is not None:
            records = [_record(result) for result in self.results]
            contents[as_json] = (json.dumps(records, indent=1) + "\n").encode()
        if as_markdown is not None:
            contents[as_markdown] = self.markdown().encode()
        write_files(contents)

    def totals(self, family: str | None = None) -> dict[str, int]:
        """How many theorems, of one family or all, have which status; `not run` the rest."""
        counts: dict[str, int] = dict.fromkeys((*STATUSES, NOT_RUN), 0)
        for theorem in self.theorems:
            if family is None or theorem.family == family:
                result = self.result_of(theorem)
                counts[NOT_RUN if result is None else result.outcome.status] += 1
        return counts

    def markdown(self) -> str:
        """A line for each result, and the totals of the families."""
        lines = ["| theorem | for | result | wrong refuted | s |", "|---|---|---|---|---|"]
        for result in self.results:
            cells = [result.theorem.full_name, result.theorem.bound, status(result)]
            lines.append(_line([*cells, result.outcome.wrong, f"{result.seconds:.1f}"]))
        lines += ["", _line(["family", *STATUSES, NOT_RUN]), "|---" * (len(STATUSES) + 2) + "|"]
        for family in dict.fromkeys(theorem.family for theorem in self.theorems):
            lines.append(_line([family, *self.totals(family).values()]))
        lines.append(_line(["**all**", *self.totals().values()]))
        return "\n".join(lines) + "\n"


def status(result: Result) -> str:
    """The status with its reason."""
    found = result.outcome.status
    return f"{found}: {result.outcome.detail}" if result.outcome.detail else found


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _record(result: Result) -> dict[str, object]:
    theorem, outcome = result.theorem, result.outcome
    return {
        "theorem": theorem.full_name,
        "claim": theorem.claim,
        "for": theorem.bound,
        "status": outcome.status,
        "detail": outcome.detail,
        "wrong": outcome.wrong,
        "seconds": round(result.seconds, 2),
    }
