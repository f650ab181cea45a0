"""`irc profile` on a folder that `irc compile` wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, run_irc


@pytest.fixture
def folder(workplace: Path) -> Path:
    run_irc("compile", "net.onnx", *DECLARED, "--target", "c", "-o", "net_c", "--vectors", "5")
    return workplace / "net_c"


@pytest.mark.parametrize("core", ["cortex-m0plus", "rv32imc-zbb"])
def test_the_table_adds_up(core: str, folder: Path):
    result = run_irc(
        "profile", folder, "--cpu", core, "--compiler", "zig", "--frames", 3, "--json", "p.json"
    )
    assert result.code == 0, result.text
    assert "every value is the expected one" in result.text
    report = json.loads(Path("p.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [layer["label"] for layer in report["layers"]] == [
        layer["label"] for layer in manifest["layers"]
    ]
    assert report["frames"] == 3
    assert all(layer["instructions"] > 0 for layer in report["layers"])
    parts = sum(layer["instructions"] for layer in report["layers"])
    # The calls between the layers cost a few instructions each.
    assert abs(report["instructions"] - parts) < 40 * len(report["layers"]) + 60
    assert 0 < report["stack_bytes"] < 1000
    assert report["code_bytes"] > 100


def test_a_wrong_constant_makes_it_fail(folder: Path):
    source = folder / "net.c"
    text = source.read_text()
    weights = re.search(r"_weights\[\d+\] = \{\n\s+(\w+)", text)
    assert weights is not None
    position = weights.start(1)
    flipped = f"{int(weights[1].rstrip('u'), 16) ^ 0x3F:#010x}u"
    source.write_text(text[:position] + flipped + text[position + len(weights[1]) :])
    result = run_irc("profile", folder, "--cpu", "cortex-m3", "--compiler", "zig", "--frames", 5)
    assert result.code == FAILURE
    assert re.search(r"DISAGREEMENT: \d+ values differ", result.text)


def test_mistakes_are_told(folder: Path):
    assert "unknown core 'z80'; expected cortex-m0plus" in fails(
        USAGE, "profile", folder, "--cpu", "z80"
    )
    assert "expected a folder that `irc compile --target c` wrote" in fails(
        FAILURE, "profile", folder.parent, "--cpu", "cortex-m4"
    )
    (folder / "net.c").unlink()
    assert "net.c: no such file" in fails(
        FAILURE, "profile", folder, "--cpu", "cortex-m4", "--compiler", "zig"
    )


def test_a_folder_for_other_targets_is_refused(workplace: Path):
    run_irc("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "net_hw")
    assert "not of a C folder" in fails(FAILURE, "profile", "net_hw", "--cpu", "cortex-m4")
