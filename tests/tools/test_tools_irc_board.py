"""`irc compile --board` and `irc synth` of what it wrote."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from irc_runner import DECLARED, USAGE, fails, run_irc
from model_files import save
from test_tools_irc_reload import retrain

_DERIVED = r"Derived frequency constraint of ([0-9.]+) MHz for net \S*core_clock"


def compile_board(*options: object) -> Path:
    result = run_irc("compile", "net.onnx", *DECLARED, "--target", "verilog", *options, "-o", "hw")
    assert result.code == 0, result.text
    return Path("hw")


def simulate(folder: Path, *options: str) -> list[str]:
    """Run the folder's own simulation of the whole top; the names of the tests that passed."""
    command = [sys.executable, str(folder.resolve() / "board" / "simulate.py"), "--seed", "7"]
    run = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return re.findall(r"^pass +(\w+)", run.stdout, re.MULTILINE)


def test_a_board_implies_device_and_clock(workplace: Path):
    folder = compile_board("--board", "icebreaker", "--json", "c.json")
    board = json.loads((folder / "board" / "board.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (board["device"], board["clock"], board["baud"]) == ("up5k", 24.0, 1_000_000)
    assert (board["bridge"], board["top"]) == ("uart", "net_board")
    assert manifest["estimate"]["device"] == "up5k"
    assert board["frame_bytes"] == manifest["input"]["beats"] * manifest["input"]["bits"] // 8
    for name in ("host.py", "simulate.py", "README.md", "icebreaker.pcf", "tb/test_board.py"):
        assert (folder / "board" / name).stat().st_size > 100
    assert "the bridge" not in json.dumps(manifest["sources"])


def test_options_of_boards_are_checked(workplace: Path):
    def wrong(*options: object) -> str:
        return fails(USAGE, "compile", "net.onnx", *DECLARED, *options)

    verilog = ("--target", "verilog")
    assert "--board icebreaker: target c has no board" in wrong(
        "--target", "c", "--board", "icebreaker"
    )
    assert "--baud 9600: give --board as well" in wrong(*verilog, "--baud", 9600)
    assert "unknown board 'ice'; expected arty-a7" in wrong(*verilog, "--board", "ice")
    assert "--device hx8k: board icebreaker has a up5k" in wrong(
        *verilog, "--board", "icebreaker", "--device", "hx8k"
    )
    assert "--baud 9600: only the UART has a bit rate" in wrong(
        *verilog, "--board", "icebreaker", "--bridge", "spi", "--baud", 9600
    )
    assert "clock of 8 MHz: the PLL of iCE40 takes 16 to 275 MHz" in wrong(
        *verilog, "--board", "icebreaker", "--clock", 8
    )


def test_synth_needs_a_device_or_a_board(workplace: Path):
    run_irc("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "hw")
    assert "hw was not compiled for a device or a board; give --device or --board" in fails(
        USAGE, "synth", "hw"
    )
    compile_board("--board", "icebreaker")
    assert "--clock: the board in the folder has its own" in fails(
        USAGE, "synth", "hw", "--clock", 30
    )


BENCHES = {
    "icebreaker": (
        "who_is_there",
        "back_to_back",
        "random_gaps",
        "damaged_messages",
        "framing_error",
        "button",
        "reload_weights",
    ),
    "zybo-z7": (
        "frames_and_counters",
        "random_back_pressure",
        "control",
        "reload_weights",
        "stalled_weights",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("board", sorted(BENCHES))
def test_the_whole_top_answers_like_the_interpreter(board: str, workplace: Path):
    """Bits on the UART's pins, or AXI; the results expected are those of the dataflow interpreter,
    and, once what `irc reload` writes is loaded there, those of the retrained network."""
    save(workplace / "retrained.onnx", retrain)
    # Frames of several beats: one that has begun holds weights back.
    Path("net.fold").write_text('layer "bits" { pe = 2 } layer "fc1" { pe = 2 simd = 2 }')
    options = ("--board", board, "--reloadable", "--fold", "net.fold")
    folder = compile_board(*options)
    result = run_irc(
        "compile", "retrained.onnx", *DECLARED, "--target", "verilog", *options, "-o", "other"
    )
    assert result.code == 0, result.text
    assert run_irc("reload", folder, "retrained.onnx", "-o", "new.bin").code == 0
    other = Path("other/tb/expected.hex").read_text()
    assert other != (folder / "tb/expected.hex").read_text()
    assert Path("new.hex").read_text() != (folder / "tb/weights.hex").read_text()
    (folder / "tb/other_weights.hex").write_text(Path("new.hex").read_text())
    (folder / "tb/other_expected.hex").write_text(other)
    passed = simulate(folder, "--no-checksums")
    assert [name for name in passed if name != "partial_beat"] == list(BENCHES[board])


@pytest.mark.slow
def test_the_whole_top_answers_where_weights_are_fixed(workplace: Path):
    passed = simulate(compile_board("--board", "icebreaker"))
    assert passed == [name for name in BENCHES["icebreaker"] if name != "reload_weights"]


@pytest.mark.slow
def test_the_simulation_of_the_top_sees_a_wrong_core(workplace: Path):
    folder = compile_board("--board", "upduino-hfosc", "--bridge", "spi", "--clock", 12)
    expected = folder / "tb" / "expected.hex"
    text = expected.read_text()
    digit = text[-2]
    expected.write_text(f"{text[:-2]}{'0' if digit != '0' else '1'}\n")
    lines = expected.read_text().splitlines()
    expected.write_text("\n".join([f"{int(lines[0], 16) ^ 1:0{len(lines[0])}x}", *lines[1:], ""]))
    command = [sys.executable, str(folder.resolve() / "board" / "simulate.py"), "--no-checksums"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert re.search(r"FAIL  back_to_back: .*frame 0: got", run.stdout), run.stdout
    assert "pass  who_is_there" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "clock", "bitstream", "loader"),
    [
        ("icebreaker", 24.0, "bitstream.bin", "iceprog"),
        ("tangnano9k", 54.0, "bitstream.fs", "openFPGALoader --board tangnano9k"),
        ("colorlight-i5", 50.0, "bitstream.bit", "openFPGALoader --board colorlight-i5"),
    ],
)
def test_a_bitstream_that_can_be_loaded(
    board: str, clock: float, bitstream: str, loader: str, workplace: Path
):
    folder = compile_board("--board", board, "--clock", clock)
    result = run_irc("synth", folder, "--json", "s.json")
    assert result.code == 0, result.text
    report = json.loads(Path("s.json").read_text())
    output = folder / f"synth-{board}"
    assert (output / bitstream).stat().st_size > 10_000
    assert f"to load it: {loader} {output}/{bitstream}" in result.text
    assert report["board"] == board
    assert report["fmax"] >= report["clock"] == clock
    assert report["frames_per_second"] == pytest.approx(clock * 1e6 / report["cycles"])
    assert 300 < report["around"]["luts"] < 900
    # nextpnr works the PLL's output out for itself, except Gowin's, where it is told.
    log = (output / "nextpnr.log").read_text()
    told = r"PASS at ([0-9.]+) MHz" if bitstream.endswith("fs") else _DERIVED
    derived = re.search(told, log)
    assert derived is not None, log[:4000]
    assert float(derived[1]) == pytest.approx(clock, rel=1e-3)
