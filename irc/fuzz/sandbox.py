"""Commands in forked processes of their own, limited in time and memory.

The process that forks has the compiler loaded already, so that a command starts within
milliseconds. It never runs one itself: whatever a command does to its process ends with it.
"""

from __future__ import annotations

import faulthandler
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from irc.fuzz import limits as resource_limits
from irc.fuzz.job import Job, Tool
from irc.fuzz.limits import Limits

POLL_SECONDS = 0.002
GRACE_SECONDS = 1.0
"""What a hanging process gets to say where it hangs."""

OUTPUT_BYTES = 200_000
"""So much of what a command prints is kept."""

STRANDED = 70
"""Exit status where something escaped from a tool's own handling of errors."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: `status` 0 to 255, or minus the signal that ended it.

    `left` are files that are there now and were not before.
    """

    status: int
    output: str
    seconds: float
    timed_out: bool = False
    left: tuple[str, ...] = ()


class Child:
    """A job at work; it ends with the folder that it works in."""

    def __init__(self, job: Job, tools: Mapping[str, Tool], limits: Limits) -> None:
        self.job = job
        self._limits = limits
        self._folder = Path(tempfile.mkdtemp(prefix="irc-fuzz-"))
        self._work = self._folder / "work"
        (self._folder / "tmp").mkdir()
        self._work.mkdir()
        job.write(self._work)
        self._started = time.monotonic()
        self._timed_out = False
        tool = tools[job.tool]
        self._pid = fork(
            lambda: tool(list(job.arguments)), self._work, self._folder / "out", limits
        )

    def poll(self) -> Outcome | None:
        """The outcome, once there is one; removes the folder then."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            if time.monotonic() - self._started > self._limits.wall_seconds:
                self._give_up()
                _, status = os.waitpid(self._pid, 0)
            else:
                return None
        return self._outcome(os.waitstatus_to_exitcode(status))

    def wait(self) -> Outcome:
        """The outcome, however long it takes within the limits."""
        while (outcome := self.poll()) is None:
            time.sleep(POLL_SECONDS)
        return outcome

    def kill(self) -> None:
        """End the job and remove its folder."""
        _kill_group(self._pid)
        os.waitpid(self._pid, 0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _give_up(self) -> None:
        self._timed_out = True
        # Python's own signal for it prints where every thread is.
        os.kill(self._pid, signal.SIGUSR1)
        time.sleep(GRACE_SECONDS)
        _kill_group(self._pid)

    def _outcome(self, status: int) -> Outcome:
        seconds = time.monotonic() - self._started
        with (self._folder / "out").open("rb") as file:
            output = file.read(OUTPUT_BYTES).decode("utf-8", "replace")
        before = {self.job.name, *self.job.others}
        left = sorted(
            str(path.relative_to(self._folder))
            for place in ("work", "tmp")
            for path in (self._folder / place).rglob("*")
            # Other libraries keep files of their own among the temporary ones.
            if path.is_file()
            and (place == "work" or "irc" in path.parts[len(self._folder.parts) + 1])
            and str(path.relative_to(self._folder / place)) not in before
        )
        shutil.rmtree(self._folder, ignore_errors=True)
        timed_out = self._timed_out or status == -signal.SIGXCPU
        return Outcome(status, output, seconds, timed_out, tuple(left))


def run_job(job: Job, tools: Mapping[str, Tool], limits: Limits) -> Outcome:
    """Run one job to its end."""
    child = Child(job, tools, limits)
    try:
        return child.wait()
    except BaseException:
        child.kill()
        raise


def fork(task: Callable[[], int], folder: Path, output: Path, limits: Limits | None) -> int:
    """Start `task` in a process of its own, in `folder`, its output in a file; returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = STRANDED
    try:
        _redirect(folder, output)
        if limits is not None:
            resource_limits.apply(limits)
        status = task()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        # Without what the parent registered to be done at its end.
        os._exit(status & 0xFF if 0 <= status <= 255 else STRANDED)


def _redirect(folder: Path, output: Path) -> None:
    os.setpgid(0, 0)
    os.chdir(folder)
    tmp = folder.parent / "tmp"
    if tmp.is_dir():
        tempfile.tempdir = os.environ["TMPDIR"] = str(tmp)
    null = os.open(os.devnull, os.O_RDONLY)
    sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, null), (1, sink), (2, sink)):
        os.dup2(source, target)
    # New objects: what captures the old ones must not see this, and text of any kind gets through.
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace")
        for number in (1, 2)
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # Both when time is up and when a processor limit is reached, it says where it was.
    faulthandler.register(signal.SIGUSR1, file=2, chain=False)
    faulthandler.register(signal.SIGXCPU, file=2, chain=True)
    faulthandler.enable(file=2)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
        return
