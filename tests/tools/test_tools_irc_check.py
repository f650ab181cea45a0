"""`irc check` says what each target supports: every obstacle once, with its node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, rows, run_irc
from model_files import node_named, save
from onnx import ModelProto

pytestmark = pytest.mark.usefixtures("workplace")


def test_a_supported_model():
    result = run_irc("check", "net.onnx", *DECLARED)
    assert (result.code, result.err) == (0, "")
    assert rows(result.out, "target") == [
        ["target", "supported"], ["verilog", "yes"], ["c", "yes"], ["host", "yes"],
    ]  # fmt: skip
    assert rows(result.out, "layer") == [
        ["layer", "operation", "shape", "weight bits", "MACs"],
        ["bits", "threshold", "8", "0", "0"],
        ["fc1", "dense + threshold", "8 → 6", "48", "48"],
        ["fc2", "dense", "6 → 4", "24", "24"],
    ]
    assert "leaves to the host" not in result.out
    assert "obstacle" not in result.out


def test_an_input_that_is_not_declared():
    """The C quantizes floats itself; for the hardware, the host does."""
    result = run_irc("check", "net.onnx")
    assert (result.code, result.err) == (0, "")
    assert rows(result.out, "target")[1:] == [["verilog", "yes"], ["c", "yes"], ["host", "yes"]]
    assert "verilog leaves to the host: bits (bnn.quantize)" in result.out


@pytest.mark.parametrize("target", ["verilog", "c", "host"])
@pytest.mark.parametrize("declared", [DECLARED, ()])
def test_compiling_succeeds_where_check_says_so(target: str, declared: tuple[str, ...]):
    """And only there."""
    run_irc("check", "net.onnx", *declared, "--json", "check.json")
    findings: list[Any] = json.loads(Path("check.json").read_text())["findings"]
    supported = not any(target in finding["targets"] for finding in findings)
    result = run_irc("compile", "net.onnx", *declared, "--target", target)
    assert (result.code == 0) is supported


def test_every_obstacle_is_listed_once():
    """Also behind another one, and not what only follows from it."""

    def break_it(model: ModelProto) -> None:
        for name in ("centred", "norm"):
            broken = node_named(model, name)
            broken.op_type = "Hardmax"
            del broken.input[1:]

    save(Path("bad.onnx"), break_it)
    result = run_irc("check", "bad.onnx", *DECLARED)
    assert result.code == FAILURE
    obstacles = rows(result.out, "node")[1:]
    assert [cells[0] for cells in obstacles] == ["centred (Hardmax)", "norm (Hardmax)"]
    assert [cells[2] for cells in obstacles] == ["verilog, c, host"] * 2


def float_weights(model: ModelProto) -> None:
    """Take the quantizers off both layers' weights."""
    node_named(model, "fc1").input[1] = "w1"
    node_named(model, "fc2").input[1] = "w2"


def test_independent_obstacles_do_not_hide_each_other():
    save(Path("bad.onnx"), float_weights)
    obstacles = rows(run_irc("check", "bad.onnx").out, "node")[1:]
    text = "\n".join(" ".join(cells) for cells in obstacles)
    assert "fc1 (bnn.linear) its weights are floats" in text
    assert "fc2 (bnn.linear) its weights are floats" in text


def test_the_real_models(shared_dir: Path):
    for name, declared in (("tfc_1w1a", ["--input", "0=uint8/255"]), ("lfc_1w1a", [])):
        result = run_irc("check", shared_dir / "models" / f"{name}_mnist.onnx", *declared)
        assert result.code == 0, result.out
        assert "exact for any evaluation order" in result.out


def test_json():
    save(Path("bad.onnx"), float_weights)
    result = run_irc("check", "bad.onnx", "--json", "check.json")
    report = json.loads(Path("check.json").read_text())
    assert set(report) == {"model", "findings", "layers", "ambiguous", "on_host"}
    assert report["model"] == "bad.onnx"
    first = report["findings"][0]
    assert set(first) == {"node", "reason", "targets"}
    assert (first["node"], first["targets"]) == ("fc1 (bnn.linear)", ["c", "host"])
    assert first["reason"].startswith("its weights are floats")
    assert report["layers"][0] == {
        "name": "fc1",
        "operation": "dense",
        "shape": "8 → 6",
        "weight_bits": 32 * 48,
        "macs": 48,
        "pe": None,
        "simd": None,
        "mmv": None,
        "products": None,
        "cycles": None,
        "nodes": ["fc1"],
    }
    assert result.out != ""


def test_json_on_stdout_is_alone_there():
    result = run_irc("check", "net.onnx", *DECLARED, "--json", "-")
    assert json.loads(result.out)["findings"] == []
    assert "supported" in result.err


def test_tables_in_pipes_fit_120_columns():
    result = run_irc("check", "net.onnx")
    assert max(map(len, result.out.splitlines())) <= 120
