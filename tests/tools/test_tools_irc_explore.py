"""`irc explore` on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, run_irc
from model_files import node, save
from onnx import ModelProto


def data_of(path: Path) -> dict[str, Any]:
    """What the page draws."""
    found = re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_it_writes_a_page(workplace: Path) -> None:
    result = run_irc("explore", "net.onnx", *DECLARED)
    assert result.code == 0
    assert result.out == "wrote net.html\n"
    data = data_of(workplace / "net.html")
    assert [level["name"] for level in data["levels"]] == ["onnx", "bnn", "dataflow", "packed"]
    assert [output["name"] for output in data["outputs"]] == ["Verilog", "C"]
    assert data["provenance"]["inputs"] == "x=uint8/255"
    assert sorted(path.name for path in workplace.iterdir()) == ["net.html", "net.onnx", "test.npz"]


def test_options_are_those_of_compile(workplace: Path) -> None:
    (workplace / "fold.txt").write_text('layer "fc1" { pe = 6 simd = 8 }\n', encoding="utf-8")
    options = ("--target", "verilog", "--device", "up5k", "--fold", "fold.txt", "--name", "tiny")
    result = run_irc("explore", "net.onnx", *DECLARED, *options, "-o", "page.html")
    assert result.code == 0, result.err
    data = data_of(workplace / "page.html")
    assert data["name"] == "tiny"
    assert [output["name"] for output in data["outputs"]] == ["Verilog"]
    assert data["outputs"][0]["files"][0]["name"] == "tiny.v"
    units = next(level for level in data["levels"] if level["name"] == "dataflow")
    assert any("LUT4s" in column["title"] for column in units["columns"])
    folded = next(stage for stage in data["stages"] if stage["spec"].startswith("set-folding"))
    text = "\n".join(data["lines"][number] for number in folded["lines"])
    assert "pe 6 simd 8" in text


def test_an_older_page_is_replaced(workplace: Path) -> None:
    (workplace / "net.html").write_text("old", encoding="utf-8")
    assert run_irc("explore", "net.onnx", *DECLARED, "--target", "c").code == 0
    assert data_of(workplace / "net.html")["facts"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-o", "none/page.html"), FAILURE, "none/page.html: there is no folder 'none'"),
        (("-o", "."), FAILURE, ".: is a folder; give the name of a file"),
        (("-o", ""), USAGE, "output '': expected the name of a file"),
        (("--target", "c", "--device", "up5k"), USAGE, "target c is not folded"),
        (("--target", "c", "--reloadable"), USAGE, "--reloadable: target c is not hardware"),
        (("--target", "c", "--fold", "f.txt"), USAGE, "--fold: target c is not hardware"),
        (("--target", "verilog", "--cpu", "cortex-m4"), USAGE, "--cpu: only target c chooses"),
        (("--target", "verilog", "--popcount", "swar"), USAGE, "--popcount: only target c chooses"),
        (("--target", "verilog", "--unroll", "0"), USAGE, "--unroll: only target c chooses"),
        (("-o", "net.onnx"), USAGE, "output net.onnx: is the model; give the name of another file"),
        (("-o", "./net.onnx"), USAGE, "output net.onnx: is the model"),
        (("--device", "up6k"), USAGE, "unknown device 'up6k'"),
        (("--fold", "f.txt"), FAILURE, "f.txt: no such file"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    workplace: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert message in fails(code, "explore", "net.onnx", *DECLARED, *arguments)


def add_operator(model: ModelProto) -> None:
    """Put an operator behind the network that no level below `onnx` has."""
    model.graph.node.append(node("Hardmax", ["y"], "z"))
    model.graph.output[0].name = "z"


def test_a_model_that_cannot_be_compiled_leaves_no_page(workplace: Path) -> None:
    save(workplace / "hardmax.onnx", add_operator)
    assert "node 'z' (Hardmax)" in fails(FAILURE, "explore", "hardmax.onnx", *DECLARED)
