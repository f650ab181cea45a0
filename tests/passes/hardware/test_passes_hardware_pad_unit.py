"""The padding unit: every border, lane and pixel, in values and cycles, with stalls and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hardware_nets import Array, Hardware, random_values
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region

from irc.dialects import bnn, dataflow
from irc.interp.rtl import HwSimulator
from irc.interp.run import run_module
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.pad import as_number

Case = tuple[
    Attribute, Sequence[int], Sequence[int], Sequence[int], int, Attribute, tuple[int, int]
]
"""Element type, shape, before, after, border, type of the result, lanes in and out."""

CASES: dict[str, Case] = {
    "line": (bnn.uint(2), (3, 2), (1,), (2,), 0, bnn.uint(2), (1, 1)),
    "line, whole pixels": (bnn.uint(2), (3, 2), (2,), (0,), 3, bnn.uint(2), (2, 2)),
    "line, only behind": (bnn.bipolar, (2, 3), (0,), (1,), 1, bnn.bipolar, (3, 3)),
    "image": (bnn.bipolar, (2, 3, 2), (1, 2), (0, 1), -1, bnn.bipolar, (2, 2)),
    "image, one lane": (bnn.sint(2), (2, 2, 3), (0, 1), (2, 0), -2, bnn.sint(2), (1, 1)),
    "zeros around signs": (bnn.bipolar, (3, 2, 1), (1, 1), (1, 1), 0, bnn.sint(2), (1, 1)),
    "a wider border": (bnn.uint(2), (2, 2, 1), (1, 0), (0, 1), -5, bnn.sint(4), (1, 1)),
    "two pixels": (bnn.uint(2), (2, 4, 1), (1, 2), (0, 2), 1, bnn.uint(2), (2, 2)),
    "two pixels, only in front": (bnn.uint(2), (2, 6, 1), (0, 2), (1, 0), 1, bnn.uint(2), (2, 2)),
    "far around signs": (bnn.bipolar, (3, 2), (1,), (1,), -5, bnn.sint(4), (2, 2)),
    "two pixels, shifted": (bnn.uint(3), (3, 4, 1), (1, 1), (1, 1), 5, bnn.uint(3), (2, 2)),
    "two pixels of two": (bnn.bipolar, (2, 2, 2), (0, 1), (1, 1), 1, bnn.bipolar, (4, 4)),
    "three pixels, shifted": (bnn.uint(2), (2, 3, 1), (1, 2), (1, 1), 2, bnn.uint(2), (3, 3)),
}


def pad_module(case: Case) -> tuple[ModuleOp, dataflow.PadOp]:
    element_type, shape, before, after, border, result, (lanes, out_lanes) = case
    frame = TensorType(element_type, shape)
    block = Block(arg_types=[frame])
    entry = dataflow.ToStreamOp(block.args[0], lanes)
    pad = dataflow.PadOp(entry.output, before, after, border, result, out_lanes)
    leave = dataflow.FromStreamOp(pad.output)
    block.add_ops([entry, pad, leave, ReturnOp(leave.output)])
    module = ModuleOp([FuncOp("net", ([frame], [leave.output.type]), Region(block))])
    module.verify()
    return module, pad


def padded(case: Case, frames: Array) -> Array:
    border = [(0, 0), *zip(case[2], case[3], strict=True), (0, 0)]
    return np.pad(frames.astype(np.int64), border, constant_values=case[4])


def test_a_sign_is_a_number_of_two_bits() -> None:
    b = HwBuilder("p", [*CLOCK_RESET, Port.input("x", 1), Port.output("y", 2)], public=True)
    stream = dataflow.StreamType.of(TensorType(bnn.bipolar, (1,)), 1)
    number = as_number(b, stream, b.input("x"))
    assert (number.low, number.high) == (-1, 1)
    b.output("y", number.value)
    circuit = HwSimulator(ModuleOp([b.finish()]), "p")
    assert [circuit.step({"aresetn": 1, "x": bit})["y"] for bit in (0, 1)] == [0b11, 0b01]


@pytest.mark.parametrize("name", CASES)
def test_every_border(name: str) -> None:
    case = CASES[name]
    module, pad = pad_module(case)
    frames = random_values(np.random.default_rng(1), case[0], (3, *case[1]))
    expected = padded(case, frames)
    assert np.array_equal(run_module(module, [frames])[0], expected)
    hardware = Hardware(module)
    for stalls in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5)):
        played = hardware.play(frames, *stalls)
        assert np.array_equal(hardware.values(played), expected)
        if stalls == (0.0, 0.0):
            assert np.diff(played.frame_ends).tolist() == [pad.cycles()] * 2
            # Nothing comes out in the cycle after reset, though a border needs no input.
            assert played.frame_ends[0] == pad.cycles() + pad.latency()
