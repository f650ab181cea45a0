"""`irc manifest`: whether a folder is as irc wrote it, and what it was made from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from irc.tools.arguments import add_json

if TYPE_CHECKING:
    from rich.table import Table

    from irc.flow.manifest_check import ManifestReport

DESCRIPTION = """\
Hold a folder that irc wrote against its manifest: every file's hash, and what it was made from.
Exits with 1 where a file has changed or is gone, or where a FILE that is given is none that the
folder was made from. Files that came later are listed, and do no harm.

  irc manifest net-verilog
  irc manifest net-verilog net.onnx folding.txt            were they made into this?
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "manifest",
        help="check the hashes of a folder that irc wrote, and say what it was made from",
        description=DESCRIPTION,
    )
    parser.add_argument("folder", metavar="DIR", help="the folder, with its manifest.json")
    parser.add_argument("files", nargs="*", metavar="FILE", help="models, data, folding files")
    add_json(parser)
    parser.set_defaults(run=run, model=None)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from dataclasses import asdict
    from pathlib import Path

    from irc.flow.manifest_check import check_manifest
    from irc.tools.tables import check_writable, show, write_json

    check_writable(options.json)
    report = check_manifest(Path(options.folder), [Path(name) for name in options.files])
    show(*manifest_lines(report), json=options.json)
    write_json(options.json, {**asdict(report), "intact": report.is_intact})
    return 0 if report.is_intact else 1


def manifest_lines(report: ManifestReport) -> list[Table | str]:
    """What is said of a folder: what it was made from, then what is otherwise."""
    from rich.table import Table

    parts: list[Table | str] = []
    if report.made_from:
        table = Table("made from", "as", "bytes", "SHA-256", title_justify="left")
        for entry in report.made_from:
            cells = (entry.get(key, "") for key in ("file", "role", "bytes", "sha256"))
            table.add_row(*(str(cell) for cell in cells))
        parts.append(table)
    words = [f"{name} {version}" for name, version in report.versions.items()]
    parts.append(f"made by {', '.join(words) or report.generator}")
    parts += [f"changed: {name}" for name in report.changed]
    parts += [f"missing: {name}" for name in report.missing]
    parts += [f"added: {name}" for name in report.added]
    for name, role in report.inputs.items():
        said = "this folder was not made from it" if role == "other" else f"its {role}"
        parts.append(f"{name}: {said}")
    for name, (then, now) in report.others.items():
        parts.append(f"{name} is {now} here, and was {then}: the same input may give other files")
    intact = report.files - len(report.changed) - len(report.missing)
    parts.append(f"{intact} of {report.files} files are as irc wrote them")
    return parts
