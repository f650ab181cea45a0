"""Weight memories as synthesis makes them: in block RAM where deep, not in logic by accident."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hardware_nets import CONTEXT, fold, linear, network, random_values, threshold, to_dataflow
from xdsl.dialects.builtin import TensorType

from irc.backends.synth.devices import ECP5, ICE40, XC7, Family
from irc.backends.synth.yosys import Synthesis, synthesise
from irc.backends.verilog.printer import print_design
from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw


def synthesised(
    family: Family, rows: int, columns: int, folding: Folding, folder: Path
) -> Synthesis:
    """A layer of random bits with a threshold a row."""
    rng = np.random.default_rng(1)
    weights = random_values(rng, bnn.bipolar, (rows, columns))
    thresholds = threshold(rng.integers(-20, 21, (rows, 1)), bnn.bipolar)
    module = network(
        TensorType(bnn.bipolar, (columns,)), [linear(weights, bnn.bipolar), thresholds]
    )
    to_dataflow(module)
    fold(module, [folding])
    ConvertDataflowToHw().apply(CONTEXT, module)
    files = print_design(module)
    for file in files:
        (folder / f"{file.name}.v").write_text(file.text, encoding="utf-8")
        for name, text in file.hex_files.items():
            (folder / name).write_text(text, encoding="utf-8")
    sources = [f"{file.name}.v" for file in files]
    return synthesise(family, "net", "net", sources, folder, lambda line: None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "luts", "block_rams"), [(XC7, 730, 4), (ECP5, 1100, 8), (ICE40, 900, 17)]
)
def test_deep_weights_lie_in_block_ram(
    family: Family, luts: int, block_rams: int, tmp_path: Path
) -> None:
    """784 x 64, 16 of each at once: 196 words of 256 bits; iCE40 has a RAM for replay besides."""
    found = synthesised(family, 64, 784, Folding(16, 16), tmp_path)
    print(found.total)
    assert found.total.luts <= luts
    assert found.total.block_rams == block_rams


@pytest.mark.parametrize("family", [XC7, ICE40])
def test_shallow_weights_lie_in_tables(family: Family, tmp_path: Path) -> None:
    """Eight words of 32 bits: a table each, where there would be a block RAM else."""
    found = synthesised(family, 8, 32, Folding(4, 8), tmp_path)
    assert found.total.block_rams == 0
    assert found.total.luts < 260


@pytest.mark.slow
@pytest.mark.parametrize("family", [XC7, ECP5, ICE40])
def test_distributed_weights_lie_in_tables(family: Family, tmp_path: Path) -> None:
    """64 words of 16 bits. What Yosys calls distributed can be written, and it finds no mapping for
    that of what is only read."""
    found = synthesised(family, 32, 32, Folding(2, 8, "distributed"), tmp_path)
    assert found.total.block_rams == 0
    assert 40 < found.total.luts < 330
