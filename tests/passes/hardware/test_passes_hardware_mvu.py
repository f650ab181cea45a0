"""The matrix-vector unit: every folding, every encoding, to the cycle; and resets."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hardware_nets import (
    Array,
    Hardware,
    fold,
    linear,
    network,
    random_values,
    reshape,
    sum_range,
    threshold,
    to_dataflow,
)
from xdsl.dialects.builtin import IntegerType, ModuleOp, TensorType
from xdsl.ir import Attribute

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding, divisors
from irc.dialects.dense import element_range
from irc.interp.beats import frames_to_beats
from irc.interp.run import run_module

ROWS, COLUMNS = 4, 6
FOLDINGS = list(product(divisors(ROWS), divisors(COLUMNS)))
ENCODINGS: list[tuple[str, Attribute, Attribute]] = [
    ("xnor", bnn.bipolar, bnn.bipolar),
    ("xnor planes", bnn.bipolar, bnn.uint(3)),
    ("signed xnor planes", bnn.bipolar, bnn.sint(3)),
    ("and planes", bnn.sint(2), bnn.bipolar),
    ("multipliers", bnn.sint(3), bnn.uint(2)),
]


def layer(
    weight_type: Attribute, input_type: Attribute, thresholds: bool, vectors: int = 1
) -> tuple[ModuleOp, Array, Array]:
    """A single layer at level bnn, frames for it, and its results."""
    rng = np.random.default_rng(7)
    weights = random_values(rng, weight_type, (ROWS, COLUMNS))
    layers = [linear(weights, weight_type)]
    if thresholds:
        low, high = sum_range(weights, *element_range(input_type))
        at = np.sort(rng.integers(low, high + 1, (ROWS, 3)), axis=1)
        layers.append(threshold(at, bnn.uint(2)))
    module = network(TensorType(input_type, (vectors, COLUMNS)), layers)
    frames = random_values(rng, input_type, (5, vectors, COLUMNS))
    (expected,) = run_module(module, [frames])
    return module, frames, expected


def first_transfers(hardware: Hardware, frames: Array) -> tuple[int, int]:
    """The cycles of the first beat in and the first beat out, when nothing stalls."""
    simulator = hardware.simulator()
    simulator.reset()
    beats = frames_to_beats(frames, hardware.source).reshape(-1, hardware.source.tdata_width // 8)
    words = [int.from_bytes(beat.tobytes(), "little") for beat in beats]
    first_in: int | None = None
    sent = 0
    for cycle in range(1000):
        inputs = {"aresetn": 1, "m_axis_tready": 1, "s_axis_tvalid": int(sent < len(words))}
        inputs["s_axis_tdata"] = words[min(sent, len(words) - 1)]
        outputs = simulator.step(inputs)
        if outputs["m_axis_tvalid"]:
            assert first_in is not None
            return first_in, cycle
        if inputs["s_axis_tvalid"] and outputs["s_axis_tready"]:
            first_in = cycle if first_in is None else first_in
            sent += 1
    raise AssertionError("nothing came out")


@pytest.mark.parametrize("vectors", [1, 2])
@pytest.mark.parametrize("thresholds", [False, True])
@pytest.mark.parametrize(
    ("weight_type", "input_type"), [e[1:] for e in ENCODINGS], ids=[e[0] for e in ENCODINGS]
)
def test_every_folding_is_exact_in_values_and_cycles(
    weight_type: Attribute, input_type: Attribute, thresholds: bool, vectors: int
) -> None:
    original, frames, expected = layer(weight_type, input_type, thresholds, vectors)
    for pe, simd in FOLDINGS:
        module = original.clone()
        to_dataflow(module)
        design = fold(module, [Folding(pe, simd)])
        (unit,) = design.units
        hardware = Hardware(module)
        played = hardware.play(frames)
        assert np.array_equal(hardware.values(played), expected), (pe, simd)
        intervals = np.diff(played.frame_ends)
        assert unit.cycles() == vectors * (ROWS // pe) * (COLUMNS // simd)
        assert (intervals == unit.cycles()).all(), (pe, simd)
        first_in, first_out = first_transfers(hardware, frames)
        assert first_out - first_in == unit.latency(), (pe, simd)


@pytest.mark.parametrize(("pe", "simd"), FOLDINGS)
def test_stalls_do_no_harm(pe: int, simd: int) -> None:
    module, frames, expected = layer(bnn.bipolar, bnn.bipolar, True)
    to_dataflow(module)
    fold(module, [Folding(pe, simd)])
    hardware = Hardware(module)
    for source_stall, sink_stall in ((0.7, 0), (0, 0.7), (0.5, 0.5)):
        played = hardware.play(frames, source_stall, sink_stall)
        assert np.array_equal(hardware.values(played), expected)


def deep_network() -> tuple[ModuleOp, Array, Array]:
    """Two layers with thresholds per channel before them, on a frame of two vectors."""
    rng = np.random.default_rng(3)
    layers = [
        threshold(rng.integers(0, 16, (4, 1)), bnn.bipolar),
        linear(random_values(rng, bnn.bipolar, (6, 4)), bnn.bipolar),
        threshold(rng.integers(-3, 4, (6, 1)), bnn.bipolar),
        reshape(12),
        linear(random_values(rng, bnn.bipolar, (4, 12)), bnn.bipolar),
    ]
    module = network(TensorType(bnn.uint(4), (2, 4)), layers)
    frames = rng.integers(0, 16, (4, 2, 4))
    (expected,) = run_module(module, [frames])
    to_dataflow(module)
    fold(module, [Folding(2), Folding(3, 2), Folding(2, 4)])
    return module, frames, expected


def test_reset_in_mid_frame_clears_everything() -> None:
    module, frames, expected = deep_network()
    hardware = Hardware(module)
    beats = frames_to_beats(frames, hardware.source)
    words = [int.from_bytes(beat.tobytes(), "little") for beat in beats.reshape(-1, beats.shape[2])]
    result_bytes = hardware.result.tdata_width // 8
    for abandoned in range(1, 60, 3):
        simulator = hardware.simulator(seed=abandoned)
        simulator.reset()
        for cycle in range(abandoned):
            offered: dict[str, Any] = {"aresetn": 1, "s_axis_tvalid": 1, "m_axis_tready": cycle % 2}
            simulator.step({**offered, "s_axis_tdata": words[cycle % len(words)]})
        for _ in range(2):
            during = simulator.step({"aresetn": 0, "s_axis_tvalid": 1, "m_axis_tready": 1})
            assert not during["s_axis_tready"]
            assert not during["m_axis_tvalid"]
        after = simulator.step({"aresetn": 1, "s_axis_tvalid": 1, "m_axis_tready": 1})
        assert not after["s_axis_tready"]
        sent, received = 0, list[int]()
        for _ in range(400):
            step = {"aresetn": 1, "m_axis_tready": 1, "s_axis_tvalid": int(sent < len(words))}
            outputs = simulator.step({**step, "s_axis_tdata": words[min(sent, len(words) - 1)]})
            sent += step["s_axis_tvalid"] and outputs["s_axis_tready"]
            if outputs["m_axis_tvalid"]:
                received.append(outputs["m_axis_tdata"])
        assert len(received) == len(frames) * hardware.result.beats
        wanted = frames_to_beats(expected, hardware.result).reshape(-1, result_bytes)
        assert received == [int.from_bytes(beat.tobytes(), "little") for beat in wanted]


def test_valid_does_not_wait_for_ready() -> None:
    module, frames, _ = deep_network()
    hardware = Hardware(module)
    simulator = hardware.simulator()
    simulator.reset()
    words = frames_to_beats(frames, hardware.source)
    word = int.from_bytes(words[0, 0].tobytes(), "little")
    step = {"aresetn": 1, "s_axis_tvalid": 1, "s_axis_tdata": word, "m_axis_tready": 0}
    assert any(simulator.step(step)["m_axis_tvalid"] for _ in range(200))


def test_one_wrong_weight_shows() -> None:
    """The comparisons above would notice a single flipped bit of the weights."""
    module, frames, expected = layer(bnn.bipolar, bnn.uint(3), False)
    to_dataflow(module)
    (unit,) = fold(module, [Folding(2, 3)]).units
    assert isinstance(unit, dataflow.MvuOp)
    weights = unit.weights.numpy().copy()
    weights[2, 3] *= -1
    unit.properties["weights"] = bnn.DenseAttr.from_numpy(weights, bnn.bipolar)
    hardware = Hardware(module)
    assert not np.array_equal(hardware.values(hardware.play(frames)), expected)


def test_tdata_is_padded_with_zeros() -> None:
    module, frames, expected = layer(bnn.bipolar, bnn.bipolar, False)
    to_dataflow(module)
    fold(module, [Folding(1, 6)])
    hardware = Hardware(module)
    assert isinstance(hardware.result.element_type, IntegerType)
    assert (hardware.source.tdata_width, hardware.result.element_width) == (8, 4)
    played = hardware.play(frames)
    assert (played.beats[..., 0] == (expected.reshape(5, 4) & 0xF)).all()
