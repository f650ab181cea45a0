"""The emitted folder: files, manifest, README, and the refusal of what does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hw_designs import xnor_accumulator_model, xnor_project
from hw_tools import require_icarus
from xdsl.dialects.builtin import ModuleOp

from irc.backends.verilog.lint import lint_icarus, lint_verilator, lint_yosys
from irc.backends.verilog.project import Vectors, write_verilog_project
from irc.backends.verilog.simulate import simulate_frames
from irc.errors import IrcError
from irc.interp.rtl import HwSimulator
from irc.interp.rtl_axis import run_axis
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port


@pytest.fixture
def project(tmp_path: Path) -> Path:
    module, vectors, metadata = xnor_project(6, 12, init="readmemh")
    folder = tmp_path / "project"
    paths = write_verilog_project(
        module, folder, top="xnor_acc", vectors=vectors, metadata=metadata
    )
    assert all(path.is_file() for path in paths)
    assert {p for p in folder.rglob("*") if p.is_file()} == set(paths)
    return folder


def test_files_and_manifest_agree(project: Path) -> None:
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["generator"].startswith("irc ")
    assert manifest["top"] == "xnor_acc"
    assert manifest["cycles"] == 12
    assert manifest["hex"].keys() == {
        "rtl/xnor_acc_weights.hex",
        "tb/stimulus.hex",
        "tb/expected.hex",
    }
    for name, entry in manifest["hex"].items():
        lines = (project / name).read_text().splitlines()
        assert (len(lines), len(lines[0])) == (entry["words"], entry["digits"])
    assert (manifest["input"]["beats"], manifest["output"]["beats"]) == (12, 1)


def test_readme_says_how_data_are_packed_and_how_to_run(project: Path) -> None:
    text = (project / "README.md").read_text()
    assert "python run.py" in text
    assert "`s_axis_tdata[1·i +: 1]`" in text
    assert "1 is +1, 0 is −1" in text
    assert "8,333,333 frames a second at 100 MHz" in text
    assert "| layer | cycles |" in text


def test_beats_are_written_most_significant_digit_first(project: Path) -> None:
    _, vectors, _ = xnor_project(6, 12)
    lines = (project / "tb" / "expected.hex").read_text().splitlines()
    words = vectors.expected.reshape(-1, 2).astype(int)
    assert [int(line, 16) for line in lines] == [low + 256 * high for low, high in words]


def test_the_design_is_clean_in_every_tool(project: Path) -> None:
    files = sorted((project / "rtl").glob("*.v"))
    assert lint_verilator(files, "xnor_acc") == ""
    assert lint_yosys(files, "xnor_acc") == ""
    require_icarus()
    assert lint_icarus(files, "xnor_acc") == ""


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, vectors, metadata = xnor_project(2, 4)

    def interrupted(self: Path, mode: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_verilog_project(
            module, tmp_path / "out", top="xnor_acc", vectors=vectors, metadata=metadata
        )
    assert list(tmp_path.iterdir()) == []


def test_vectors_must_fit_the_ports(tmp_path: Path) -> None:
    module, vectors, metadata = xnor_project(4, 4)

    def write(vectors: Vectors) -> None:
        write_verilog_project(
            module, tmp_path / "out", top="xnor_acc", vectors=vectors, metadata=metadata
        )

    with pytest.raises(IrcError, match="s_axis_tdata has 8 bits, but the vectors have 3 beats"):
        write(Vectors(vectors.stimulus[:, :3], vectors.expected))
    with pytest.raises(IrcError, match="m_axis_tdata has 16 bits, but the vectors have 1 beats of"):
        write(Vectors(vectors.stimulus, vectors.expected[:, :, :1]))
    with pytest.raises(IrcError, match="4 frames go in and 3 come out"):
        write(Vectors(vectors.stimulus, vectors.expected[:3]))
    assert list(tmp_path.iterdir()) == []


def test_the_top_must_have_stream_ports(tmp_path: Path) -> None:
    b = HwBuilder("bare", [*CLOCK_RESET, Port.output("y", 1)], public=True)
    b.output("y", 1)
    _, vectors, metadata = xnor_project(4, 4)
    with pytest.raises(IrcError, match="top module 'bare': the ports must be"):
        write_verilog_project(
            ModuleOp([b.finish()]), tmp_path, top="bare", vectors=vectors, metadata=metadata
        )


def test_the_simulator_of_the_hw_level_agrees_with_the_model() -> None:
    module, vectors, _ = xnor_project(30, 12)
    simulator = HwSimulator(module, "xnor_acc", seed=1)
    full_rate = run_axis(simulator, vectors.stimulus, 1, 2)
    assert np.array_equal(full_rate.beats, vectors.expected)
    assert full_rate.cycles_a_frame == 12
    stalled = run_axis(simulator, vectors.stimulus, 1, 2, source_stall=0.4, sink_stall=0.4)
    assert np.array_equal(stalled.beats, vectors.expected)


def simulate(project: Path, simulator: str) -> None:
    """Frames that the project does not know, twice: with and without stalls."""
    _, vectors, _ = xnor_project(300, 12, seed=0)
    seen: list[tuple[int, int]] = []
    for stall in (0.0, 0.3):
        result = simulate_frames(
            project,
            vectors.stimulus,
            simulator=simulator,
            stall=stall,
            progress=lambda done, total: seen.append((done, total)),
        )
        assert np.array_equal(result.beats, vectors.expected)
        assert (result.cycles == 12) == (stall == 0)
    assert seen[-1] == (300, 300)


def test_simulate_frames_with_icarus(project: Path) -> None:
    require_icarus()
    simulate(project, "icarus")


@pytest.mark.slow
def test_simulate_frames_with_verilator(project: Path) -> None:
    simulate(project, "verilator")


def test_simulation_failures_carry_the_tool_s_words(project: Path) -> None:
    require_icarus()
    path = project / "rtl" / "xnor_acc.v"
    path.write_text(path.read_text().replace("reg [15:0] acc;", ""))
    _, vectors, _ = xnor_project(3, 12)
    with pytest.raises(IrcError, match=r"failed:(.|\n)*xnor_acc\.v is not what was generated"):
        simulate_frames(project, vectors.stimulus, simulator="icarus")


def test_model_counts_equal_bits() -> None:
    weights = np.array([[1, 0, 1, 1, 0, 0, 0, 0]])
    stimulus = np.array([[[0b00001101]], [[0b11110010]]], np.uint8)
    assert xnor_accumulator_model(weights, stimulus).tolist() == [[[8, 0]], [[0, 0]]]
