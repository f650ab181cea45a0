"""Folding for a device on the command line, and what the folder then says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, run_irc


def compile_for(*options: object) -> str:
    result = run_irc(
        "compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "net_hw", *options
    )
    assert result.code == 0, result.text
    return result.text


def manifest() -> dict[str, object]:
    return json.loads(Path("net_hw/manifest.json").read_text())


def test_a_rate_is_reached_and_the_estimate_recorded(workplace: Path):
    text = compile_for("--device", "hx8k", "--fps", 1_000_000, "--json", "net.json")
    found = manifest()
    assert isinstance(found["cycles"], int)
    assert found["cycles"] <= 60
    estimate = json.loads(Path("net.json").read_text())["estimate"]
    assert estimate == found["estimate"]
    assert estimate["device"] == "hx8k"
    assert estimate["clock"] == 60
    assert sum(m["luts"] for m in estimate["modules"].values()) <= estimate["total"]["luts"]
    assert estimate["frames_per_second"] == pytest.approx(60e6 / found["cycles"])
    assert re.search(r"hx8k: about [\d,]+ of 7,680 LUT4s, \d+ of 32 block RAMs", text)
    assert re.search(r"[\d,]+ frames/s at 60 MHz", text)
    assert re.search(r"layer '.*' limits", text)


def test_the_folding_that_was_used_can_be_edited_and_given_back(workplace: Path):
    compile_for("--device", "up5k", "--smallest")
    smallest = Path("net_hw/folding.txt").read_text()
    compile_for("--device", "up5k")
    cycles, written = manifest()["cycles"], Path("net_hw/folding.txt").read_text()
    assert written != smallest
    Path("mine.txt").write_text(written)
    # What a person wrote wins over a goal.
    text = compile_for("--device", "up5k", "--smallest", "--fold", "mine.txt")
    assert manifest()["cycles"] == cycles
    assert Path("net_hw/folding.txt").read_text() == written
    assert "limits" not in text


def test_without_a_goal_the_folding_is_the_default(workplace: Path):
    compile_for()
    before, default = manifest(), Path("net_hw/folding.txt").read_text().splitlines()
    assert before["estimate"] is None
    compile_for("--device", "ecp5-25k", "--clock", 80)
    head, *layers = Path("net_hw/folding.txt").read_text().splitlines()
    # But for the registers that the clock asks for.
    assert [re.sub(" stages = [0-9]+", "", layer) for layer in layers] == default[1:]
    assert head == f"{default[0]}, for ecp5-25k"
    estimate = manifest()["estimate"]
    assert isinstance(estimate, dict)
    assert estimate["clock"] == 80


def test_mistakes_are_told(workplace: Path):
    hardware = ("compile", "net.onnx", *DECLARED, "--target", "verilog")
    assert "give --device" in fails(USAGE, *hardware, "--fps", 100)
    assert "unknown device 'up6k'; expected up5k" in fails(USAGE, *hardware, "--device", "up6k")
    assert "not allowed with argument" in fails(
        USAGE, *hardware, "--device", "up5k", "--fps", 100, "--fastest"
    )
    assert "expected frames a second" in fails(USAGE, *hardware, "--device", "up5k", "--fps", "x")
    assert "--device: target c is not folded" in fails(
        USAGE, "compile", "net.onnx", *DECLARED, "--target", "c", "--device", "up5k"
    )
    message = fails(FAILURE, *hardware, "--device", "up5k", "--fps", 1e9)
    assert "frames/s are out of reach" in message
    assert not Path("net-verilog").exists()
