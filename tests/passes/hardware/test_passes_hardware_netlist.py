"""Synthesised netlists answer like the Verilog that they were made from."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hardware_nets import fold, linear, network, random_values, threshold, to_dataflow
from hardware_projects import HardwareProject
from icarus_tool import require_icarus
from xdsl.dialects.builtin import TensorType

from irc.backends.synth.devices import Device, device_named
from irc.backends.synth.yosys import CORE_VERILOG, synthesise
from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.errors import IrcError
from irc.flow.manifest import read_manifest
from irc.flow.netlist_check import check_netlist
from irc.flow.synth import copy_sources


@pytest.mark.slow
@pytest.mark.parametrize("device", ["xc7", "gw1nr-9c"])
def test_a_netlist_answers_like_its_source_and_a_wrong_one_does_not(
    device: str, tmp_path: Path
) -> None:
    require_icarus()
    rng = np.random.default_rng(1)
    weights = random_values(rng, bnn.bipolar, (4, 12))
    layers = [linear(weights, bnn.bipolar), threshold(rng.integers(-4, 5, (4, 1)), bnn.bipolar)]
    module = network(TensorType(bnn.bipolar, (12,)), layers)
    to_dataflow(module)
    fold(module, [Folding(4, 12, "logic")])
    project = HardwareProject(tmp_path / "net", module, random_values(rng, bnn.bipolar, (40, 12)))
    chosen, work = device_named(device), tmp_path / "synth"
    work.mkdir()
    with pytest.raises(IrcError, match=f"{CORE_VERILOG}: missing; expected a folder"):
        check_netlist(project.folder, work, chosen)
    sources = copy_sources(project.folder, read_manifest(project.folder, "verilog", ()), work)
    synthesise(chosen.family, "net", "net", sources, work, lambda line: None)
    found = check_netlist(project.folder, work, chosen, simulator="icarus", stall=0.2)
    assert found.agrees
    assert found.frames == 40
    netlist = (work / CORE_VERILOG).read_text()
    wrong = re.sub(r"INIT\((64|16)'h", r"INIT(~\1'h", netlist)
    assert wrong != netlist
    (work / CORE_VERILOG).write_text(wrong)
    assert is_refuted(project.folder, work, chosen)


def is_refuted(folder: Path, work: Path, device: Device) -> bool:
    """Whether a netlist gives wrong results, or breaks the handshakes."""
    try:
        return not check_netlist(folder, work, device, simulator="icarus").agrees
    except IrcError as error:
        return "the simulation of the Verilog failed" in str(error)
