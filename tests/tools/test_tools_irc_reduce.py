"""`irc-reduce` on the command line: tests by commands, messages, interruption, output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from opt_runner import LAYER

from irc.tools import irc_reduce

SMALL = """\
builtin.module {
  func.func @layer(%0: tensor<1xf32>) -> tensor<1xf32> {
    %1 = bnn.ewise "relu" %0 : tensor<1xf32> -> tensor<1xf32>
    func.return %1 : tensor<1xf32>
  }
}
"""


@pytest.fixture(autouse=True)
def _layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.chdir(tmp_path)
    Path("layer.mlir").write_text(LAYER, encoding="utf-8")


def reduce(*arguments: str) -> int:
    return irc_reduce.main(["layer.mlir", *arguments])


def test_what_a_command_needs_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert reduce("--test", "grep -q relu {}", "--interesting-if-zero") == 0
    printed = capsys.readouterr()
    assert printed.out == SMALL
    assert "done: 4 operations, " in printed.err
    assert " → 3 operations, " in printed.err


def test_the_file_is_the_last_argument_where_no_place_is_given() -> None:
    assert reduce("--test", "! grep -q relu", "-o", "small.mlir") == 0
    assert Path("small.mlir").read_text(encoding="utf-8") == SMALL


def test_another_failure_is_not_the_same() -> None:
    # Without the negation the command fails too, with another code, or with another message.
    both = "grep -q relu {} || exit 4; grep -q neg {} || exit 5; exit 3"
    assert reduce("--test", both, "-o", "code.mlir") == 0
    assert '"neg"' in Path("code.mlir").read_text(encoding="utf-8")
    said = "grep -c relu {}; grep -q neg {} && echo found; exit 3"
    assert reduce("--test", said, "--match", "found", "-o", "said.mlir") == 0
    assert '"relu"' not in Path("said.mlir").read_text(encoding="utf-8")


def test_a_test_that_finds_nothing_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert reduce("--test", "echo hello; true", "-o", "small.mlir") == 1
    assert capsys.readouterr().err == (
        "error: layer.mlir: nothing to reduce: the test exits with 0, expected one that exits "
        "with something other than 0; it printed:\nhello\n"
    )
    assert reduce("--test", "false", "--match", "boom") == 1
    assert "other than 0 and prints 'boom'" in capsys.readouterr().err
    assert reduce("--test", "sleep 9; : {}", "--timeout", "1") == 1
    assert "the test did not end in time" in capsys.readouterr().err
    assert sorted(os.listdir()) == ["layer.mlir"]


def test_wrong_usage_and_wrong_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert irc_reduce.main(["layer.mlir"]) == 2
    assert reduce("--test", "false", "--mach", "x") == 2
    assert "did you mean '--match'?" in capsys.readouterr().err
    assert irc_reduce.main(["none.mlir", "--test", "false"]) == 1
    assert "none.mlir: no such file" in capsys.readouterr().err
    Path("bad.mlir").write_text("func.func @f(", encoding="utf-8")
    assert irc_reduce.main(["bad.mlir", "--test", "false"]) == 1
    assert "bad.mlir:1:14: error: " in capsys.readouterr().err


def test_an_interrupted_search_keeps_the_smallest_so_far() -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "irc.tools.irc_reduce", "layer.mlir", "-o", "small.mlir"),
            *(
                "--test",
                "echo x >> count; [ $(wc -l < count) -lt 4 ] || sleep 60; ! grep -q relu {}",
            ),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(300):
        if Path("count").exists() and Path("count").read_text().count("x") > 3:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted; the smallest so far: 4 operations, " in said
    assert Path("small.mlir").read_text(encoding="utf-8").startswith("builtin.module {")


def test_a_command_that_cannot_be_run_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert reduce("--test", "./no-such-command {} -p x", "-o", "small.mlir") == 1
    said = capsys.readouterr().err
    assert "error: layer.mlir: the test cannot be run: the shell exits with 127 (" in said
    assert "no-such-command" in said
    assert not Path("small.mlir").exists()
    # Somebody may look for just that.
    script = "grep -q relu {} && ./no-such-command"
    assert reduce("--test", script, "--match", "no-such-command", "-o", "small.mlir") == 0
    assert Path("small.mlir").read_text(encoding="utf-8") == SMALL


@pytest.mark.parametrize(
    ("output", "reason"),
    [("missing/x.mlir", "there is no folder 'missing'"), (".", "it is a folder")],
)
def test_a_place_for_the_result_is_checked_first(
    output: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reduce("--test", "echo x >> count; false", "-o", output) == 1
    assert f"error: {output}: cannot be written: {reason}\n" in capsys.readouterr().err
    assert not Path("count").exists()
