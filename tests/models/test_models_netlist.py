"""The netlist of a trained network, of cells of iCE40, gives what its Verilog gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from irc.backends.synth.devices import device_named
from irc.backends.synth.yosys import synthesise
from irc.flow.compile import compile_model
from irc.flow.frames import load_data
from irc.flow.ladder import Ladder
from irc.flow.manifest import read_manifest
from irc.flow.netlist_check import check_netlist
from irc.flow.synth import copy_sources

IMAGES = 100


@pytest.mark.slow
def test_the_netlist_of_tfc_answers_like_its_verilog(shared_dir: Path, tmp_path: Path) -> None:
    ladder = Ladder(shared_dir / "models" / "tfc_1w1a_mnist.onnx", ("0=uint8/255",))
    data = load_data(shared_dir / "data" / "mnist_test.npz")
    compile_model(ladder, "verilog", str(tmp_path / "tfc"), data, vectors=IMAGES)
    device, work = device_named("up5k"), tmp_path / "synth"
    work.mkdir()
    manifest = read_manifest(tmp_path / "tfc", "verilog", ("cycles",))
    sources = copy_sources(tmp_path / "tfc", manifest, work)
    synthesise(device.family, ladder.name, ladder.name, sources, work, lambda line: None)
    found = check_netlist(tmp_path / "tfc", work, device)
    assert found.agrees
    assert found.frames == IMAGES
    assert found.cycles == manifest["cycles"]
