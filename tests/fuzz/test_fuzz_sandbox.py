"""Commands that hang, crash, take all memory or leave files are caught, and told apart."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from irc.errors import IrcError
from irc.fuzz.findings import folders_in, replay, write_finding
from irc.fuzz.job import Job, read_job
from irc.fuzz.limits import Limits
from irc.fuzz.sandbox import run_job
from irc.fuzz.verdict import Fall, judge

LIMITS = Limits(seconds=1, mib=200)


def fail(text: str, code: int = 1) -> int:
    print(text, file=sys.stderr)
    return code


def hang() -> int:
    while True:
        pass


def swallow() -> int:
    held = [bytes(2**20) for _ in range(1000)]
    return len(held) and 0


def swallow_cleanly() -> int:
    try:
        return swallow()
    except MemoryError:
        return fail("error: not enough memory")


def crash() -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def leave() -> int:
    Path("half.txt").touch()
    return fail("error: no")


def answer() -> int:
    Path("out.txt").write_text(Path("case.txt").read_text())
    return 0


def sleep() -> int:
    time.sleep(60)
    return 0


def change() -> int:
    os.environ["FUZZ"] = "1"
    sys.modules.pop("json", None)
    return 0


BEHAVIOURS = {
    "answer": answer,
    "error": lambda: fail("error: case.txt: wrong"),
    "usage": lambda: fail("error: unknown option", 2),
    "change": change,
    "hang": hang,
    "sleep": sleep,
    "swallow": swallow,
    "swallow cleanly": swallow_cleanly,
    "crash": crash,
    "leave": leave,
    "silence": lambda: 1,
    "status": lambda: fail("odd", 3),
    "raise": lambda: [1][2],
    "internal": lambda: fail("error: internal error: KeyError: 'x' (irc/passes/a.py:12)"),
}


def tool(arguments: Sequence[str]) -> int:
    return BEHAVIOURS[arguments[0]]()


TOOLS = {"tool": tool}


def job(behaviour: str, must_succeed: bool = False) -> Job:
    return Job("text", "tool", (behaviour,), "case.txt", b"text", must_succeed=must_succeed)


@pytest.mark.parametrize("behaviour", ["answer", "error", "usage", "change"])
def test_clean_ends(behaviour: str) -> None:
    assert judge(run_job(job(behaviour), TOOLS, LIMITS)) is None
    assert "FUZZ" not in os.environ


@pytest.mark.parametrize(
    ("behaviour", "kind", "words"),
    [
        ("hang", "hang", "no end after"),
        ("swallow", "traceback", "MemoryError"),
        ("swallow cleanly", "memory", "not enough memory"),
        ("crash", "crash", "SIGSEGV"),
        ("leave", "leftovers", "work/half.txt"),
        ("silence", "silence", "without a word"),
        ("status", "status", "exit status 3"),
        ("raise", "traceback", "IndexError"),
        ("internal", "internal error", "KeyError: 'x'"),
    ],
)
def test_falls(behaviour: str, kind: str, words: str) -> None:
    fall = judge(run_job(job(behaviour), TOOLS, LIMITS))
    assert fall is not None
    assert fall.kind == kind
    assert words in str(fall)


def test_valid_files_must_succeed() -> None:
    fall = judge(run_job(job("error"), TOOLS, LIMITS), must_succeed=True)
    assert fall is not None
    assert fall.kind == "disagreement"


def test_faults_are_told_apart_by_their_place() -> None:
    one = Fall("internal error", "KeyError: 'a'", "irc/a.py:1")
    assert one.signature == Fall("internal error", "KeyError: 'b'", "irc/a.py:1").signature
    assert one.signature != Fall("internal error", "KeyError: 'a'", "irc/a.py:2").signature


def test_a_process_that_sleeps_is_given_up() -> None:
    limits = Limits(seconds=0.02, mib=200)
    fall = judge(run_job(job("sleep"), TOOLS, limits))
    assert fall is not None
    assert fall.kind == "hang"


def test_a_finding_is_a_folder_that_runs_again(tmp_path: Path) -> None:
    found = job("internal")
    outcome = run_job(found, TOOLS, LIMITS)
    fall = judge(outcome)
    assert fall is not None
    finding = write_finding(tmp_path / "findings", found, fall, outcome, "a test")
    folder = Path(finding.folder)
    assert {path.name for path in folder.iterdir()} == {"case.txt", "finding.json", "README.md"}
    assert read_job(folder) == found
    assert list(folders_in(tmp_path / "findings")) == [folder]
    assert "KeyError" in str(replay(folder, TOOLS, LIMITS)["fall"])
    assert found.command in (folder / "README.md").read_text()


def test_folders_that_hold_no_finding(tmp_path: Path) -> None:
    with pytest.raises(IrcError, match="no finding of irc fuzz"):
        list(folders_in(tmp_path))
    (tmp_path / "finding.json").write_text("[]")
    with pytest.raises(IrcError, match="not of a finding"):
        read_job(tmp_path)
