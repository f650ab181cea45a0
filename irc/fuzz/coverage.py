"""Coverage-guided fuzzing: atheris chooses the decisions behind the damage by what code they reach.

Its bytes are not the files. They are the choices of the mutations, so that structure is kept, and
the same damage, readers and limits hold as without it. The process that atheris runs in is given
up with the first file that takes it down; another goes on from the corpus that it has written.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from irc.errors import UsageError
from irc.fuzz import limits as resource_limits
from irc.fuzz.campaign import Campaign, Observe, Settings, Summary
from irc.fuzz.corpus import Corpus
from irc.fuzz.job import Job, Tool
from irc.fuzz.limits import Limits
from irc.fuzz.readers import reader_job
from irc.fuzz.sandbox import STRANDED, Outcome, fork, run_job
from irc.fuzz.verdict import judge

T = TypeVar("T")

PACKAGES = ("irc.frontend", "irc.parsing", "irc.dialects", "irc.passes.lift", "irc.interp")
"""What is watched: what reads, and what first works on what was read."""


class ByteChoices:
    """Decisions from bytes; where they run out, the simplest."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, from as many bytes as it takes."""
        count = max(1, ((high - low).bit_length() + 7) // 8)
        taken = self._data[self._at : self._at + count]
        self._at += count
        return low + int.from_bytes(taken, "little") % (high - low + 1)


class Guided(Campaign):
    """A campaign whose decisions atheris makes."""

    def run(self) -> Summary:
        """Run until time is up; raises `UsageError` without atheris."""
        if find_spec("atheris") is None:
            raise UsageError("--coverage: atheris is not installed: pip install 'irc-bnn[fuzz]'")
        if not self.settings.readers:
            raise UsageError("--coverage: it damages files: give --readers")
        corpus = self._corpus(0)
        folder = Path(tempfile.mkdtemp(prefix="irc-fuzz-"))
        try:
            for place in ("seeds", "fallen", "work", "tmp"):
                (folder / place).mkdir()
            while not self._is_over(0):
                self._round(corpus, folder)
                self._read_fallen(corpus, folder / "fallen")
                self._tick()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return self.summary

    def _left(self) -> int:
        assert self.settings.seconds is not None
        return max(1, int(self._started + self.settings.seconds - time.monotonic()))

    def _round(self, corpus: Corpus, folder: Path) -> None:
        """One process of atheris, until time is up or a file takes it down."""
        counter = folder / "count"
        pid = fork(
            lambda: _fuzz(corpus, self.settings, self._tools, folder, counter, self._left()),
            folder / "work",
            folder / "log",
            None,
        )
        try:
            until = time.monotonic() + self._left() + 5
            while os.waitpid(pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
                self._tick()
                time.sleep(0.2)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        if counter.exists():
            self.summary.cases["guided"] += counter.stat().st_size
            counter.unlink()

    def _read_fallen(self, corpus: Corpus, folder: Path) -> None:
        """Run what fell, or took atheris down, again: in a process of its own, within limits."""
        for path in sorted(folder.iterdir()):
            job = reader_job(ByteChoices(path.read_bytes()), corpus, self.settings.readers)
            path.unlink()
            self._look_at(job, run_job(job, self._tools, self.settings.limits), 0)


def guided(
    settings: Settings, tools: Mapping[str, Tool], observe: Observe
) -> tuple[Summary, KeyboardInterrupt | None]:
    """A coverage-guided campaign, and the interrupt that ended it, if one did."""
    if settings.seconds is None:
        raise UsageError("--coverage: give --seconds; which cases come next is not known before")
    campaign = Guided(settings, tools, observe)
    try:
        return campaign.run(), None
    except KeyboardInterrupt as interrupt:
        return campaign.summary, interrupt


def _fuzz(
    corpus: Corpus,
    settings: Settings,
    tools: Mapping[str, Tool],
    folder: Path,
    counter: Path,
    seconds: int,
) -> int:
    """Let atheris call the commands in this process, which ends with it."""
    atheris: Any = import_module("atheris")
    for name in [name for name in sys.modules if name.startswith(PACKAGES)]:
        module = sys.modules[name]
        for attribute in list(vars(module)):
            value = vars(module)[attribute]
            if getattr(value, "__module__", None) == name and callable(value):
                _instrument(atheris, module, attribute, value)

    seen: set[tuple[str, str]] = set()

    def one(data: bytes) -> None:
        job = reader_job(ByteChoices(data), corpus, settings.readers)
        outcome = _in_process(job, tools, folder / "work")
        with counter.open("ab") as file:
            file.write(b".")
        fall = judge(outcome, job.must_succeed)
        if fall is not None and fall.signature not in seen:
            seen.add(fall.signature)
            (folder / "fallen" / job.stem).write_bytes(data)

    limits: Limits = replace(settings.limits, seconds=10 * seconds + 60)
    resource_limits.apply(limits)
    arguments = [
        "irc-fuzz",
        f"-max_total_time={seconds}",
        f"-timeout={int(settings.limits.seconds)}",
        "-rss_limit_mb=0",
        f"-seed={settings.seed + 1}",
        "-max_len=256",
        "-len_control=0",
        f"-artifact_prefix={folder / 'fallen'}{os.sep}",
        str(folder / "seeds"),
    ]
    atheris.Setup(arguments, one)
    atheris.Fuzz()
    return 0


def _instrument(atheris: Any, module: Any, attribute: str, value: Any) -> None:
    """Watch a function of a module; what atheris cannot watch stays as it is."""
    if type(value).__name__ != "function":
        return
    try:
        setattr(module, attribute, atheris.instrument_func(value))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return


def _in_process(job: Job, tools: Mapping[str, Tool], work: Path) -> Outcome:
    """Run a job here and now: what it does to the process, later ones see."""
    out = StringIO()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    os.chdir(work)
    job.write(work)
    started = time.monotonic()
    with redirect_stdout(out), redirect_stderr(out):
        try:
            status = tools[job.tool](list(job.arguments))
        except Exception:
            traceback.print_exc()
            status = STRANDED
    return Outcome(status, out.getvalue(), time.monotonic() - started)
