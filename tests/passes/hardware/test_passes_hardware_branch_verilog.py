"""Branches as Verilog: clean in every tool and simulated by two of them, without latches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from branch_bench import unit_of
from hardware_nets import CONTEXT, Array, to_dataflow
from hardware_projects import HardwareProject
from residual_designs import NETWORKS
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.backends import toolchain
from irc.backends.verilog.check import check_design
from irc.backends.verilog.lint import lint_verilator, lint_yosys
from irc.backends.verilog.printer import print_design
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import StreamType
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters

Make = Callable[[Sequence[SSAValue]], Operation]
IMAGE = (4, 5, 6)


def add(element_type: Attribute, multipliers: Array | None) -> tuple[list[Attribute], Make]:
    """A sum of elements of one type and signed ones."""
    attribute = None if multipliers is None else bnn.DenseAttr.from_integers(multipliers)
    sint = bnn.sint(12)
    types = [element_type, bnn.sint(3)]
    return types, lambda x: dataflow.AddOp("sum", x[0], x[1], sint, attribute, 2)


UNITS: dict[str, tuple[list[Attribute], Make]] = {
    "fork": ([bnn.uint(2)], lambda x: dataflow.ForkOp(x[0], 3)),
    "add": add(bnn.uint(2), None),
    "add_scaled": add(bnn.uint(2), np.array([[7], [-3]])),
    "add_shifted": add(bnn.uint(2), np.array([[2], [-1]])),
    "add_by_channel": add(bnn.uint(2), np.array([[1, -2, 3, 4, 5, 0], [7, 7, 7, 7, 7, 7]])),
    "add_bipolar": add(bnn.bipolar, np.array([[1, -2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 6]])),
    "concat": ([bnn.uint(2)] * 3, lambda x: dataflow.ConcatOp(x, 2, 2)),
    "concat_rows": ([bnn.uint(2)] * 2, lambda x: dataflow.ConcatOp(x, 0, 2)),
    "slice": (
        [bnn.uint(2)],
        lambda x: dataflow.SliceOp(x[0], (1, 0, 2), (2, 3, 4), (2, 2, 1), 2),
    ),
    "upsample": ([bnn.uint(2)], lambda x: dataflow.UpsampleOp(x[0], (2, 3, 1), 2)),
    "upsample_rows": ([bnn.uint(2)], lambda x: dataflow.UpsampleOp(x[0], (3, 1, 1), 2)),
}

FLIPFLOPS = {
    # A flag for each of three readers.
    "fork": 3,
    # Two sums from −4 to 6, however wide the type of the result is, and `tvalid`.
    "add": 9,
    # Two sums from −3 to 10, and `tvalid`.
    "add_shifted": 11,
    # The beat, `tvalid`, and the number of the stream that goes round 3 · 3 beats.
    "concat": 9,
}


def write_unit(folder: Path, name: str) -> Path:
    """The Verilog file of the module `unit`."""
    types, make = UNITS[name]
    block = Block(arg_types=[StreamType.of(TensorType(t, IMAGE), 2) for t in types])
    op = make(block.args)
    block.add_op(op)
    op.verify()
    (file,) = files = print_design(ModuleOp([unit_of(op)]))
    check_design(files)
    path = folder / "unit.v"
    path.write_text(file.text)
    return path


@pytest.mark.parametrize("name", UNITS)
def test_units_are_clean(name: str, tmp_path: Path) -> None:
    path = write_unit(tmp_path, name)
    assert lint_verilator([path], "unit") == ""
    assert lint_yosys([path], "unit") == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", UNITS)
def test_units_synthesise_without_latches(name: str, tmp_path: Path) -> None:
    write_unit(tmp_path, name)
    script = (
        "read_verilog unit.v; proc; select -assert-none t:$dlatch; synth_ice40 -top unit; "
        "check -assert; tee -q -o stat.json stat -json"
    )
    command = [*toolchain.yosys_command(), "-q", "-p", script]
    result = toolchain.run(command, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    stat = json.loads((tmp_path / "stat.json").read_text())
    cells: dict[str, int] = stat["design"]["num_cells_by_type"]
    flipflops = sum(count for cell, count in cells.items() if cell.startswith("SB_DFF"))
    assert flipflops == FLIPFLOPS.get(name, flipflops)
    assert cells.get("SB_RAM40_4K", 0) == name.startswith("upsample")


def write_network(folder: Path, name: str) -> HardwareProject:
    """A network as a Verilog project, folded by the compiler."""
    sample = NETWORKS[name](1)
    to_dataflow(sample.module)
    for module_pass in (FoldLayers(), InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, sample.module)
    sample.module.verify()
    return HardwareProject(folder, sample.module, sample.inputs)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_clean(name: str, tmp_path: Path) -> None:
    write_network(tmp_path / "net", name).check_clean()


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize("name", NETWORKS)
def test_simulators_give_what_the_interpreter_gives(
    name: str, simulator: str, tmp_path: Path
) -> None:
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("iverilog is not installed")
    write_network(tmp_path / "net", name).check_frames(simulator)
