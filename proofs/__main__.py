"""`python -m proofs`: proves what is listed in the table that it prints."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from proofs.catalogue import all_theorems
from proofs.theorem import BOUNDED, OPEN, PROVEN, REFUTED, Result, Theorem, attempt

EPILOG = """\
A theorem that is `proven` holds for every input and, for circuits, at every time. `bounded` holds
for so many cycles behind a reset as the table says; it is no proof. `open` was not decided in time.
For each theorem, wrong versions of it were refuted: how many, the table says.

examples:
  python -m proofs                          everything, within 60 s each
  python -m proofs --only 'rule/*'          the rewrite rules alone
  python -m proofs --quick --json out.json  what the tests prove too, also for machines
"""

STYLES = {PROVEN: "green", BOUNDED: "cyan", OPEN: "yellow", REFUTED: "bold red"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where something was refuted, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        "python -m proofs",
        description="Prove what the compiler rests on, and print what is proven to what bound.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="PATTERN", action="append", help="FAMILY/NAME, with *")
    parser.add_argument("--quick", action="store_true", help="those that the tests prove too")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=60.0, help="for each")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table for machines")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="and for documents")
    parser.add_argument("--list", action="store_true", help="name the theorems and stop")
    options = parser.parse_args(arguments)
    chosen = [
        theorem
        for theorem in all_theorems()
        if (not options.quick or theorem.is_quick)
        and any(fnmatch.fnmatch(theorem.full_name, pattern) for pattern in options.only or ["*"])
    ]
    if not chosen:
        parser.error("no theorem has such a name; --list shows them all")
    if options.list:
        for theorem in chosen:
            print(f"{theorem.full_name}: {theorem.claim}")
        return 0
    results = _attempt_all(chosen, options.timeout)
    _print(results)
    if options.json is not None:
        options.json.write_text(json.dumps([_record(r) for r in results], indent=1) + "\n", "utf-8")
    if options.markdown is not None:
        options.markdown.write_text(_markdown(results), "utf-8")
    return 1 if any(result.outcome.status == REFUTED for result in results) else 0


def _attempt_all(theorems: Sequence[Theorem], limit: float) -> list[Result]:
    console = Console(stderr=True)
    results: list[Result] = []
    with console.status("") as status:
        for theorem in theorems:
            status.update(theorem.full_name)
            results.append(attempt(theorem, limit))
    return results


def _status(result: Result) -> str:
    found = result.outcome.status
    return f"{found}: {result.outcome.detail}" if result.outcome.detail else found


def _print(results: Sequence[Result]) -> None:
    table = Table("theorem", "for", "result", "wrong refuted", "seconds")
    for result in results:
        style = STYLES[result.outcome.status]
        table.add_row(
            result.theorem.full_name,
            result.theorem.bound,
            f"[{style}]{_status(result)}[/]",
            str(result.outcome.wrong),
            f"{result.seconds:.1f}",
        )
    wide = Console(width=None if sys.stdout.isatty() else 150)
    wide.print(table)
    counts = dict.fromkeys(STYLES, 0)
    for result in results:
        counts[result.outcome.status] += 1
    seconds = sum(result.seconds for result in results)
    wide.print(", ".join(f"{n} {status}" for status, n in counts.items()) + f"; {seconds:.0f} s")


def _record(result: Result) -> dict[str, object]:
    theorem = result.theorem
    return {
        "theorem": theorem.full_name,
        "claim": theorem.claim,
        "for": theorem.bound,
        **asdict(result.outcome),
        "seconds": round(result.seconds, 2),
    }


def _markdown(results: Sequence[Result]) -> str:
    lines = ["| theorem | for | result | wrong refuted | s |", "|---|---|---|---|---|"]
    for result in results:
        cells = [result.theorem.full_name, result.theorem.bound, _status(result)]
        cells += [str(result.outcome.wrong), f"{result.seconds:.1f}"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
