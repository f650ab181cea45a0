"""`irc synth` on a folder that `irc compile` wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, USAGE, everything_in, fails, run_irc


@pytest.fixture
def folder(workplace: Path) -> Path:
    run_irc("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "net_hw")
    return workplace / "net_hw"


@pytest.mark.slow
@pytest.mark.parametrize("device", ["up5k", "ecp5-25k", "gw1nr-9c"])
def test_a_bitstream_comes_out(device: str, workplace: Path):
    """For the device that the folder was compiled for, with the estimate beside."""
    folder = workplace / "net_hw"
    run_irc(
        *("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", folder),
        *("--device", device, "--fps", 1_000_000),
    )
    result = run_irc("synth", folder, "--clock", 10, "--json", "s.json")
    assert result.code == 0, result.text
    report = json.loads(Path("s.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert Path(report["bitstream"]).stat().st_size > 10_000
    assert {layer["name"] for layer in manifest["layers"]} == {
        module["layer"] for module in report["modules"] if module["layer"]
    }
    for what in ("luts", "flipflops", "block_rams"):
        parts = sum(module["usage"][what] for module in report["modules"])
        # The top module holds little of its own: the counters of its frames.
        assert 0 <= report["total"][what] - parts <= 40
    assert report["fmax"] > 10
    assert report["frames_per_second"] == pytest.approx(report["fmax"] * 1e6 / report["cycles"])
    assert re.search(r"meets 10 MHz; [\d,]+ frames/s", result.text)
    assert report["device"] == device
    assert report["latency"] == pytest.approx(report["latency_cycles"] / report["fmax"])
    assert f"latency: {report['latency_cycles']:,} cycles, " in result.text
    assert report["estimate"] == manifest["estimate"]["total"]
    assert report["estimate"]["block_rams"] == report["total"]["block_rams"]
    for module in report["modules"]:
        assert module["estimate"]["block_rams"] == module["usage"]["block_rams"]


@pytest.mark.slow
def test_a_clock_that_is_missed_is_a_failure(folder: Path):
    result = run_irc("synth", folder, "--device", "up5k", "--clock", 400)
    assert result.code == FAILURE
    assert "MISSES 400 MHz" in result.text
    assert (folder / "synth-up5k" / "bitstream.bin").is_file()


@pytest.mark.slow
def test_without_place_and_route_there_is_a_netlist(folder: Path):
    result = run_irc("synth", folder, "--device", "xc7", "-o", "out")
    assert result.code == 0, result.text
    assert "not placed and routed" in result.text
    assert "LUT6s" in result.text
    assert Path("out/netlist.v").is_file()


def test_a_manifest_gives_no_orders(folder: Path):
    """Names in it become parts of the script that Yosys runs."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    order = "rtl/ ; tee -o pwned.txt help; log z.v"
    (folder / order).parent.mkdir(exist_ok=True)
    (folder / order).write_text("")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"top": "a; tee -o ../../pwned help"}, "top is 'a; tee -o ../../pwned help', not an id"),
        (
            {"sources": {**manifest["sources"], order: {"crc32": 0}}},
            f"a key of sources is {order!r}",
        ),
        ({"reload": {}}, "reload lacks bytes"),
    ]
    for changed, message in cases:
        path.write_text(json.dumps({**manifest, **changed}))
        before = everything_in(folder.parent)
        assert f"{path}: {message}" in fails(FAILURE, "synth", folder, "--device", "xc7")
        assert everything_in(folder.parent) == before


def test_mistakes_are_told(folder: Path):
    before = everything_in(folder)
    assert "unknown device 'up6k'; expected up5k" in fails(
        USAGE, "synth", folder, "--device", "up6k"
    )
    assert "expected MHz from 0.1 to 1000, not 'fast'" in fails(
        USAGE, "synth", folder, "--device", "up5k", "--clock", "fast"
    )
    assert "expected a folder that `irc compile --target verilog` wrote" in fails(
        FAILURE, "synth", folder.parent, "--device", "up5k"
    )
    next(folder.glob("rtl/*.v")).unlink()
    assert "missing, although" in fails(FAILURE, "synth", folder, "--device", "up5k")
    assert set(everything_in(folder)) < set(before)


def test_a_folder_for_other_targets_is_refused(workplace: Path):
    run_irc("compile", "net.onnx", *DECLARED, "--target", "c", "-o", "net_c")
    assert "not of a Verilog folder" in fails(FAILURE, "synth", "net_c", "--device", "up5k")
