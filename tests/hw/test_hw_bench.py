"""The emitted project proves a right design right and every wrong one wrong.

Wrong designs are made by editing the emitted files, as a mistake in the compiler or a bad copy
would.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hw_designs import xnor_project
from hw_tools import require_icarus

from irc.backends.verilog.project import write_verilog_project

TESTS = ("full_rate", "random_stalls", "reset_in_mid_frame", "batch_with_stalls")


@pytest.fixture(scope="module")
def good_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "project"
    module, vectors, metadata = xnor_project(40, 12, init="readmemh")
    write_verilog_project(module, folder, top="xnor_acc", vectors=vectors, metadata=metadata)
    return folder


@pytest.fixture
def project(good_project: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(good_project, tmp_path / "project"))


def run(project: Path, *arguments: str, simulator: str = "icarus") -> tuple[int, str]:
    """Exit code and output of the project's own runner."""
    command = [sys.executable, "run.py", "--sim", simulator, "--seed", "5", *arguments]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr


def edit(project: Path, old: str, new: str) -> None:
    """Replace a text in the design."""
    path = project / "rtl" / "xnor_acc.v"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def failed_tests(output: str) -> set[str]:
    return set(re.findall(r"^FAIL +(\w+)", output, re.MULTILINE))


def test_a_right_design_passes_under_icarus(good_project: Path) -> None:
    require_icarus()
    code, output = run(good_project)
    assert code == 0, output
    assert "4 of 4 tests passed" in output
    assert all(f"pass  {name}" in output for name in TESTS)
    assert "32 frames, 12 cycles a frame (model: 12)" in output
    assert "seed 5" in output
    assert "source 40%, sink 0%" in output


@pytest.mark.slow
def test_a_right_design_passes_under_verilator(project: Path) -> None:
    code, output = run(project, simulator="verilator")
    assert code == 0, output
    assert "built in" in output
    code, output = run(project, simulator="verilator")
    assert code == 0, output
    assert "built in" not in output, "an unchanged design is not built again"


@pytest.mark.parametrize(
    ("old", "new", "caught_by", "said"),
    [
        pytest.param(
            "assign m_axis_tlast = 1'b1",
            "assign m_axis_tlast = 1'b0",
            set(TESTS),
            "TLAST 0",
            id="no TLAST",
        ),
        pytest.param(
            "wire ready = live & advance;",
            "wire ready = advance;",
            {"random_stalls", "reset_in_mid_frame"},
            "TREADY in or after reset",
            id="accepts in the cycle after reset",
        ),
        pytest.param(
            "live <= 1'b1;",
            "live <= 1'b0;",
            set(TESTS),
            "stuck: 0 of",
            id="deadlock",
        ),
        pytest.param(
            "assign m_axis_tvalid = out_valid",
            "assign m_axis_tvalid = out_valid & m_axis_tready",
            {"random_stalls"},
            "TVALID waits for TREADY",
            id="TVALID waits for TREADY",
        ),
        pytest.param(
            "wire advance = ~out_valid | m_axis_tready;",
            "wire advance = 1'b1;",
            {"random_stalls", "reset_in_mid_frame", "batch_with_stalls"},
            "TVALID fell before the beat was taken",
            id="TVALID falls",
        ),
        pytest.param(
            "assign m_axis_tdata = data",
            "assign m_axis_tdata = data ^ {15'd0, out_valid & ~m_axis_tready}",
            {"random_stalls", "reset_in_mid_frame", "batch_with_stalls"},
            "changed while waiting",
            id="TDATA changes while it waits",
        ),
        pytest.param(
            "index <= 4'd0;\n      valid",
            "valid",
            {"reset_in_mid_frame"},
            "stuck",
            id="a register without reset",
        ),
        pytest.param(
            "out_valid <= done",
            "out_valid <= done | out_valid",
            set(TESTS),
            "",
            id="every beat twice and more",
        ),
    ],
)
def test_wrong_designs_fail(
    project: Path, old: str, new: str, caught_by: set[str], said: str
) -> None:
    require_icarus()
    edit(project, old, new)
    assert "xnor_acc.v is not what was generated" in run(project)[1]
    code, output = run(project, "--no-checksums")
    assert code == 1
    assert caught_by <= failed_tests(output), output
    assert said in output


def test_a_design_slower_than_its_model_fails(project: Path) -> None:
    require_icarus()
    manifest = json.loads((project / "manifest.json").read_text())
    manifest["cycles"] = 9
    (project / "manifest.json").write_text(json.dumps(manifest))
    code, output = run(project)
    assert code == 1
    assert failed_tests(output) == {"full_rate"}
    assert "12 cycles a frame measured, the model says 9" in output


def test_every_flipped_weight_bit_fails(project: Path) -> None:
    """Once by its checksum, and once, with checksums off, by what the design computes."""
    require_icarus()
    path = project / "rtl" / "xnor_acc_weights.hex"
    original = path.read_text()
    words = original.split()
    for word, bit in ((0, 0), (5, 7), (11, 3)):
        flipped = words.copy()
        flipped[word] = f"{int(words[word], 16) ^ 1 << bit:02x}"
        path.write_text("\n".join(flipped) + "\n")
        code, output = run(project)
        assert code == 1
        assert "xnor_acc_weights.hex is not what was generated" in output
        code, output = run(project, "--no-checksums")
        assert code == 1
        assert failed_tests(output) == set(TESTS), output
    path.write_text(original)
    assert run(project, "--no-checksums")[0] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop the last line", "has 11 words, expected 12"),
        ("add a line", "has 13 words, expected 12"),
        ("drop a digit", "weights.hex:1: expected 2 hexadecimal digits, got"),
        ("no digit", "weights.hex:1: expected 2 hexadecimal digits, got 'z"),
    ],
)
def test_damaged_hex_files_are_named(project: Path, change: str, said: str) -> None:
    path = project / "rtl" / "xnor_acc_weights.hex"
    text = path.read_text()
    damaged = {
        "drop the last line": text[:-3],
        "add a line": text + "00\n",
        "drop a digit": text[1:],
        "no digit": "z" + text[1:],
    }
    path.write_text(damaged[change])
    code, output = run(project)
    assert code == 1
    assert said in output


def test_missing_files_and_tools_are_named(project: Path, tmp_path: Path) -> None:
    (project / "rtl" / "xnor_acc.v").rename(tmp_path / "elsewhere.v")
    code, output = run(project)
    assert code == 1
    assert "xnor_acc.v is missing" in output


def test_capture_plays_other_frames(good_project: Path, tmp_path: Path) -> None:
    require_icarus()
    captured = tmp_path / "out.hex"
    stimulus = tmp_path / "in.hex"
    lines = (good_project / "tb" / "stimulus.hex").read_text().splitlines()
    stimulus.write_text("\n".join(lines[12 * 7 : 12 * 10]) + "\n")
    code, output = run(
        good_project, "--stimulus", str(stimulus), "--capture", str(captured), "--stall", "0.2"
    )
    assert code == 0, output
    expected = (good_project / "tb" / "expected.hex").read_text().splitlines()
    assert captured.read_text().splitlines() == expected[7:10]
    stimulus.write_text("\n".join(lines[:13]) + "\n")
    code, output = run(good_project, "--stimulus", str(stimulus), "--capture", str(captured))
    assert code == 1
    assert "13 beats are no number of whole frames" in output
