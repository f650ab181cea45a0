"""`irc fuzz`: random networks through every level, damaged files through their readers."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from irc.tools.arguments import add_json, natural, positive

if TYPE_CHECKING:
    from irc.fuzz.campaign import Settings, Summary

LEVELS = ("onnx", "bnn", "dataflow", "packed", "c", "rtl")
READERS = ("onnx", "mlir", "data", "fold", "board")
NONE = "none"

DEFAULT_SECONDS = 60
INTERRUPTED = 130

DESCRIPTION = """\
Look for faults in irc itself, in two ways at once:

  levels   random valid networks run at every level, which must all give the same
  readers  valid models, IR texts, data, folding and board files are damaged, and read: nothing
           may come of them but a clean answer or a clean error, within limits of time and memory

Each fault is written to a folder of its own, made small, with the command that shows it again.
Exits with 1 if there is any. The same seed gives the same cases; Ctrl-C keeps what was found.
Further arguments, .onnx and .mlir, are files to damage beside random ones.

  irc fuzz --seconds 600
  irc fuzz --seconds 600 --levels none --readers onnx net.onnx
  irc fuzz --seconds 600 --readers none --levels onnx,bnn,packed,c --seed 7
  irc fuzz --coverage --readers mlir --seconds 3600            coverage-guided; needs atheris
  irc fuzz --replay fuzz-findings                              run all findings again
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "fuzz",
        help="look for faults in irc itself, with random networks and damaged files",
        description=DESCRIPTION,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to damage too")
    parser.add_argument(
        "--seconds",
        type=positive,
        metavar="N",
        help=f"how long (default: {DEFAULT_SECONDS}, unless --cases is given)",
    )
    parser.add_argument("--cases", type=positive, metavar="N", help="end after so many cases")
    parser.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="which cases (default: %(default)s)"
    )
    parser.add_argument(
        "--levels",
        default=",".join(LEVELS),
        metavar="LIST",
        help="levels of random networks, or none (default: %(default)s)",
    )
    parser.add_argument(
        "--readers",
        default=",".join(READERS),
        metavar="LIST",
        help="kinds of files to damage, or none (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="fuzz-findings",
        metavar="DIR",
        help="where findings go, each into a folder of its own (default: %(default)s)",
    )
    parser.add_argument(
        "--time-limit",
        type=positive,
        default=20,
        metavar="N",
        help="seconds of processor time after which a command hangs (default: %(default)s)",
    )
    parser.add_argument(
        "--memory-limit",
        type=positive,
        default=2048,
        metavar="MIB",
        help="what a command may allocate beside what irc takes by itself (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs", type=positive, default=1, metavar="N", help="commands at once (default: 1)"
    )
    parser.add_argument(
        "--no-minimize", action="store_true", help="keep files as they were when they fell"
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="let atheris choose the damage by what code it reaches (pip install irc-bnn[fuzz])",
    )
    parser.add_argument(
        "--replay", metavar="DIR", help="run a finding, or all in a folder, again; nothing else"
    )
    add_json(parser)
    parser.set_defaults(run=run, model=None)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from irc.errors import UsageError
    from irc.tools.tables import check_writable, show, write_json

    if sys.platform == "win32":
        raise UsageError("irc fuzz needs processes that fork: Linux or macOS")
    check_writable(options.json)
    if options.replay is not None:
        return _replay(options)
    settings = settings_of(options)
    progress = _Progress(settings)
    summary, interrupted = _run(settings, options.coverage, progress)
    progress.close()
    show(*_lines(summary), json=options.json)
    write_json(options.json, summary.as_dict())
    if interrupted is not None:
        raise interrupted
    return 1 if summary.findings else 0


def _run(
    settings: Settings, coverage: bool, progress: Callable[[Summary], None]
) -> tuple[Summary, KeyboardInterrupt | None]:
    from irc.fuzz.campaign import Campaign, load_everything
    from irc.fuzz.differential import check_simulator

    check_simulator(settings.levels)
    load_everything()
    if coverage:
        from irc.fuzz.coverage import guided

        return guided(settings, tools(), progress)
    campaign = Campaign(settings, tools(), progress)
    try:
        return campaign.run(), None
    except KeyboardInterrupt as interrupt:
        return campaign.summary, interrupt


def tools() -> dict[str, Callable[..., int]]:
    """The commands that are run, loaded, as functions of their arguments."""
    from irc.tools import irc, irc_opt, opt_driver

    assert opt_driver
    return {"irc": irc.main, "irc-opt": irc_opt.main}


def settings_of(options: argparse.Namespace) -> Settings:
    """What the command line asks for; raises `UsageError` for what it cannot."""
    from pathlib import Path

    from irc.errors import UsageError
    from irc.fuzz.campaign import Settings
    from irc.fuzz.limits import Limits

    levels = _listed(options.levels, LEVELS, "level")
    readers = _listed(options.readers, READERS, "reader")
    if not levels and not readers:
        raise UsageError("--levels none --readers none: nothing is left to do")
    if levels and levels[0] != "onnx":
        raise UsageError(f"--levels {options.levels}: level onnx is what the others are held to")
    seconds = options.seconds
    if seconds is None and options.cases is None:
        seconds = DEFAULT_SECONDS
    return Settings(
        Path(options.output),
        options.seed,
        seconds,
        options.cases,
        levels,
        readers,
        Limits(options.time_limit, options.memory_limit),
        # Commands run in folders of their own.
        tuple(Path(name).absolute() for name in options.files),
        options.jobs,
        not options.no_minimize,
    )


def _listed(text: str, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    from irc.errors import UsageError

    given = [name.strip() for name in text.split(",")]
    if given == [NONE]:
        return ()
    for name in given:
        if name not in known:
            raise UsageError(f"unknown {what} '{name}'; expected {', '.join(known)}, or {NONE}")
    return tuple(name for name in known if name in given)


def _replay(options: argparse.Namespace) -> int:
    from pathlib import Path

    from irc.fuzz.campaign import load_everything
    from irc.fuzz.findings import folders_in, replay
    from irc.fuzz.limits import Limits
    from irc.tools.tables import show, write_json

    folders = list(folders_in(Path(options.replay)))
    load_everything()
    limits = Limits(options.time_limit, options.memory_limit)
    results = [replay(folder, tools(), limits) for folder in folders]
    lines = [f"{each['folder']}: {each['fall'] or 'ends cleanly'}" for each in results]
    fallen = [each for each in results if each["fall"]]
    lines.append(f"{len(fallen)} of {len(results)} findings fall")
    show(*lines, json=options.json)
    write_json(options.json, results)
    return 1 if fallen else 0


def _lines(summary: Summary) -> list[str]:
    lines: list[str] = []
    for finding in summary.findings:
        at = f" at {finding.place}" if finding.place else ""
        lines += [f"{finding.kind}{at}: {finding.detail}", f"  {finding.command}"]
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(summary.cases.items()))
    count = len(summary.findings)
    lines.append(
        f"seed {summary.seed}: {sum(summary.cases.values()):,} cases ({counts or 'none'}) in "
        f"{summary.seconds:.0f} s: {count} finding{'' if count == 1 else 's'}"
    )
    return lines


class _Progress:
    """One line on stderr: rewritten on a terminal, a new one each minute elsewhere.

    It draws itself when it is told of something: a thread that did would not survive forks.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_terminal = bool(sys.stderr) and sys.stderr.isatty()
        self._pause = 0.2 if self._is_terminal else 60.0
        self._last = time.monotonic()

    def __call__(self, summary: Summary) -> None:
        now = time.monotonic()
        if now - self._last < self._pause:
            return
        self._last = now
        done = sum(summary.cases.values())
        goal = f" of {self._settings.seconds:.0f}" if self._settings.seconds is not None else ""
        found = f"{len(summary.findings)} findings"
        text = f"fuzz: {done:,} cases, {found}, {summary.seconds:.0f}{goal} s"
        if self._is_terminal:
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
        elif sys.stderr:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clear the line."""
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
