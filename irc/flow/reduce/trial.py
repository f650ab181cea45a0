"""One trial of a command on a candidate: whether it still fails as it should."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from irc.errors import IrcError
from irc.shell_command import NOT_RUN, on_file

SHOWN = 2000
"""Characters of a command's output that a message shows."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, negative for a signal, `None` where it took too long;
    and what it printed."""

    code: int | None
    output: str

    def __str__(self) -> str:
        if self.code is None:
            return "did not end in time"
        if self.code < 0:
            return f"was ended by signal {-self.code}"
        return f"exits with {self.code}"


@dataclass(frozen=True)
class Test:
    """A command of the shell, `{}` in it for the file, and what makes a candidate interesting.

    Interesting is an exit code other than 0, or 0 with `zero`; with `match`, only if that text is
    printed as well. `code`, once known, must stay the same: another one is another failure.
    """

    command: str
    match: str | None = None
    zero: bool = False
    timeout: float = 60.0
    code: int | None = None

    def run(self, path: Path) -> Outcome:
        """Run the command on a file; raises `IrcError` where there is no shell to run it."""
        try:
            process = subprocess.Popen(
                on_file(self.command, path),
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # A group of its own, so that what it starts ends with it.
                start_new_session=True,
            )
        except OSError as error:
            raise IrcError(f"the test cannot be run: {error.strerror}") from None
        try:
            output, _ = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return Outcome(None, "")
        except BaseException:
            _end(process)
            raise
        return Outcome(process.returncode, output.decode("utf-8", "replace"))

    def accepts(self, outcome: Outcome) -> bool:
        """Whether a command that ended so found what is sought."""
        if outcome.code is None or (outcome.code == 0) != self.zero:
            return False
        if self.code is not None and outcome.code != self.code:
            return False
        return self.match is None or self.match in outcome.output

    def check(self, outcome: Outcome, name: str) -> None:
        """Raise `IrcError` where there is nothing to reduce, as the test finds nothing in the file
        as it is, or cannot be run: then it fails on any file."""
        shown = outcome.output.strip()[-SHOWN:]
        said = f"; it printed:\n{shown}" if shown else ""
        if outcome.code in NOT_RUN and self.match is None:
            raise IrcError(
                f"{name}: the test cannot be run: the shell exits with {outcome.code} (where that "
                f"is the failure, say with --match what it prints){said}"
            )
        if self.accepts(outcome):
            return
        wanted = "0" if self.zero else "something other than 0"
        printed = f" and prints {self.match!r}" if self.match is not None else ""
        raise IrcError(
            f"{name}: nothing to reduce: the test {outcome}, expected one that exits with "
            f"{wanted}{printed}{said}"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
