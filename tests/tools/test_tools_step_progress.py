"""Progress goes to stderr, and only for what takes longer than a second."""

from __future__ import annotations

import io
import time

import pytest

from irc.tools import step_progress as progress_module
from irc.tools.step_progress import step_progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """Progress after a twentieth of a second."""
    monkeypatch.setattr(progress_module, "PATIENCE", 0.05)
    return 0.05


def test_quick_work_shows_nothing(capsys: pytest.CaptureFixture[str]):
    with step_progress() as progress:
        progress("step", 0, 10)
        progress("step", 10, 10)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_a_step_that_says_nothing_is_shown_all_the_same(
    impatient: float, capsys: pytest.CaptureFixture[str]
):
    with step_progress() as progress:
        progress("simulate")
        time.sleep(5 * impatient)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "simulate ...\n")


def test_files_get_a_line_for_each_slow_step(impatient: float, capsys: pytest.CaptureFixture[str]):
    with step_progress() as progress:
        progress("quick")
        for step in ("onnx", "bnn"):
            progress(step, 0, 2)
            time.sleep(5 * impatient)
            progress(step, 1, 2)
            progress(f"after {step}")
    assert capsys.readouterr().err == "onnx ...\nbnn ...\n"


def test_terminals_get_a_line_that_goes_away(impatient: float, monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with step_progress() as progress:
        progress("simulate", 120, 2000)
        time.sleep(10 * impatient)
    text = terminal.getvalue()
    assert "simulate" in text
    assert "120/2,000" in text
    # Erased at the end.
    assert text.rstrip().endswith("\x1b[2K") or "\x1b[2K" in text[-40:]


def test_no_terminal_line_after_the_end(impatient: float, capsys: pytest.CaptureFixture[str]):
    with step_progress() as progress:
        progress("quick")
    time.sleep(3 * impatient)
    assert capsys.readouterr().err == ""


def test_an_exception_ends_it(impatient: float, capsys: pytest.CaptureFixture[str]):
    def work() -> None:
        with step_progress() as progress:
            progress("step")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    time.sleep(3 * impatient)
    assert capsys.readouterr().err == ""
