"""The loop of `irc fuzz`: cases by number, each in a process of its own, findings made small.

A case follows from the seed and its number alone, however many run at once and however long they
take: the same seed gives the same cases in the same order.
"""

from __future__ import annotations

import os
import pickle
import pkgutil
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from irc.errors import IrcError
from irc.fuzz.corpus import Corpus, hash_of, make_corpus
from irc.fuzz.differential import READER, Examined, examine_seed, shrunk_job, valid_job
from irc.fuzz.findings import Finding, write_finding
from irc.fuzz.job import Job, Tool
from irc.fuzz.limits import Limits
from irc.fuzz.minimize import minimize
from irc.fuzz.networks.choices import SeededChoices
from irc.fuzz.networks.levels import Disagreement
from irc.fuzz.readers import reader_job
from irc.fuzz.sandbox import POLL_SECONDS, Child, Outcome, fork, run_job
from irc.fuzz.verdict import Fall, judge

T = TypeVar("T")

NETWORK_EVERY = 25
"""Every so many cases one is a network at all levels: it takes as long as those before it."""

RTL_EVERY = 4
"""Every so many networks one is simulated as Verilog too, which takes the longest."""

CASES_OF_A_CORPUS = 2000

NETWORK_SECONDS = 300.0
"""Processor time for the levels of one network: compilers and simulators take their time."""

SHRINK_SECONDS = 900.0

HANG_TRIES = 12
"""A hang takes all the time that is allowed: few smaller files are tried."""


@dataclass(frozen=True)
class Settings:
    """What to fuzz, how long and within which limits; without `readers` or `levels` only the
    others. `cases` ends the run after so many, `seconds` after that time."""

    folder: Path
    seed: int = 0
    seconds: float | None = None
    cases: int | None = None
    levels: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    files: tuple[Path, ...] = ()
    jobs: int = 1
    minimize: bool = True


@dataclass
class Summary:
    """What has been run so far: cases by reader, targets that refused networks, and findings."""

    seed: int
    seconds: float = 0.0
    cases: Counter[str] = field(default_factory=Counter[str])
    refused: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    repeated: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """How often each fault was met."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "cases": dict(sorted(self.cases.items())),
            "refused": self.refused,
            "findings": [vars(finding) for finding in self.findings],
        }


Observe = Callable[[Summary], None]


def _ignore(_: Summary) -> None:
    return None


class Campaign:
    """A run of `irc fuzz`; `summary` is right at any time, also after an interrupt."""

    def __init__(
        self, settings: Settings, tools: Mapping[str, Tool], observe: Observe | None = None
    ) -> None:
        self.settings = settings
        self.summary = Summary(settings.seed)
        self._tools = tools
        self._observe: Observe = observe or _ignore
        self._started = time.monotonic()
        self._running: dict[Child, int] = {}
        self._corpora: dict[int, Corpus] = {}

    def run(self) -> Summary:
        """Run until time or cases are up."""
        try:
            for number in self._numbers():
                if self._is_network(number):
                    self._network(number)
                else:
                    self._start_reader(number)
                self._tick()
            while self._running:
                self._collect()
        finally:
            for child in self._running:
                child.kill()
            self._tick()
        return self.summary

    def _numbers(self) -> Iterator[int]:
        number = 0
        while not self._is_over(number):
            yield number
            number += 1

    def _is_over(self, number: int) -> bool:
        settings = self.settings
        if settings.cases is not None and number >= settings.cases:
            return True
        passed = time.monotonic() - self._started
        return settings.seconds is not None and passed >= settings.seconds

    def _tick(self) -> None:
        self.summary.seconds = time.monotonic() - self._started
        self._observe(self.summary)

    def _is_network(self, number: int) -> bool:
        if not self.settings.readers:
            return True
        return bool(self.settings.levels) and number % NETWORK_EVERY == NETWORK_EVERY - 1

    # Networks

    def _network(self, number: int) -> None:
        """Compare the levels of one network."""
        seed = hash_of(self.settings.seed, number)
        order = number if not self.settings.readers else number // NETWORK_EVERY
        levels = [
            level for level in self.settings.levels if level != "rtl" or order % RTL_EVERY == 0
        ]
        self.summary.cases[READER] += 1
        limits = replace(self.settings.limits, seconds=NETWORK_SECONDS)
        found, outcome = call(lambda: examine_seed(seed, levels), limits)
        origin = f"`irc fuzz --seed {self.settings.seed}`, case {number}"
        if isinstance(found, Examined):
            self.summary.refused += found.refused
            if found.disagreement is not None:
                self._disagreement(seed, found.disagreement, levels, origin)
            return
        fall = judge(outcome) or Fall("status", outcome.output[-200:])
        made, _ = call(lambda: valid_job(seed, levels), limits)
        if isinstance(made, Job) and self._is_new(fall):
            self._write(made, fall, outcome, origin)

    def _disagreement(self, seed: int, wrong: Disagreement, levels: list[str], origin: str) -> None:
        fall = Fall("disagreement", f"level {wrong.level}: {wrong.text}", f"seed {seed}")
        outcome = Outcome(1, wrong.text, 0.0)
        made: object = None
        limits = Limits(SHRINK_SECONDS, self.settings.limits.mib)
        if self.settings.minimize:
            made, _ = call(lambda: shrunk_job(seed, wrong), limits)
        if not isinstance(made, Job):
            made, _ = call(lambda: valid_job(seed, levels), limits)
        if isinstance(made, Job) and self._is_new(fall):
            self._write(made, fall, outcome, origin)

    # Readers

    def _corpus(self, number: int) -> Corpus:
        index = number // CASES_OF_A_CORPUS
        if index not in self._corpora:
            seed, files = hash_of(self.settings.seed, index, 1), self.settings.files
            limits = replace(self.settings.limits, seconds=NETWORK_SECONDS)
            made, outcome = call(lambda: make_corpus(seed, files), limits)
            if isinstance(made, IrcError):
                raise made
            if not isinstance(made, Corpus):
                raise IrcError(f"no networks to begin with: {outcome.output[-500:]}")
            self._corpora = {index: made}
        return self._corpora[index]

    def _start_reader(self, number: int) -> None:
        while len(self._running) >= self.settings.jobs:
            self._collect()
        choices = SeededChoices(hash_of(self.settings.seed, number, 2))
        job = reader_job(choices, self._corpus(number), self.settings.readers)
        self.summary.cases[job.reader] += 1
        self._running[Child(job, self._tools, self.settings.limits)] = number
        if self.settings.jobs == 1:
            self._collect()

    def _collect(self) -> None:
        """Wait for one of the children, and look at how it ended."""
        while True:
            for child, number in self._running.items():
                if (outcome := child.poll()) is not None:
                    del self._running[child]
                    self._look_at(child.job, outcome, number)
                    return
            self._tick()
            time.sleep(POLL_SECONDS)

    def _look_at(self, job: Job, outcome: Outcome, number: int) -> None:
        fall = judge(outcome, job.must_succeed)
        if fall is None or not self._is_new(fall):
            return
        origin = f"`irc fuzz --seed {self.settings.seed}`, case {number}"
        # At once: what is interrupted later is kept as it is.
        finding = self._write(job, fall, outcome, origin)
        if not self.settings.minimize:
            return
        tries = HANG_TRIES if fall.kind == "hang" else None
        small = minimize(
            job, lambda each: self._falls(each, fall), **({"tries": tries} if tries else {})
        )
        if small is not job:
            shutil.rmtree(finding.folder, ignore_errors=True)
            self.summary.findings.remove(finding)
            again = run_job(small, self._tools, self.settings.limits)
            self._write(small, fall, again, origin)

    def _falls(self, job: Job, fall: Fall) -> bool:
        self._tick()
        found = judge(run_job(job, self._tools, self.settings.limits), job.must_succeed)
        return found is not None and found.signature == fall.signature

    def _is_new(self, fall: Fall) -> bool:
        self.summary.repeated[fall.signature] += 1
        return self.summary.repeated[fall.signature] == 1

    def _write(self, job: Job, fall: Fall, outcome: Outcome, origin: str) -> Finding:
        finding = write_finding(self.settings.folder, job, fall, outcome, origin)
        self.summary.findings.append(finding)
        return finding


def call(function: Callable[[], T], limits: Limits) -> tuple[T | IrcError | None, Outcome]:
    """What a function returns in a process of its own, or the `IrcError` that it raises; `None`
    where it ended otherwise, which the outcome tells of."""
    folder = Path(tempfile.mkdtemp(prefix="irc-fuzz-"))
    try:
        (folder / "work").mkdir()
        (folder / "tmp").mkdir()
        answer = folder / "answer"

        def task() -> int:
            try:
                result: object = function()
            except IrcError as error:
                result = IrcError(error.message)
            answer.write_bytes(pickle.dumps(result))
            return 0

        started = time.monotonic()
        pid = fork(task, folder / "work", folder / "out", limits)
        _, status = os.waitpid(pid, 0)
        output = (folder / "out").read_bytes().decode("utf-8", "replace")
        outcome = Outcome(os.waitstatus_to_exitcode(status), output, time.monotonic() - started)
        if not answer.exists():
            return None, outcome
        # Written by the process above, of this program's own classes.
        return pickle.loads(answer.read_bytes()), outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load_everything() -> None:
    """Import what commands use, so that processes that are forked have it already."""
    import irc.flow
    from irc.universe import PASSES, TARGETS

    flows = [f"irc.flow.{module.name}" for module in pkgutil.iter_modules(irc.flow.__path__)]
    places = [place.partition(":")[0] for place in (*PASSES.values(), *TARGETS.values())]
    for module in (*flows, *places, "irc.frontend.import_onnx"):
        import_module(module)
