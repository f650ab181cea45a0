"""Places that cannot be written: nothing half-written stays, and what was there before does."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, everything_in, fails, run_irc

CHECK = ("check", "net.onnx", *DECLARED)
RUN = ("run", "net.onnx", *DECLARED, "--data", "test.npz")
VERIFY = ("verify", "net.onnx", *DECLARED, "--data", "test.npz", "--levels", "onnx,bnn")
every_target = pytest.mark.parametrize("target", ["c", "verilog", "host"])


def compile_to(folder: object, target: str = "c") -> tuple[object, ...]:
    return ("compile", "net.onnx", *DECLARED, "--target", target, "-o", folder)


# Output folders


@every_target
def test_a_file_in_place_of_the_folder(target: str):
    Path("out").write_text("mine")
    message = fails(FAILURE, *compile_to("out", target))
    assert message == "error: out: exists and is not a folder; choose another output folder\n"


@every_target
def test_a_folder_of_somebody_else(target: str):
    Path("out").mkdir()
    Path("out", "thesis.tex").write_text("years of work")
    message = fails(FAILURE, *compile_to("out", target))
    assert message.startswith("error: out: exists, is not empty and was not made by irc;")


def test_the_current_folder():
    assert "error: .: exists, is not empty" in fails(FAILURE, *compile_to("."))


@every_target
def test_a_folder_inside_a_file(target: str):
    Path("file").write_text("mine")
    message = fails(FAILURE, *compile_to("file/out", target))
    assert message.startswith("error: file/out: cannot write: a part of the path is not a folder")


@every_target
def test_missing_folders_above_are_made(target: str):
    assert run_irc(*compile_to("a/b/out", target)).code == 0
    assert Path("a/b/out/manifest.json").is_file()


@every_target
@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_a_place_where_no_folder_can_be_made(
    target: str, number: int, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any, **__: Any) -> str:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    message = fails(FAILURE, *compile_to("a/out", target))
    assert message.startswith("error: a/out: cannot write: ")


@pytest.fixture(params=range(5))
def full_after(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The disk takes so many files, and half of the next one."""
    left: int = request.param
    files = {"left": left}
    write = io.TextIOWrapper.write
    real_open = io.open

    class Full(io.TextIOWrapper):
        def write(self, text: str) -> int:
            files["left"] -= 1
            if files["left"] < 0:
                write(self, text[: len(text) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(self, text)

    def limited(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if "w" not in mode or "b" in mode:
            return real_open(file, mode, *rest, **options)
        return Full(real_open(file, mode + "b"), encoding="utf-8", newline="\n")

    monkeypatch.setattr(io, "open", limited)
    return left


@every_target
def test_a_disk_that_fills_up(target: str, full_after: int):
    message = fails(FAILURE, *compile_to("a/out", target))
    assert message == (
        "error: a/out: cannot write: no space left on the device; nothing was left behind\n"
    )


@every_target
def test_a_full_disk_leaves_the_old_folder_alone(
    target: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    assert run_irc(*compile_to("out", target)).code == 0
    before = everything_in(Path("out"))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    assert "no space left on the device" in fails(FAILURE, *compile_to("out", target))
    assert everything_in(Path("out")) == before


@every_target
def test_a_move_that_fails_brings_the_old_folder_back(target: str, monkeypatch: pytest.MonkeyPatch):
    assert run_irc(*compile_to("out", target)).code == 0
    rename = Path.rename

    def refuse(path: Path, goal: Path) -> Path:
        if goal.name == "out" and path.name.startswith(".out-") and "old" not in path.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, goal)

    monkeypatch.setattr(Path, "rename", refuse)
    assert "out: cannot write: Input/output error" in fails(FAILURE, *compile_to("out", target))


@pytest.fixture
def small_disk(workplace: Path) -> Generator[Path]:
    """A real file system of 64 KiB, where the tests may mount one."""
    disk = workplace / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("needs root on Linux to mount a small disk")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a small disk be mounted")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@every_target
def test_a_disk_that_is_really_full(target: str, small_disk: Path):
    (small_disk / "ballast").write_bytes(bytes(60 * 1024))
    message = fails(FAILURE, *compile_to("disk/out", target))
    assert "disk/out: cannot write: no space left on the device" in message
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


# Files


@pytest.mark.parametrize("command", [CHECK, RUN, VERIFY, compile_to("out")])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("folder", "folder: cannot be written: it is a folder"),
        ("none/file.json", "none/file.json: cannot be written: there is no folder 'none'"),
    ],
)
def test_places_for_json_are_looked_at_before_the_work(
    command: tuple[object, ...], path: str, words: str
):
    Path("folder").mkdir()
    assert fails(FAILURE, *command, "--json", path) == f"error: {words}\n"


def test_the_place_for_results_is_looked_at_before_the_work():
    Path("folder").mkdir()
    message = fails(FAILURE, *RUN, "-o", "folder")
    assert message == "error: folder: cannot be written: it is a folder\n"


needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@needs_dev_full
@pytest.mark.parametrize("command", [CHECK, RUN, VERIFY])
def test_a_full_device_for_json(command: tuple[str, ...]):
    result = run_irc(*command, "--json", "/dev/full")
    assert result.code == FAILURE
    assert result.err == "error: /dev/full: cannot be written: No space left on device\n"


@needs_dev_full
def test_a_full_device_for_results():
    message = fails(FAILURE, *RUN, "-o", "/dev/full")
    assert message == "error: /dev/full: cannot be written: No space left on device\n"


@pytest.mark.parametrize("option", ["--json", "-o"])
def test_a_file_that_cannot_be_replaced_stays(option: str, monkeypatch: pytest.MonkeyPatch):
    Path("result").write_text("of yesterday")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    before = everything_in(Path())
    result = run_irc(*RUN, option, "result")
    assert result.code == FAILURE
    assert "result: cannot be written: No space left on device" in result.err
    assert everything_in(Path()) == before
