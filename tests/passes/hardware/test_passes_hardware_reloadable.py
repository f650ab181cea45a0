"""Hardware with loadable weights is that of any network of its shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hardware_checks import quietly
from hardware_nets import (
    Sample,
    linear,
    network,
    random_foldings,
    random_values,
    samples,
    threshold,
    to_dataflow,
)
from hypothesis import given, settings
from reloadable_designs import Reloadable, load, reloadable, retrained, weight_kinds
from spatial_nets import spatial_samples
from xdsl.dialects.builtin import TensorType

from irc.backends.synth.tools import run_tool
from irc.backends.verilog.printer import print_design
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import run_module
from irc.passes.hardware.convert_dataflow_to_hw import filling_cycles_of
from irc.passes.hardware.design import design_of


@given(samples())
@settings(quietly, max_examples=20)
def test_a_network_loads_into_the_hardware_of_another(sample: Sample) -> None:
    check_reloading(sample)


@given(spatial_samples())
@settings(quietly, max_examples=6)
def test_a_convolution_loads_into_the_hardware_of_another(sample: Sample) -> None:
    check_reloading(sample)


def check_reloading(sample: Sample) -> None:
    """The Verilog of A is that of B, and answers like B with B's stream, in the cycles of the
    model, under stalls of every stream; a second stream works as well as the first."""
    rng = np.random.default_rng(sample.seed)
    modules = sample.module, retrained(sample.module, sample.seed + 1)
    answers = [run_module(module, [sample.inputs])[0] for module in modules]
    foldings = random_foldings(rng, to_dataflow(modules[0].clone()))
    kinds = tuple("int2" if kind == "ternary" else kind for kind in weight_kinds(modules[0]))
    fifos = bool(sample.seed % 2)
    a, b = (reloadable(module, kinds, foldings, fifos=fifos) for module in modules)
    assert a.text == b.text
    simulator = a.simulator(seed=sample.seed)
    for turn, index in enumerate((0, 1, sample.seed % 2)):
        module = modules[index]
        if turn:
            # The source may have stopped in a part of a frame that no result depends on.
            simulator.reset()
            assert load(simulator, (a, b)[index].stream, stall=0.3 * turn, seed=turn) == 0
        frames = hardware_inputs(module, [sample.inputs])
        played = a.play_on(simulator, frames, 0.2 * turn, 0.1 * turn)
        (given_back,) = host_outputs(module, [sample.inputs], a.values(played))
        assert np.array_equal(given_back, answers[index]), f"turn {turn}"
        if turn == 0:
            design = design_of(module)
            report = simulate_cycles(design.units, design.source.beats, len(frames))
            late = 1 + filling_cycles_of(design)
            ends = [end - late for end in played.frame_ends]
            modelled = report.nodes[-1].last
            if late > 1 and any(isinstance(unit, dataflow.PadOp) for unit in design.units):
                # A border may be there before the first beat.
                assert all(end <= model for end, model in zip(ends, modelled, strict=True))
            else:
                assert ends == modelled


def small_design(memory: str = "auto", *, rows: int = 6, lanes: int = 4, pe: int = 2) -> Reloadable:
    """12-6-4 on bits, folded; or with so many `rows` in its first layer."""
    rng = np.random.default_rng(1)
    layers = [
        linear(random_values(rng, bnn.bipolar, (rows, 12)), bnn.bipolar, "fc1"),
        threshold(rng.integers(-5, 5, (rows, 1)), bnn.bipolar),
        linear(random_values(rng, bnn.bipolar, (4, rows)), bnn.bipolar, "fc2"),
    ]
    module = network(TensorType(bnn.bipolar, [12]), layers)
    foldings = [Folding(pe, lanes, memory), Folding(1, 2)]
    return reloadable(module, ("bipolar", "bipolar"), foldings, fifos=False)


def test_memories_come_layer_by_layer_in_whole_bytes() -> None:
    design = small_design()
    shapes = [(memory.name, memory.depth, memory.width) for memory in design.memories]
    # Of fc2, what sums start from is K/2 whatever the weights are.
    assert shapes == [("weights", 9, 8), ("starts", 3, 10), ("weights", 12, 2)]
    assert [memory.bytes for memory in design.memories] == [9, 6, 12]


def test_loading_takes_a_cycle_a_byte() -> None:
    design = small_design()
    simulator = design.simulator()
    simulator.reset()
    stream, position, cycles, was_busy = design.stream, 0, 0, False
    while True:
        offered = position < len(stream)
        signals = {"aresetn": 1, "s_axis_cfg_tvalid": int(offered)}
        if offered:
            signals["s_axis_cfg_tdata"] = stream[position]
            signals["s_axis_cfg_tlast"] = int(position == len(stream) - 1)
        outputs = simulator.step(signals)
        if was_busy and not outputs["cfg_busy"]:
            break
        was_busy = bool(outputs["cfg_busy"])
        position += outputs["s_axis_cfg_tready"] if offered else 0
        cycles += 1
    assert cycles == len(stream) + len(design.memories) + 5


def test_streams_of_another_length_are_flagged_and_no_frame_is_taken() -> None:
    design = small_design()
    simulator = design.simulator()
    simulator.reset()
    for length in (5, len(design.stream) - 1, len(design.stream) + 1):
        stream = (design.stream + b"\0")[:length]
        assert load(simulator, stream) == 1
        simulator.reset()
        for _ in range(5):
            outputs = simulator.step({"aresetn": 1, "s_axis_tvalid": 1})
            assert (outputs["s_axis_tready"], outputs["cfg_error"]) == (0, 1)
    assert load(simulator, design.stream) == 0
    assert simulator.step({"aresetn": 1, "s_axis_tvalid": 1})["s_axis_tready"] == 1


@pytest.mark.parametrize("position", [4, 10, -3, -2, -1])
def test_a_damaged_stream_is_flagged_and_no_frame_is_taken(position: int) -> None:
    """A bit of a word, or of the CRC."""
    design = small_design()
    simulator = design.simulator()
    simulator.reset()
    damaged = bytearray(design.stream)
    damaged[position] ^= 0x10
    assert load(simulator, bytes(damaged)) == 1
    simulator.reset()
    outputs = simulator.step({"aresetn": 1, "s_axis_tvalid": 1})
    assert (outputs["s_axis_tready"], outputs["cfg_error"]) == (0, 1)
    assert load(simulator, design.stream) == 0


def test_a_stream_for_another_shape_is_refused_and_the_weights_stay() -> None:
    """At any byte that differs, and where there are not even four."""
    design, other = small_design(), small_design(lanes=6)
    assert len({design.stream[:4], other.stream[:4]}) == 2
    simulator = design.simulator()
    simulator.reset()
    streams = [other.stream, design.stream[:4], design.stream[:1]]
    for position in range(4):
        damaged = bytearray(design.stream)
        damaged[position] ^= 1
        streams.append(bytes(damaged))
    frames = np.random.default_rng(3).choice([-1, 1], (2, 12))
    first = design.play_on(simulator, frames).beats
    for stream in streams:
        assert load(simulator, stream, stall=0.3) == 1
        assert np.array_equal(design.play_on(simulator, frames).beats, first)
        simulator.reset()
        assert simulator.step({"aresetn": 1})["cfg_error"] == 0
    assert load(simulator, design.stream) == 0


def test_a_reset_in_a_stream_leaves_it_flagged() -> None:
    design = small_design()
    simulator = design.simulator()
    simulator.reset()
    assert load(simulator, design.stream[:6], last=False) == 0
    simulator.reset()
    assert simulator.step({"aresetn": 1})["cfg_error"] == 1
    assert load(simulator, design.stream) == 0


def test_memories_without_contents_wait_for_a_stream() -> None:
    design = small_design("spram")
    text = design.text["net_fc1"]
    assert '(* ram_style = "huge" *)' in text
    assert "net_fc1_weights.hex" not in text
    simulator = design.simulator()
    simulator.reset()
    for _ in range(3):
        outputs = simulator.step({"aresetn": 1, "s_axis_tvalid": 1})
        assert (outputs["s_axis_tready"], outputs["cfg_error"]) == (0, 1)
    assert load(simulator, design.stream) == 0
    assert simulator.step({"aresetn": 1, "s_axis_tvalid": 1})["s_axis_tready"] == 1


@pytest.mark.slow
def test_weights_in_spram_land_there(tmp_path: Path) -> None:
    """Yosys takes one SB_SPRAM256KA for words of 16 bits, and block RAM for nothing of them."""
    design = small_design("spram", rows=16, lanes=4, pe=4)
    assert design.memories[0].width == 16
    sources: list[str] = []
    for file in print_design(design.module):
        (tmp_path / f"{file.name}.v").write_text(file.text)
        sources.append(f"{file.name}.v")
        for name, text in file.hex_files.items():
            (tmp_path / name).write_text(text)
    synthesis = "synth_ice40 -noflatten -top net; tee -q -o cells.json stat -json"
    script = f"read_verilog {' '.join(sources)}; {synthesis}"
    run_tool("yosys", ["-p", script], tmp_path, "yosys.log", lambda _: None)
    cells = json.loads((tmp_path / "cells.json").read_text())["modules"]["\\net_fc1"]
    counts = cells["num_cells_by_type"]
    assert counts["SB_SPRAM256KA"] == 1
