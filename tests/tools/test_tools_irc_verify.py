"""`irc verify` runs every level, and finds whatever differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from irc_runner import DECLARED, FAILURE, FAST_LEVELS, USAGE, rows, run_irc
from model_files import CLASSES, frames, network, node, node_named, save, save_data
from onnx import ModelProto, TensorProto, helper, numpy_helper
from opt_runner import run_opt

pytestmark = pytest.mark.usefixtures("workplace")

VERIFY = ("verify", "net.onnx", *DECLARED, "--data", "test.npz")


def labels() -> Any:
    """The classes that the network gives to `frames()`, by ONNX Runtime."""
    run_irc("run", "net.onnx", "--data", float_inputs(), "-o", "logits.npy")
    return np.argmax(np.load("logits.npy"), axis=1)


def float_inputs() -> str:
    """What the model itself takes, where the device sees bytes."""
    np.save("floats.npy", (frames() / np.float32(255)).astype(np.float32))
    return "floats.npy"


def test_all_levels_agree():
    result = run_irc(*VERIFY, *FAST_LEVELS)
    assert (result.code, result.err) == (0, "")
    table = rows(result.out, "level")
    assert table[0] == ["level", "images", "agreement with ONNX Runtime", "accuracy", "time"]
    assert [cells[0] for cells in table[1:]] == ["onnx", "bnn", "dataflow", "packed"]
    for cells in table[1:]:
        assert cells[1:4] == ["5", "100 %", ""]
        assert re.fullmatch(r"\d+\.\d\d s", cells[4])


def test_ir_text_is_compared_with_its_own_level():
    run_opt("net.onnx", *DECLARED, "--compile-to=bnn", "-o", "out.mlir")
    result = run_irc("verify", "out.mlir", "--data", "test.npz", "--limit", "2", "--rtl-limit", "1")
    assert result.code == 0
    assert [cells[0] for cells in rows(result.out, "level")[1:]] == [
        *("bnn", "dataflow", "packed", "c", "rtl")
    ]
    assert (
        "note: out.mlir is text at level bnn, behind the ONNX model: the others are compared with "
        "level bnn\n" in result.err
    )


def test_accuracy_counts_right_classes():
    classes = labels()
    wrong = classes.copy()
    wrong[0] = (wrong[0] + 1) % CLASSES
    for y, expected in ((classes, "100.00 %"), (wrong, "80.00 %")):
        save_data(Path("test.npz"), y=y)
        table = rows(run_irc(*VERIFY, *FAST_LEVELS).out, "level")
        assert {cells[3] for cells in table[1:]} == {expected}


def test_the_c_is_compiled_and_run():
    table = rows(run_irc(*VERIFY, "--levels", "onnx,c").out, "level")
    assert [cells[:3] for cells in table[1:]] == [["onnx", "5", "100 %"], ["c", "5", "100 %"]]


@pytest.mark.slow
def test_the_verilog_is_simulated():
    result = run_irc(*VERIFY, "--levels", "onnx,rtl", "--rtl-limit", "3")
    assert result.code == 0, result.err
    table = rows(result.out, "level")
    assert [cells[:3] for cells in table[1:]] == [["onnx", "5", "100 %"], ["rtl", "3", "100 %"]]


@pytest.mark.parametrize(
    ("levels", "reference", "order"),
    [
        ("packed,bnn", "bnn", ["bnn", "packed"]),
        (" bnn , onnx ", "ONNX Runtime", ["onnx", "bnn"]),
        ("bnn,bnn", "bnn", ["bnn"]),
    ],
)
def test_the_first_level_of_the_ladder_is_the_reference(
    levels: str, reference: str, order: list[str]
):
    table = rows(run_irc(*VERIFY, "--levels", levels).out, "level")
    assert table[0][2] == f"agreement with {reference}"
    assert [cells[0] for cells in table[1:]] == order


def test_limits():
    table = rows(run_irc(*VERIFY, *FAST_LEVELS, "--limit", "2").out, "level")
    assert {cells[1] for cells in table[1:]} == {"2"}
    table = rows(run_irc(*VERIFY, *FAST_LEVELS, "--limit", "1000").out, "level")
    assert {cells[1] for cells in table[1:]} == {"5"}


def test_the_limit_of_simulation_bounds_simulation_alone(monkeypatch: pytest.MonkeyPatch):
    """With the simulation replaced by the dataflow interpreter, which is as good for this."""
    from irc.flow.levels import FrameRunner
    from irc.interp.run import run_module

    def simulate(self: FrameRunner, some: Any, progress: Any) -> list[Any]:
        return run_module(self.ladder.dataflow, [some], progress)

    monkeypatch.setattr(FrameRunner, "_run_rtl", simulate)
    for options, counts in ((["--rtl-limit", "3"], ["5", "3"]), ([], ["5", "5"])):
        result = run_irc(*VERIFY, "--levels", "onnx,rtl", *options)
        assert [cells[1] for cells in rows(result.out, "level")[1:]] == counts


# Disagreement


def tampered(level: str, change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one level give other results."""
    from irc.flow.levels import FrameRunner

    run = FrameRunner.run

    def tamper(self: FrameRunner, at: str, count: int, progress: Any = None) -> list[Any]:
        results = run(self, at, count, progress)
        return [change(results[0].copy())] if at == level else results

    monkeypatch.setattr(FrameRunner, "run", tamper)


def raise_one(results: Any) -> Any:
    results[3, 2] += 1
    results[4, 1] += 7
    return results


@pytest.mark.parametrize("level", ["bnn", "dataflow", "packed", "c"])
def test_a_disagreement_is_found_and_named(level: str, monkeypatch: pytest.MonkeyPatch):
    tampered(level, raise_one, monkeypatch)
    result = run_irc(*VERIFY, "--levels", f"onnx,{level}")
    assert (result.code, result.err) == (FAILURE, "")
    assert rows(result.out, "level")[2][:3] == [level, "5", "60.00 % (2 differ)"]
    # Image 3, logit 2, from before the change by one.
    found = re.search(
        rf"disagreement: level {level}: image 3: result \[2\] is (\S+), "
        r"the reference says (\S+)\n",
        result.out,
    )
    assert found is not None
    assert float(found[1]) == float(found[2]) + 1


def test_every_level_that_disagrees_is_named(monkeypatch: pytest.MonkeyPatch):
    tampered("onnx", raise_one, monkeypatch)
    result = run_irc(*VERIFY, *FAST_LEVELS)
    assert result.code == FAILURE
    assert result.out.count("disagreement: level ") == 3


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_number_agrees_with_nothing(value: float, monkeypatch: pytest.MonkeyPatch):
    def change(results: Any) -> Any:
        results = results.astype(np.float32)
        results[0, 0] = value
        return results

    tampered("bnn", change, monkeypatch)
    result = run_irc(*VERIFY, "--levels", "onnx,bnn")
    assert result.code == FAILURE
    assert f"image 0: result [0] is {value}" in result.out


def test_a_hundred_percent_means_all(monkeypatch: pytest.MonkeyPatch):
    save_data(Path("test.npz"), x=frames(30_000))
    tampered("bnn", raise_one, monkeypatch)
    result = run_irc(*VERIFY, "--levels", "onnx,bnn")
    assert rows(result.out, "level")[2][2] == "99.99 % (2 differ)"


def test_changed_text_is_found(tmp_path: Path):
    """A weight flipped in the IR: the text is at level bnn, hence compared with itself; the
    answers of the model, stored as data's classes, tell."""
    save_data(Path("test.npz"), y=labels())
    text = run_opt("net.onnx", "--compile-to=bnn", "--input", "x=uint8/255").out
    Path("good.mlir").write_text(text)
    flipped = re.sub(r'(bnn\.linear[^"]*"0x)(\w)', lambda m: m[1] + f"{15 - int(m[2], 16):x}", text)
    assert flipped != text
    Path("bad.mlir").write_text(flipped)
    for name, accuracy in (("good", "100.00 %"), ("bad", None)):
        result = run_irc("verify", f"{name}.mlir", "--data", "test.npz", "--levels", "bnn,packed")
        table = rows(result.out, "level")
        assert (table[1][3] == "100.00 %") is (accuracy is not None)


def test_a_second_output_is_compared_too(monkeypatch: pytest.MonkeyPatch):
    def second(model: ModelProto) -> None:
        model.graph.output.append(helper.make_tensor_value_info("fc2", TensorProto.FLOAT, [1, 4]))

    save(Path("net.onnx"), second)
    assert run_irc(*VERIFY, "--levels", "onnx,bnn,packed,c").code == 0

    from irc.flow.levels import FrameRunner

    run = FrameRunner.run

    def tamper(self: FrameRunner, at: str, count: int, progress: Any = None) -> list[Any]:
        first, other = run(self, at, count, progress)
        return [first, raise_one(other.copy()) if at == "packed" else other]

    monkeypatch.setattr(FrameRunner, "run", tamper)
    result = run_irc(*VERIFY, "--levels", "onnx,packed")
    assert result.code == FAILURE
    assert "level packed: image 3: output 1 [2] is" in result.out


def test_floats_may_differ_in_the_last_places(monkeypatch: pytest.MonkeyPatch):
    """The example's `Mul` by 0.5 gives halves, which are floats to `irc verify`."""
    model = network()
    scale = np.array(0.3, np.float32)
    model.graph.initializer.append(numpy_helper.from_array(scale, "scale"))
    model.graph.node.append(node("Mul", ["y", "scale"], "z"))
    model.graph.output[0].name = "z"
    Path("net.onnx").write_bytes(model.SerializeToString())
    largest = 6 * 0.5 * 0.3

    for ulps, code in ((1, 0), (1000, FAILURE)):

        def change(results: Any, ulps: int = ulps) -> Any:
            return results + ulps * np.spacing(np.float32(largest / 2))

        with monkeypatch.context() as patch:
            tampered("bnn", change, patch)
            assert run_irc(*VERIFY, "--levels", "onnx,bnn").code == code


def test_another_reference_than_onnx_runtime_is_named(monkeypatch: pytest.MonkeyPatch):
    """Models that use what ONNX Runtime lacks are compared with ONNX's own implementation."""
    from irc.interp import onnx_reference

    def refuse(*_: Any) -> Any:
        raise onnx_reference._RejectedError("no such kernel")  # pyright: ignore[reportPrivateUsage]

    monkeypatch.setattr(onnx_reference, "_onnxruntime", refuse)
    table = rows(run_irc(*VERIFY, "--levels", "onnx,bnn").out, "level")
    assert table[0][2] == "agreement with ONNX's reference implementation"
    assert table[2][2] == "100 %"


# Data and output


@pytest.mark.parametrize("shape", [(5, 8), (5, 2, 4), (5, 1, 8), (5, 8, 1, 1)])
def test_frames_of_any_shape_and_npy(shape: tuple[int, ...]):
    np.save("plain.npy", frames().reshape(shape))
    result = run_irc("verify", "net.onnx", *DECLARED, "--data", "plain.npy", *FAST_LEVELS)
    assert result.code == 0
    assert {cells[3] for cells in rows(result.out, "level")[1:]} == {""}


@pytest.mark.parametrize("batch", ["N", 4, 1])
def test_models_of_any_batch(batch: Any):
    def change(model: ModelProto) -> None:
        for value in (*model.graph.input, *model.graph.output):
            dim = value.type.tensor_type.shape.dim[0]
            if isinstance(batch, str):
                dim.dim_param = batch
            else:
                dim.dim_value = batch

    save(Path("net.onnx"), change)
    assert run_irc(*VERIFY, *FAST_LEVELS).code == 0


def test_json_says_what_the_table_says(monkeypatch: pytest.MonkeyPatch):
    tampered("bnn", raise_one, monkeypatch)
    run_irc(*VERIFY, "--levels", "onnx,bnn", "--json", "verify.json")
    report = json.loads(Path("verify.json").read_text())
    assert report["model"] == "net.onnx"
    assert (report["reference"], report["engine"]) == ("onnx", "onnxruntime")
    first, second = report["levels"]
    assert first["level"] == "onnx"
    assert first["agreement"] == {
        "images": 5,
        "equal": 5,
        "same_class": 5,
        "largest": 0.0,
        "first": None,
    }
    assert first["accuracy"] is None
    assert first["seconds"] >= 0
    difference = second["agreement"]["first"]
    assert second["agreement"]["equal"] == 3
    assert (difference["level"], difference["image"], difference["index"]) == ("bnn", 3, [2])
    assert difference["value"] == difference["expected"] + 1


def test_text_at_level_bnn_has_no_onnx_model_to_compare_with():
    text = run_opt("net.onnx", "--compile-to=bnn", "--input", "x=uint8/255").out
    Path("net.mlir").write_text(text)
    result = run_irc("verify", "net.mlir", "--data", "test.npz", *FAST_LEVELS)
    assert result.code == FAILURE
    assert result.err == "error: net.mlir: level onnx needs the ONNX model itself\n"
    result = run_irc("verify", "net.mlir", "--data", "test.npz", "--levels", "bnn,packed")
    assert result.code == 0


def test_levels_below_what_the_text_is_at():
    text = run_opt("net.onnx", "--compile-to=packed", "--input", "x=uint8/255").out
    Path("low.mlir").write_text(text)
    result = run_irc("verify", "low.mlir", "--data", "test.npz", "--levels", "bnn,packed")
    assert result.code == FAILURE
    assert "low.mlir: is at level packed; expected a model" in result.err


def test_nothing_runs_where_a_level_cannot_be_reached(monkeypatch: pytest.MonkeyPatch):
    def never(*_: Any) -> None:
        raise AssertionError("frames ran")

    def float_weights(model: ModelProto) -> None:
        node_named(model, "fc1").input[1] = "w1"

    save(Path("bad.onnx"), float_weights)
    monkeypatch.setattr("irc.flow.levels.run_reference", never)
    result = run_irc("verify", "bad.onnx", "--data", "test.npz", *FAST_LEVELS)
    assert result.code == FAILURE
    assert "targets c and host need quantized weights and inputs" in result.err


def test_levels_are_checked_before_anything_is_read():
    assert run_irc("verify", "no.onnx", "--data", "no.npz", "--levels", "x").code == USAGE
