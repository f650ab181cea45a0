"""`python -m proofs`: proves what is listed in the table that it prints."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from irc.errors import IrcError
from proofs.catalogue import all_theorems
from proofs.table import Table, status
from proofs.theorem import BOUNDED, OPEN, PROVEN, REFUTED, Result, Theorem, attempt

EPILOG = """\
A theorem that is `proven` holds for every input and, for circuits, at every time. `bounded` holds
for so many cycles behind a reset as the table says; it is no proof. `open` was not decided, for
want of time or of a tool. For each theorem, wrong versions of it are tried: how many were refuted,
the table says; if one is proven, or not decided, the theorem doesn't count as proven.

Each result is printed when it is there, and the files are written anew with each: an interrupted
run loses only the theorem at which it was, and --since goes on from its JSON. Results belong to the
sources they were found with: use --since within one version of them.

examples:
  python -m proofs                          everything, within 60 s each
  python -m proofs --only 'rule/*'          the streamlining rules alone
  python -m proofs --quick --json out.json  what the tests prove too, also for machines
  python -m proofs --since out.json --json out.json --only 'stream/*'
                                            what is missing in out.json, of one family
  python -m proofs --since out.json --retry --timeout 600 --markdown table.md
                                            all that is not proven there, with more time
  python -m proofs --since out.json --table-only --markdown table.md
                                            the table of what there is
"""

STYLES = {PROVEN: "green", BOUNDED: "cyan", OPEN: "yellow", REFUTED: "bold red"}

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where something was refuted, 2 for wrong usage, 130 if it was interrupted."""
    options = _parser().parse_args(arguments)
    theorems = all_theorems()
    table = Table(theorems)
    try:
        for path in options.since:
            table.read(path)
        chosen = _chosen(theorems, options, table)
        if options.list:
            for theorem in chosen:
                print(f"{theorem.full_name}: {theorem.claim}")
            return 0
        return _run([] if options.table_only else chosen, options, table)
    except IrcError as error:
        print(f"python -m proofs: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m proofs",
        description="Prove what the compiler rests on, and print what is proven to what bound.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="PATTERN", action="append", help="FAMILY/NAME, with *")
    parser.add_argument("--quick", action="store_true", help="those that the tests prove too")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=60.0, help="for each")
    parser.add_argument(
        "--since",
        metavar="JSON",
        type=Path,
        action="append",
        default=[],
        help="take over the results of earlier runs, and try only what they have not",
    )
    parser.add_argument(
        "--retry", action="store_true", help="with --since: try again what was open or bounded"
    )
    parser.add_argument(
        "--table-only", action="store_true", help="with --since: try nothing, write the table"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table for machines")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="and for documents")
    parser.add_argument("--list", action="store_true", help="name the theorems and stop")
    return parser


def _chosen(
    theorems: Sequence[Theorem], options: argparse.Namespace, table: Table
) -> list[Theorem]:
    """What is to be tried; raises `IrcError` if no theorem has such a name."""
    patterns = options.only or ["*"]
    named = [
        theorem
        for theorem in theorems
        if (not options.quick or theorem.is_quick)
        and any(fnmatch.fnmatch(theorem.full_name, pattern) for pattern in patterns)
    ]
    if not named:
        raise IrcError("no theorem has such a name; --list shows them all")
    again = {OPEN, BOUNDED} if options.retry else set[str]()
    known = [table.result_of(theorem) for theorem in named]
    return [
        theorem
        for theorem, result in zip(named, known, strict=True)
        if result is None or result.outcome.status in again
    ]


def _run(theorems: Sequence[Theorem], options: argparse.Namespace, table: Table) -> int:
    out = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    progress = Console(stderr=True, highlight=False)
    # Files that cannot be written are found out before anything is proven.
    table.write(options.json, options.markdown)
    exit_status = 0
    try:
        for index, theorem in enumerate(theorems, 1):
            progress.print(f"{index} of {len(theorems)}: {theorem.full_name}", style="dim")
            result = attempt(theorem, options.timeout)
            table.add(result)
            table.write(options.json, options.markdown)
            _print(out, result)
    except KeyboardInterrupt:
        progress.print("interrupted; what was found until now stands", style="yellow")
        exit_status = INTERRUPTED
    totals = ", ".join(f"{count} {name}" for name, count in table.totals().items())
    seconds = sum(result.seconds for result in table.results)
    out.print(f"{totals}; {seconds:.0f} s")
    if any(result.outcome.status == REFUTED for result in table.results):
        return 1
    return exit_status


def _print(out: Console, result: Result) -> None:
    style = STYLES[result.outcome.status]
    theorem = result.theorem
    out.print(
        f"{theorem.full_name} ({theorem.bound}): [{style}]{escape(status(result))}[/]; "
        f"{result.outcome.wrong} wrong refuted, {result.seconds:.1f} s",
        soft_wrap=True,
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
