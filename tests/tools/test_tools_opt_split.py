"""`irc-opt --split-input-file`: pieces keep the lines of the file, whatever is done with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

BAD = LAYER.replace("bnn.ewise", "bnn.ewize", 1)
WRONG = LAYER.replace('"relu" %0 : tensor<2xf32>', '"relu" %0 : tensor<3xf32>')

OPTIONS: list[tuple[str, ...]] = [
    (),
    ("-p", "cse,dce"),
    ("--compile-to=bnn",),
    ("--print-ir-before-all", "-p", "cse"),
    ("--print-ir-after-change", "-p", "cse"),
    ("--timing", "--pass-statistics", "-p", "cse"),
    ("--crash-reproducer", "crash.mlir", "-p", "cse"),
    ("--pass-limit=1", "-p", "cse,dce"),
    ("--disable-verify",),
    ("--allow-unregistered-dialect",),
    ("--print-op-generic", "--print-debuginfo", "--elide-large-constants"),
    ("-f", "mlir"),
]


@pytest.fixture
def pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The current folder's `pieces.mlir`: two good pieces among three with an error each."""
    monkeypatch.chdir(tmp_path)
    text = "// -----\n".join([BAD, LAYER, WRONG, LAYER + "\n\n", BAD])
    Path("pieces.mlir").write_text(text)
    return text


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(options) or "none")
def test_lines_are_those_of_the_file(pieces: str, options: tuple[str, ...]) -> None:
    result = run_opt("pieces.mlir", "--split-input-file", *options)
    assert re.findall(r"^pieces\.mlir:(\d+):\d+: error: ", result.err, re.MULTILINE) == [
        *("2", "15", "28"),
    ]
    assert result.code == 1
    assert result.out.count("// -----\n") == 1
    assert result.out.count("builtin.module") == 2


def test_carriage_returns_do_not_matter(pieces: str) -> None:
    Path("pieces.mlir").write_bytes(pieces.replace("\n", "\r\n").encode())
    test_lines_are_those_of_the_file(pieces, ())


def test_an_output_file_needs_all_pieces(pieces: str) -> None:
    assert run_opt("pieces.mlir", "--split-input-file", "-o", "out.mlir").code == 1
    assert not Path("out.mlir").exists()
    Path("good.mlir").write_text(f"{LAYER}// -----\n{LAYER}")
    assert run_opt("good.mlir", "--split-input-file", "-o", "out.mlir").code == 0
    assert Path("out.mlir").read_text().count("builtin.module") == 2


def test_what_was_split_splits_again(pieces: str) -> None:
    once = run_opt("--split-input-file", stdin=f"{LAYER}// -----\n{LAYER}").out
    assert run_opt("--split-input-file", stdin=once).out == once


@pytest.mark.parametrize("mark", ["//-----", "// ----", " // -----", "// ------"])
def test_what_is_nearly_a_mark_is_told(mark: str) -> None:
    result = run_opt("--split-input-file", stdin=f"{LAYER}{mark}\n{LAYER.replace('@l', '@m')}")
    assert result.err == (
        f"<stdin>:6:1: warning: '{mark.strip()}' does not split the input; the mark is "
        "'// -----', alone on its line\n"
    )
    assert result.out.count("builtin.module") == 1


def test_headings_of_printed_ir_do_not_split() -> None:
    printed = run_opt("-p", "dce", "--print-ir-after-all", stdin=LAYER).err
    assert printed.startswith("// ----- IR after dce ----- //\n")
    assert run_opt("--split-input-file", stdin=printed).out == run_opt(stdin=LAYER).out


def test_a_model_is_not_split() -> None:
    result = run_opt("net.onnx", "--split-input-file")
    assert result.code == 2
    assert "net.onnx: --split-input-file reads comments of IR text" in result.err
