"""Codes of several thresholds: counted without additions where thresholds come in order."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_nets import (
    Hardware,
    fold,
    linear,
    network,
    random_values,
    threshold,
    to_dataflow,
)
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute

from irc.dialects import bnn, rtl
from irc.dialects.dataflow import Folding
from irc.interp.rtl import HwSimulator
from irc.interp.run import run_module
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.lookup_logic import count_ordered

ROWS, COLUMNS = 4, 24


@pytest.mark.parametrize("count", [*range(1, 18), 31, 32])
def test_ordered_bits_are_counted(count: int) -> None:
    width = count.bit_length()
    ports = [Port.input("x", count), Port.output("y", width)]
    b = HwBuilder("ordered", [*CLOCK_RESET, *ports], public=True)
    b.output("y", count_ordered(b, b.slices(b.input("x"), 1)))
    simulator = HwSimulator(ModuleOp([b.finish()]), "ordered")
    for ones in range(count + 1):
        assert simulator.step({"x": (1 << ones) - 1, "aresetn": 1})["y"] == ones


@pytest.mark.parametrize("memory", ["auto", "logic"])
@pytest.mark.parametrize(
    ("levels", "element_type", "bias"),
    [
        (3, bnn.uint(2), 0),
        (3, bnn.sint(2), -2),
        (5, bnn.sint(3), -4),
        (7, bnn.sint(4), -4),
        (15, bnn.sint(4), -8),
        (15, bnn.uint(5), 7),
    ],
)
def test_codes_of_many_thresholds(
    levels: int, element_type: Attribute, bias: int, memory: str
) -> None:
    """Thresholds come in any order; some are always reached, or never, some are equal."""
    rng = np.random.default_rng(levels)
    at = rng.integers(-14, 15, (ROWS, levels))
    at[0] = 3
    weights = random_values(rng, bnn.bipolar, (ROWS, COLUMNS))
    layers = [linear(weights, bnn.bipolar, "fc"), threshold(at, element_type, bias)]
    module = network(TensorType(bnn.bipolar, (COLUMNS,)), layers)
    frames = random_values(rng, bnn.bipolar, (40, COLUMNS))
    (expected,) = run_module(module, [frames])
    to_dataflow(module)
    pe, simd = (ROWS, COLUMNS) if memory == "logic" else (2, 8)
    fold(module, [Folding(pe, simd, memory)])
    hardware = Hardware(module)
    played = hardware.play(frames, 0.2, 0.2)
    assert np.array_equal(hardware.values(played), expected)
    popcounts = [op for op in hardware.module.walk() if isinstance(op, rtl.PopcountOp)]
    assert popcounts == []


def test_steps_out_of_order_are_added() -> None:
    """Where channels reach thresholds in different orders, each with a step of its own."""
    rng = np.random.default_rng(2)
    at = rng.integers(-9, 10, (6, 4))
    steps = rng.choice([1, 2], (6, 4))
    module = network(TensorType(bnn.sint(5), (6,)), [threshold(at, bnn.uint(4), 0, steps)])
    frames = random_values(rng, bnn.sint(5), (20, 6))
    (expected,) = run_module(module, [frames])
    to_dataflow(module)
    fold(module, [Folding(2)])
    hardware = Hardware(module)
    assert np.array_equal(hardware.values(hardware.play(frames)), expected)
