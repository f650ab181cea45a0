"""Small AXI4-Stream designs for tests, with their models in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp

from irc.backends.verilog.project import ProjectMetadata, StreamLayout, Vectors
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, axis_ports

Bits = npt.NDArray[Any]


def xnor_accumulator(
    name: str, weights: Bits, *, init: str = "auto", public: bool = True
) -> hw.HWModuleOp:
    """Popcount of xnor(x, w) over a frame of `beats` beats of 8 bits, weights `[beats, 8]`.

    One output beat of 16 bits a frame; a frame takes as many cycles as it has beats.
    """
    beats = weights.shape[0]
    ports = [*CLOCK_RESET, *axis_ports("s_axis", 8, slave=True)]
    b = HwBuilder(name, [*ports, *axis_ports("m_axis", 16, slave=False)], public=public)
    live = b.reg("live", 1)
    live.set_next(1)
    out_valid = b.reg("out_valid", 1)
    advance = b.named("advance", b.or_(b.not_(out_valid.value), b.input("m_axis_tready")))
    ready = b.named("ready", b.and_(live.value, advance))
    take = b.named("take", b.and_(ready, b.input("s_axis_tvalid")))

    index = b.reg("index", address_width(beats))
    last = b.named("at_end", b.eq(index.value, beats - 1))
    index.set_next(b.mux(last, 0, b.add(index.value, 1)), take)
    word = b.rom("weights", weights, index.value, take, init=init)
    x = b.delay("x", b.input("s_axis_tdata"), None, take)
    valid_1 = b.delay("valid_1", take, 0, advance)
    last_1 = b.delay("last_1", last, None, take)

    count = b.zext(b.popcount(b.xnor(x, word)), 16)
    acc = b.reg("acc", 16)
    total = b.named("total", b.add(acc.value, count))
    step = b.and_(advance, valid_1)
    acc.set_next(b.mux(last_1, 0, total), step)
    done = b.named("done", b.and_(valid_1, last_1))
    out_valid.set_next(done, advance)
    data = b.delay("data", total, None, b.and_(advance, done))
    b.output("s_axis_tready", ready)
    b.output("m_axis_tdata", data)
    b.output("m_axis_tvalid", out_valid.value)
    b.output("m_axis_tlast", 1)
    return b.finish()


def xnor_accumulator_model(weights: Bits, stimulus: Bits) -> Bits:
    """What comes out for stimulus `[frames, beats, 1]` bytes: `[frames, 1, 2]` bytes."""
    x = np.unpackbits(stimulus[:, :, 0], axis=1, bitorder="little").reshape(len(stimulus), -1)
    totals = (x == weights.reshape(-1)).sum(axis=1).astype("<u2")
    return totals.view(np.uint8).reshape(-1, 1, 2)


def xnor_project(
    frames: int, beats: int, *, seed: int = 0, init: str = "auto", cycles: int | None = None
) -> tuple[ModuleOp, Vectors, ProjectMetadata]:
    """The accumulator as everything that `write_verilog_project` takes."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 2, (beats, 8), np.uint8)
    stimulus = rng.integers(0, 256, (frames, beats, 1), np.uint8)
    module = ModuleOp([xnor_accumulator("xnor_acc", weights, init=init)])
    vectors = Vectors(stimulus, xnor_accumulator_model(weights, stimulus))
    metadata = ProjectMetadata(
        "xnor",
        StreamLayout((8 * beats,), "bipolar", 8, 1),
        StreamLayout((1,), "ui16", 1, 16),
        cycles=beats if cycles is None else cycles,
        layers=[{"layer": "acc", "cycles": beats}],
    )
    return module, vectors, metadata
