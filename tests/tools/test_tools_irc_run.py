"""`irc run` runs a model, and the text of any level, in the interpreter of its level."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from irc_runner import DECLARED, FAILURE, rows, run_irc
from model_files import CLASSES, frames, save_data
from opt_runner import run_opt

from irc.tools import irc

pytestmark = pytest.mark.usefixtures("workplace")

LEVELS = ("onnx", "bnn", "dataflow", "packed", "hw")


def text_at(level: str) -> str:
    """The network as text at a level; returns the file's name."""
    path = Path(f"{level}.mlir")
    declared = () if level == "onnx" else DECLARED
    path.write_text(run_opt("net.onnx", f"--compile-to={level}", *declared).out)
    return str(path)


def results_of(source: str, *options: str) -> Any:
    """What a run writes with -o."""
    result = run_irc("run", source, "--data", "test.npz", *options, "-o", "results.npy")
    assert (result.code, result.err) == (0, "")
    return np.load("results.npy")


@pytest.mark.parametrize("level", LEVELS)
def test_text_of_every_level_gives_the_results_of_the_model(level: str):
    expected = results_of("net.onnx", *DECLARED)
    assert expected.shape == (5, CLASSES)
    options = DECLARED if level == "onnx" else ()
    results = results_of(text_at(level), *options)
    # Hardware gives the sums; the model halves them at its end, on the host.
    assert np.array_equal(results / 2 if level == "hw" else results, expected)


def test_a_model_without_a_declaration_takes_floats():
    expected = results_of("net.onnx", *DECLARED)
    save_data(Path("test.npz"), x=(frames() / np.float32(255)).astype(np.float32))
    assert np.array_equal(results_of("net.onnx"), expected)


def test_the_table_counts_classes():
    classes = np.argmax(results_of("net.onnx", *DECLARED), axis=1)
    save_data(Path("test.npz"), y=np.where(np.arange(5) == 0, 99, classes))
    result = run_irc("run", "net.onnx", *DECLARED, "--data", "test.npz")
    assert result.out.startswith("net.onnx at level onnx: 5 inputs, accuracy 80.00 %\n")
    counts = {int(label): int(count) for label, count in rows(result.out, "class")[1:]}
    assert counts == {label: int(np.sum(classes == label)) for label in set(classes.tolist())}


def test_limit_and_grammar():
    result = run_irc("run", "net.onnx", *DECLARED, "--data", "test.npz", "--limit", "1")
    assert result.out.startswith("net.onnx at level onnx: 1 input\n")


def test_json():
    run_irc("run", "net.onnx", *DECLARED, "--data", "test.npz", "--json", "run.json")
    report = json.loads(Path("run.json").read_text())
    classes = np.argmax(results_of("net.onnx", *DECLARED), axis=1).tolist()
    assert report == {
        "source": "net.onnx",
        "level": "onnx",
        "images": 5,
        "accuracy": None,
        "outputs": {"y": [4]},
        "classes": classes,
    }


def test_results_on_stdout_are_alone_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    expected = results_of("net.onnx", *DECLARED)
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert irc.main(["run", "net.onnx", *DECLARED, "--data", "test.npz", "-o", "-"]) == 0
    stdout.buffer.seek(0)
    assert np.array_equal(np.load(stdout.buffer), expected)
    assert "net.onnx at level onnx: 5 inputs" in capsys.readouterr().err


def test_npy_without_labels():
    np.save("plain.npy", frames())
    result = run_irc("run", text_at("bnn"), "--data", "plain.npy")
    assert result.code == 0
    assert "accuracy" not in result.out


@pytest.mark.parametrize("level", ["bnn", "dataflow", "packed", "hw"])
def test_text_says_what_it_takes(level: str):
    save_data(Path("test.npz"), x=frames().astype(int) - 300)
    result = run_irc("run", text_at(level), "--data", "test.npz")
    assert result.code == FAILURE
    assert "test.npz: 'x' ranges from -295 to -52, but the input is declared ui8" in result.err


def test_several_inputs_are_refused():
    Path("two.mlir").write_text(
        "func.func @f(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {\n"
        '  %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>\n'
        "  func.return %0 : tensor<2xf32>\n}\n"
    )
    result = run_irc("run", "two.mlir", "--data", "test.npz")
    assert result.code == FAILURE
    assert "two.mlir: takes 2 inputs; test data feed one" in result.err


TWO_OUTPUTS = """
func.func @f(%x: tensor<4xui8>)
    -> (tensor<4xsi10> {bnn.name = "file"}, tensor<ui2>) {
  %0 = bnn.add %x, %x multipliers <tensor<2x1xsi2>, [1, -2]>
    : tensor<4xui8>, tensor<4xui8> -> tensor<4xsi10>
  %1 = bnn.argmax %x : tensor<4xui8> -> tensor<ui2>
  func.return %0, %1 : tensor<4xsi10>, tensor<ui2>
}
"""


@pytest.mark.parametrize("level", ["bnn", "packed"])
def test_every_output_is_written_by_name(level: str):
    frames = np.array([[1, 2, 30, 4], [9, 8, 7, 6]])
    np.save("x.npy", frames)
    Path("bnn.mlir").write_text(TWO_OUTPUTS)
    Path("packed.mlir").write_text(run_opt("bnn.mlir", "--compile-to=packed").out)
    result = run_irc("run", f"{level}.mlir", "--data", "x.npy", "-o", "all.npz")
    assert (result.code, result.err) == (0, "")
    assert "classes of the first output, file:" in result.out
    assert rows(result.out, "output")[1:] == [["file", "4"], ["out1", "1"]]
    written = np.load("all.npz")
    assert sorted(written.files) == ["file", "out1"]
    assert np.array_equal(written["file"], -frames)
    assert written["out1"].tolist() == [2, 0]


def test_a_file_for_one_array_is_refused_for_several_outputs():
    np.save("x.npy", np.zeros((1, 4), int))
    Path("bnn.mlir").write_text(TWO_OUTPUTS)
    result = run_irc("run", "bnn.mlir", "--data", "x.npy", "-o", "all.npy")
    assert result.code == FAILURE
    assert "bnn.mlir: has 2 outputs (file, out1), which a file such as results.npz" in result.err
    assert not Path("all.npy").exists()
