"""`irc quantize`: what it writes and tells, when it stops, and what it says to mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, rows, run_irc
from model_files import frames, save_data, save_float_network

from irc.api import evaluate, load, run_passes

QUANTIZE = ("quantize", "float.onnx", "-o", "out.mlir")
CALIBRATED = (*QUANTIZE, *DECLARED, "--data", "calib.npz")


@pytest.fixture(autouse=True)
def floats(workplace: Path) -> None:
    """`float.onnx`, and 64 inputs with the classes that it gives them in `calib.npz`."""
    save_float_network(workplace / "float.onnx")
    x = frames(64)
    module = run_passes(load("float.onnx"), "onnx-to-float-bnn")
    (logits,) = evaluate(module, x.astype(np.float32) / np.float32(255))
    save_data(workplace / "calib.npz", x=x, y=logits.argmax(axis=1))


def test_the_tables_tell_layers_and_what_is_lost() -> None:
    result = run_irc(*CALIBRATED, "--weights", "4", "--activations", "3")
    assert result.code == 0
    layers = rows(result.out, "layer")
    assert layers[0] == ["layer", "weights", "reads", "weights, dB", "sums, dB"]
    assert [row[:3] for row in layers[1:]] == [
        ["fc1", "si8", "ui8"],
        ["fc2", "si4", "ui3"],
        ["fc3", "si8", "ui3"],
    ]
    before, after = rows(result.out, "network")[1:]
    assert before[:3] == ["float", "64", "100.00 %"]
    assert after[0] == "quantized"
    assert after[2] == after[3]
    assert "targets: verilog, c, host" in result.out
    assert result.out.endswith("wrote out.mlir\n")
    assert "note: measured on the calibration data: --test FILE measures on others" in result.err


def test_every_level_takes_what_was_written() -> None:
    assert run_irc(*CALIBRATED, "-o", "quantized.mlir").code == 0
    levels = ("--levels", "bnn,dataflow,packed,c")
    verified = run_irc("verify", "quantized.mlir", "--data", "calib.npz", *levels)
    assert verified.code == 0, verified.err
    assert [row[2] for row in rows(verified.out, "level")[1:]] == ["100 %"] * 4
    assert run_irc("run", "quantized.mlir", "--data", "calib.npz").code == 0
    assert run_irc("compile", "quantized.mlir", "--target", "c", "-o", "c").code == 0
    layers = rows(run_irc("check", "quantized.mlir").out, "layer")
    assert [row[0] for row in layers[1:]] == ["fc1", "fc2", "fc3"], "names are kept"


def test_the_report_for_machines_says_the_same() -> None:
    result = run_irc(*CALIBRATED, "--json", "report.json")
    report = json.loads(Path("report.json").read_text())
    assert report["accuracy_before"] == 1.0
    assert report["frames"] == 64
    assert [layer["name"] for layer in report["layers"]] == ["fc1", "fc2", "fc3"]
    assert f"{100 * report['accuracy_after']:.2f} %" in result.out


def test_without_data_it_says_what_it_would_do_and_stops() -> None:
    message = fails(USAGE, *QUANTIZE, *DECLARED, "--weights", "binary")
    assert message.startswith("error: float.onnx: no calibration data: what would be done could")
    assert "  'fc2': weights of 1 bit, " in message
    assert "  activations of 8 bits, whose ranges are not known" in message
    assert "give --data FILE" in message
    assert "--uncalibrated" in message


@pytest.mark.parametrize("option", [("--range", "4"), ("--uncalibrated",)])
def test_without_data_it_goes_on_if_it_has_to(option: tuple[str, ...]) -> None:
    result = run_irc(*QUANTIZE, *DECLARED, *option)
    assert result.code == 0
    assert "note: measured on random inputs, which says little about real ones" in result.err
    assert rows(result.out, "network")[1][2] == "", "there are no classes of random inputs"
    tested = run_irc(*QUANTIZE, *DECLARED, *option, "--test", "calib.npz")
    assert "note: the ranges of activations do not come from data" in tested.err
    assert rows(tested.out, "network")[1][2] == "100.00 %"


def test_a_loss_is_a_warning_that_says_what_helps() -> None:
    lossy = ("--weights", "binary", "--activations", "1", "--first", "1", "--last", "1")
    result = run_irc(*CALIBRATED, *lossy)
    assert result.code == 0
    assert "warning: quantization loses " in result.err
    assert "points of accuracy\n" in result.err
    assert "to be expected of binary weights in a network that was not trained for" in result.err
    few_bits = run_irc(*CALIBRATED, "--weights", "2", "--activations", "1").err
    assert "is furthest from the float network: more bits there (--layer 'fc" in few_bits
    assert "warning" not in run_irc(*CALIBRATED).err


def test_a_loss_beyond_what_is_allowed_writes_nothing() -> None:
    lossy = ("--weights", "1", "--activations", "1", "--max-drop", "0.5")
    message = fails(FAILURE, *CALIBRATED, *lossy)
    assert "float.onnx: quantization loses " in message
    assert "points of accuracy, more than the 0.5 allowed; nothing was written" in message
    assert run_irc(*CALIBRATED, "--max-drop", "5").code == 0


def test_without_classes_agreement_counts() -> None:
    np.save("calib.npy", frames(64))
    lossy = ("--weights", "1", "--activations", "1", "--max-drop", "0.5")
    message = fails(FAILURE, *QUANTIZE, *DECLARED, "--data", "calib.npy", *lossy)
    assert "points of agreement with the float network" in message


def test_labels_may_come_from_another_file() -> None:
    with np.load("calib.npz") as file:
        np.save("x.npy", file["x"])
        np.save("y.npy", file["y"])
        np.save("short.npy", file["y"][:5])
    data = (*QUANTIZE, *DECLARED, "--data", "x.npy")
    result = run_irc(*data, "--labels", "y.npy")
    assert rows(result.out, "network")[1][2] == "100.00 %"
    message = fails(FAILURE, *data, "--labels", "short.npy")
    assert "short.npy: labels of shape [5] for the 64 frames of x.npy; expected [64]" in message
    message = fails(USAGE, *QUANTIZE, *DECLARED, "--labels", "y.npy")
    assert "--labels y.npy: are the classes of --data, which is missing" in message


def test_an_input_that_was_not_declared_is_pointed_out() -> None:
    result = run_irc(*QUANTIZE, "--data", "calib.npz")
    assert "note: input 'x' is float32, but calib.npz holds whole numbers up to 2" in result.err
    assert "--input x=uint8/255" in result.err


def test_layers_of_their_own() -> None:
    result = run_irc(*CALIBRATED, "--weights", "ternary", "--layer", "fc3=5/6", "--first", "2")
    assert [row[:3] for row in rows(result.out, "layer")[1:]] == [
        ["fc1", "si2", "ui8"],
        ["fc2", "si2", "ui8"],
        ["fc3", "si5", "ui6"],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--weights", "9"), "--weights 9: expected 1 to 8, binary or ternary"),
        (("--activations", "0"), "argument --activations: expected 1 to 8 bits, not '0'"),
        (("--layer", "fc2"), "--layer fc2: expected NAME=BITS or NAME=BITS/BITS"),
        (("--layer", "fc2=4/12"), "--layer fc2=4/12: expected NAME=BITS or NAME=BITS/BITS"),
        (("--layer", "fc2=4", "--layer", "fc2=4"), "layer 'fc2' is given twice"),
        (("--layer", "fc22=4"), "there is no layer 'fc22'; did you mean 'fc2'?"),
        (("--range", "3"), "--data and --range exclude each other"),
        (("--uncalibrated",), "--data and --uncalibrated exclude each other"),
        (("--max-drop", "-1"), "argument --max-drop: expected a number of at least 0, not '-1'"),
        (("--frames", "0"), "argument --frames: expected a whole number of at least 1"),
        (("-o", "net.onnx"), "--output net.onnx: the network is written as IR text, .mlir"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    assert message in fails(USAGE, *CALIBRATED, *arguments)


def test_data_of_the_wrong_shape() -> None:
    save_data(Path("wide.npz"), x=np.zeros((3, 9), np.uint8))
    message = fails(FAILURE, *QUANTIZE, *DECLARED, "--data", "wide.npz")
    assert "wide.npz: 'x' of shape [3, 9] does not fit input 'x'; expected [N, 8]" in message
    message = fails(FAILURE, *CALIBRATED, "--test", "wide.npz")
    assert "wide.npz: 'x' of shape [3, 9] does not fit input 'x'; expected [N, 8]" in message


def test_a_network_of_integers_has_nothing_to_quantize() -> None:
    message = fails(FAILURE, "quantize", "net.onnx", "-o", "out.mlir", "--data", "test.npz")
    assert message == "error: net.onnx: nothing to quantize: it works on integers already\n"
    assert run_irc(*CALIBRATED).code == 0
    again = ("quantize", "out.mlir", "-o", "twice.mlir", "--data", "calib.npz")
    assert "out.mlir: nothing to quantize" in fails(FAILURE, *again)


def test_the_folder_must_be_there_before_the_work() -> None:
    message = fails(FAILURE, *CALIBRATED[:3], "no/out.mlir", *CALIBRATED[4:])
    assert "no/out.mlir: cannot be written: there is no folder 'no'" in message
